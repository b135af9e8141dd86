//! Files as byte sinks.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    thread,
    time::Duration,
};

use super::byte_sink::{ByteSink, Stream};

/// The largest write that a pipe takes as a unit. Other writers may use the same pipe: `println!`, child
/// processes, other programs of a shell pipeline.
#[cfg(unix)]
const PIPE_BUF: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Opens a file for appending, and creates it if it does not exist. Appending keeps records whole when
/// other processes write to the file or truncate it.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Opens a file as a byte sink. If the file is to be overwritten it is returned as well: the caller
/// empties it after everything else has been opened.
pub(crate) fn open(path: &Path, overwrite: bool) -> io::Result<(Box<dyn ByteSink>, Option<File>)> {
    let torn = if overwrite { None } else { TornLine::of(path) };
    let file = append(path)?;
    let emptied =
        if overwrite && file.metadata()?.is_file() { Some(file.try_clone()?) } else { None };
    Ok((stream(file, torn)?, emptied))
}

/// Makes a byte sink of an open file.
pub(super) fn stream(file: File, torn: Option<TornLine>) -> io::Result<Box<dyn ByteSink>> {
    #[cfg(unix)]
    let max_write = {
        use std::os::unix::fs::FileTypeExt as _;
        if file.metadata()?.file_type().is_fifo() { PIPE_BUF } else { usize::MAX }
    };
    #[cfg(not(unix))]
    let max_write = usize::MAX;
    Ok(Box::new(Stream::with(file, max_write, torn)))
}

/// Delay before a second look at a file that another process may be writing to.
const SECOND_LOOK: Duration = Duration::from_millis(10);

/// Incomplete last line of a file, left by a process that was killed.
pub(super) struct TornLine {
    file: File,
    length: u64,
}

impl TornLine {
    /// Returns the incomplete last line of a file. `None` if the file cannot be read, or if another
    /// process is writing that line.
    pub(super) fn of(path: &Path) -> Option<Self> {
        // Opening a pipe for reading would make this process its reader.
        if !fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let mut file = File::open(path).ok()?;
        // Fails if the file is empty.
        let length = file.seek(SeekFrom::End(-1)).ok()? + 1;
        let mut last = [0];
        file.read_exact(&mut last).ok()?;
        if last == *b"\n" {
            return None;
        }
        thread::sleep(SECOND_LOOK);
        Some(Self { file, length }).filter(Self::is_unchanged)
    }

    /// Whether the file has the same length still. Another handler may have ended the line.
    pub(super) fn is_unchanged(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == self.length)
    }
}
