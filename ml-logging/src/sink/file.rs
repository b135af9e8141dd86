//! Files as byte sinks.
//!
//! A sink follows the name of its file: if another program renames or removes the file, the name is opened again,
//! as by Python's `WatchedFileHandler`. One `stat` per batch of records is enough for that.

use std::{
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    byte_sink::{ByteSink, Prepared, Stream},
    report::report,
    torn_line::TornLine,
};

/// The largest write that a pipe takes as a unit. Other writers may use the same pipe: `println!`, child
/// processes, other programs of a shell pipeline.
#[cfg(unix)]
const PIPE_BUF: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Opens a file as a byte sink. If the file is to be overwritten it is returned as well: the caller
/// empties it after everything else has been opened.
pub(crate) fn open(path: &Path, overwrite: bool) -> io::Result<(Box<dyn ByteSink>, Option<File>)> {
    let torn = if overwrite { None } else { TornLine::of(path) };
    let named = NamedFile::open(path)?;
    let emptied = overwrite && named.file.metadata()?.is_file();
    let emptied = emptied.then(|| named.file.try_clone()).transpose()?;
    let max_write = max_write(&named.file)?;
    Ok((Box::new(FileSink(Stream::with(named, max_write, torn))), emptied))
}

/// Makes a byte sink of an open file.
pub(super) fn stream(file: File, torn: Option<TornLine>) -> io::Result<Box<dyn ByteSink>> {
    let max_write = max_write(&file)?;
    Ok(Box::new(Stream::with(file, max_write, torn)))
}

/// Returns the limit for one write.
fn max_write(file: &File) -> io::Result<usize> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if file.metadata()?.file_type().is_fifo() {
            return Ok(PIPE_BUF);
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(usize::MAX)
}

/// Returns whether a file that is not regular can be written like a stream: a pipe, a terminal, `/dev/null`.
pub(crate) fn is_stream(kind: FileType) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        kind.is_fifo() || kind.is_char_device()
    }
    #[cfg(not(unix))]
    !kind.is_dir()
}

/// Opens a file for appending, and creates it if it does not exist. Appending keeps records whole when
/// other processes write to the file or truncate it.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // Opening a pipe without a reader fails instead of waiting for a reader. Files are not affected.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path).map_err(|error| match error.raw_os_error() {
        #[cfg(unix)]
        Some(libc::ENXIO) => io::Error::new(
            error.kind(),
            "it is a pipe that no process reads, or a socket; start the reader first, or log to a \
             standard stream",
        ),
        _ => error,
    })?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() || is_stream(kind) {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a file nor a writable stream"))
}

/// An open file and its name.
pub(super) struct NamedFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
    id: FileId,
    is_reported: bool,
}

/// State of a name.
pub(super) struct Followed {
    /// Another file has been opened.
    pub(super) is_new: bool,
    /// Size of the open file.
    pub(super) size: u64,
}

impl NamedFile {
    /// Opens a file for appending, and creates it if it does not exist.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // The working directory may change.
        let path = std::path::absolute(path)?;
        let file = append(&path)?;
        let id = FileId::of(&file.metadata()?);
        Ok(Self { path, file, id, is_reported: false })
    }

    /// Returns the size of the file; `None` if its name belongs to another file, or to none.
    pub(super) fn size(&self) -> io::Result<Option<u64>> {
        match fs::metadata(&self.path) {
            Ok(named) => Ok((FileId::of(&named) == self.id).then_some(named.len())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the file that has the name now.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let file = append(&self.path)?;
        self.id = FileId::of(&file.metadata()?);
        self.file = file;
        self.is_reported = false;
        Ok(())
    }

    /// Opens the file that has the name now, if that is another one.
    ///
    /// If that fails, the open file stays in use as long as it has any name.
    ///
    /// # Errors
    ///
    /// The open file is removed, and no other can be opened.
    pub(super) fn follow(&mut self) -> io::Result<Followed> {
        match self.size() {
            Ok(Some(size)) => return Ok(Followed { is_new: false, size }),
            // The name cannot be looked up, so that the state of the file is unknown.
            Err(_) => {}
            Ok(None) => match self.reopen() {
                Ok(()) => {
                    return Ok(Followed { is_new: true, size: self.file.metadata()?.len() });
                }
                Err(error) => self.check_reachable(&error)?,
            },
        }
        Ok(Followed { is_new: false, size: self.file.metadata()?.len() })
    }

    /// Fails if the open file has no name any more. Otherwise reports where records go.
    fn check_reachable(&mut self, error: &io::Error) -> io::Result<()> {
        let path = self.path.display();
        if is_unlinked(&self.file.metadata()?) {
            let message = format!("{path} was removed and cannot be created again: {error}");
            return Err(io::Error::new(error.kind(), message));
        }
        if !self.is_reported {
            self.is_reported = true;
            report(format_args!(
                "{path} was renamed and cannot be created again: {error}; records go to the renamed \
                 file until it can"
            ));
        }
        Ok(())
    }
}

impl Write for NamedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// File that is written until its name belongs to another one.
struct FileSink(Stream<NamedFile>);

impl ByteSink for FileSink {
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> io::Result<Prepared> {
        let is_new_file = self.0.writer.follow()?.is_new;
        if is_new_file {
            self.0.max_write = max_write(&self.0.writer.file)?;
        }
        Ok(Prepared { is_new_file, ..self.0.prepare(lengths)? })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.0.writer.reopen()
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Identity of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileId {
    /// Returns the identity. On systems other than Unix all files are equal: an open file cannot be renamed by
    /// another process there.
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Self { device: metadata.dev(), inode: metadata.ino() }
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            Self {}
        }
    }
}

/// Returns whether an open file has no name any more.
fn is_unlinked(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        metadata.nlink() == 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}
