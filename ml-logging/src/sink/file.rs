//! Files as byte sinks.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use super::{
    byte_sink::{ByteSink, Stream},
    torn_line::TornLine,
};

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
