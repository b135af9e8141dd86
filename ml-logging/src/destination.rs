//! Where the bytes of records go in the end: standard output, standard error, files, and what the
//! program brings along. [`rotating`](crate::rotating) has the files that change.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    path::Path,
    thread,
    time::Duration,
};

/// Takes records in the order in which they come.
pub(crate) trait Destination: Send {
    /// Makes ready for some of the next records, whose lengths in bytes these are, at least one of
    /// them.
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> Prepared;

    /// Writes the first part of these bytes, and says how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    fn flush(&mut self) -> io::Result<()>;

    /// How many times it could not go to another file when that was due.
    fn failed_rotations(&self) -> u64 {
        0
    }
}

/// What a destination is ready for.
pub(crate) struct Prepared {
    /// So many records may be written now.
    pub(crate) records: usize,
    /// They go elsewhere than those before, as into a new file.
    pub(crate) is_other: bool,
    /// What they are appended to ends in the middle of a line. Said only once.
    pub(crate) is_torn: bool,
}

/// One that never changes.
pub(crate) struct Stream<W> {
    to: W,
    /// No more bytes than these are written in one piece, unless a single record is longer.
    at_once: usize,
    torn: Option<Torn>,
}

impl<W> Stream<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, at_once: usize::MAX, torn: None }
    }
}

impl<W: Write + Send> Destination for Stream<W> {
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> Prepared {
        let mut left = self.at_once;
        let more = |length: usize| {
            let rest = left.checked_sub(length);
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        Prepared {
            records: lengths.map(more).take_while(|fits| *fits).count().max(1),
            is_other: false,
            is_torn: self.torn.take().is_some_and(|torn| torn.is_still()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// What a pipe takes in one piece even if it is nearly full. Others may write to the same pipe: what
/// the program prints, its children, other programs of a shell's command.
#[cfg(unix)]
const PIPE_BUF: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// What records are written to that is a file for the system: one with a name, or a standard stream.
pub(crate) fn of(file: File, torn: Option<Torn>) -> io::Result<Box<dyn Destination>> {
    #[cfg(unix)]
    let at_once = {
        use std::os::unix::fs::FileTypeExt as _;
        if file.metadata()?.file_type().is_fifo() { PIPE_BUF } else { usize::MAX }
    };
    #[cfg(not(unix))]
    let at_once = usize::MAX;
    Ok(Box::new(Stream { to: file, at_once, torn }))
}

/// One of the two standard streams. Not through `io::stdout()`: its buffer cuts batches at other
/// places than between records.
macro_rules! standard {
    ($name:ident, $stream:path) => {
        pub(crate) fn $name() -> io::Result<Box<dyn Destination>> {
            #[cfg(unix)]
            {
                use std::os::fd::{AsFd as _, AsRawFd as _};
                let file = File::from($stream().as_fd().try_clone_to_owned()?);
                // Where there is no such path it is not known.
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                of(file, Torn::at(path.as_ref()))
            }
            #[cfg(not(unix))]
            Ok(Box::new(Stream::new($stream())))
        }
    };
}

standard!(stdout, io::stdout);
standard!(stderr, io::stderr);

/// Appending in any case: whoever else writes to the file or cuts it short does no harm.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// How long a file is left alone that may just be written to.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A file that ends in the middle of a line, as a process that is killed leaves it.
pub(crate) struct Torn {
    file: File,
    length: u64,
}

impl Torn {
    /// The file of that name, if it is one. Not if it cannot be read, or another process is writing
    /// that line.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        // To open a pipe for reading is to be its reader.
        if !fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let mut file = File::open(path).ok()?;
        // Fails if it is empty.
        let length = file.seek(SeekFrom::End(-1)).ok()? + 1;
        let mut last = [0];
        file.read_exact(&mut last).ok()?;
        if last == *b"\n" {
            return None;
        }
        thread::sleep(LOOK_AGAIN);
        Some(Self { file, length }).filter(Self::is_still)
    }

    /// Nobody has written to it since, as another handler may have.
    pub(crate) fn is_still(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == self.length)
    }
}
