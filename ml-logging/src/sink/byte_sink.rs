//! Byte streams behind a queue.

use std::io::{self, Write};

use super::torn_line::TornLine;

/// Takes the bytes of whole records in order.
pub(crate) trait ByteSink: Send {
    /// Prepares for the next records, given their lengths in bytes. There is at least one.
    ///
    /// # Errors
    ///
    /// There is nothing to write to. The records are lost then.
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> io::Result<Prepared>;

    /// Writes the first part of `bytes`, and returns its length.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    fn flush(&mut self) -> io::Result<()>;

    /// Opens the file again that has the name of this one now.
    ///
    /// # Errors
    ///
    /// No file can be opened. The open one stays in use.
    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Returns the number of failed attempts to rotate the file.
    fn failed_rotations(&self) -> u64 {
        0
    }
}

/// What a byte sink is ready for.
pub(crate) struct Prepared {
    /// Number of records that may be written now.
    pub(crate) records: usize,
    /// The records go to another file than those before.
    pub(crate) is_new_file: bool,
    /// The file ends in the middle of a line. Set only once.
    pub(crate) is_torn: bool,
}

/// Byte sink that never changes its file.
pub(crate) struct Stream<W> {
    pub(super) writer: W,
    /// Limit for one write. A single longer record is written whole.
    pub(super) max_write: usize,
    torn: Option<TornLine>,
}

impl<W> Stream<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self::with(writer, usize::MAX, None)
    }

    pub(super) fn with(writer: W, max_write: usize, torn: Option<TornLine>) -> Self {
        Self { writer, max_write, torn }
    }
}

impl<W: Write + Send> ByteSink for Stream<W> {
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> io::Result<Prepared> {
        let mut left = self.max_write;
        let fits = |length: usize| {
            let rest = left.checked_sub(length);
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        Ok(Prepared {
            records: lengths.map(fits).take_while(|fits| *fits).count().max(1),
            is_new_file: false,
            is_torn: self.torn.take().is_some_and(|torn| torn.is_unchanged()),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
