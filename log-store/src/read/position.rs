//! How far each source has been read.
//!
//! A position identifies its file by content, not by name or inode: the first bytes of the file, and the
//! last bytes before the position. A renamed, copied or compressed file therefore has the position of
//! the original, also after a restart.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Bytes at the start of a source that identify it.
pub(crate) const HEAD_BYTES: usize = 512;
/// Bytes before a position that identify it.
pub(crate) const TAIL_BYTES: usize = 128;

/// A source and how far it has been read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Position {
    pub(crate) id: i64,
    /// The path that the command line or the configuration gives; `-` is standard input.
    pub(crate) path: String,
    /// Bytes read, up to the end of a line. Of a compressed file, decompressed bytes.
    pub(crate) bytes: u64,
    pub(crate) head: Vec<u8>,
    pub(crate) tail: Vec<u8>,
    /// Pieces of lines that a container runtime has split, of its two streams.
    pub(crate) pending: [String; 2],
    /// Lines that were records.
    pub(crate) records: u64,
    /// Lines that were none.
    pub(crate) rejected: u64,
}

impl Position {
    /// Moves the position to the end of a line. `bytes` ends with the line; the bytes before it are those
    /// of the source.
    pub(crate) fn advance(&mut self, bytes: &[u8], line: usize) {
        let start = bytes.len() - line;
        if self.head.len() < HEAD_BYTES {
            // The head may already reach beyond the position.
            let known = (self.head.len() as u64).saturating_sub(self.bytes) as usize;
            let new = &bytes[start + known.min(line)..];
            self.head.extend_from_slice(&new[..new.len().min(HEAD_BYTES - self.head.len())]);
        }
        self.bytes += line as u64;
        self.tail.clear();
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
    }
}

/// Adds the position of a new source, which starts with `head`. Returns its index.
pub(super) fn new_position(positions: &mut Vec<Position>, path: &str, head: Vec<u8>) -> usize {
    // The hasher of the standard library has random keys.
    let id = RandomState::new().build_hasher().finish() as i64;
    positions.push(Position { id, path: path.to_owned(), head, ..Position::default() });
    positions.len() - 1
}
