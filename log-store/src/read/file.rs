//! One file, plain or compressed.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Instant, SystemTime};

use flate2::read::MultiGzDecoder;

use super::lines::{Lines, MAX_LINE_BYTES, take_line, take_lines};
use super::position::{HEAD_BYTES, Position};

/// Bytes that are read at once, more than the longest line.
const CHUNK_BYTES: usize = MAX_LINE_BYTES + 1;

/// Identifies a file until it is deleted.
pub(super) type FileId = (u64, u64);

/// A file of the folder, as it was when it was looked at.
pub(super) type Seen = (FileId, u64, Option<SystemTime>);

/// Returns what identifies a file's present content.
pub(super) fn seen(metadata: &Metadata) -> Seen {
    (id(metadata), metadata.len(), metadata.modified().ok())
}

#[cfg(unix)]
pub(super) fn id(metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
pub(super) fn id(metadata: &Metadata) -> FileId {
    use std::time::UNIX_EPOCH;
    // A renamed file keeps its time of creation.
    let age = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    age.map_or((0, 0), |age| (age.as_secs(), u64::from(age.subsec_nanos())))
}

/// An open plain file.
pub(super) struct OpenFile {
    file: File,
    pub(super) id: FileId,
    pub(super) source: usize,
    pub(super) last_progress: Instant,
}

/// Result of a look at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Lines were taken.
    Progress,
    /// There is no complete line.
    Idle,
    /// The content before the position is another one: the file has been truncated.
    Changed,
}

impl OpenFile {
    pub(super) fn new(file: File, id: FileId, source: usize) -> Self {
        Self { file, id, source, last_progress: Instant::now() }
    }

    /// Takes the lines after the position, up to a chunk of them.
    pub(super) fn read<L: Lines>(
        &mut self,
        buffer: &mut Vec<u8>,
        positions: &mut [Position],
        lines: &mut L,
    ) -> Result<Look, L::Error> {
        let Some(known) = self.fill(buffer, &positions[self.source]) else {
            return Ok(Look::Changed);
        };
        let mut taken = take_lines(buffer, known, self.source, positions, lines)?;
        if taken == 0 && buffer.len() - known >= CHUNK_BYTES {
            taken = buffer.len() - known;
            take_line(buffer, taken, self.source, positions, lines)?;
        }
        if taken == 0 {
            return Ok(Look::Idle);
        }
        self.last_progress = Instant::now();
        Ok(Look::Progress)
    }

    /// Takes what is left after the last line break. The file does not grow any more.
    pub(super) fn read_rest<L: Lines>(
        &mut self,
        buffer: &mut Vec<u8>,
        positions: &mut [Position],
        lines: &mut L,
    ) -> Result<(), L::Error> {
        match self.fill(buffer, &positions[self.source]) {
            Some(known) if buffer.len() > known => {
                take_line(buffer, buffer.len() - known, self.source, positions, lines)
            }
            _ => Ok(()),
        }
    }

    /// Reads the bytes after the position, with the known ones before it. Returns the number of the
    /// latter; `None` if they are others.
    fn fill(&mut self, buffer: &mut Vec<u8>, position: &Position) -> Option<usize> {
        let known = position.tail.len();
        buffer.clear();
        self.file.seek(SeekFrom::Start(position.bytes - known as u64)).ok()?;
        let limit = (known + CHUNK_BYTES) as u64;
        // What was read before an error is used; the error comes again.
        let _error = (&mut self.file).take(limit).read_to_end(buffer);
        buffer.starts_with(&position.tail).then_some(known)
    }
}

/// The position that belongs to a file.
pub(super) enum Found {
    /// The file has been read up to the position with this index.
    Known(usize),
    /// The file has not been read. It has these first bytes.
    New(Vec<u8>),
    /// The file is the start of a known one: it is being copied or compressed.
    Incomplete,
}

/// Finds the position of a file by its content. `open` returns the content from the start.
pub(super) fn find_position<R: Read>(
    open: impl Fn() -> io::Result<R>,
    positions: &[Position],
) -> io::Result<Found> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let read = open()?.take(HEAD_BYTES as u64).read_to_end(&mut head);
    if head.is_empty() {
        read?;
        return Ok(Found::Incomplete);
    }
    let mut found: Option<usize> = None;
    let mut is_incomplete = false;
    for (index, position) in positions.iter().enumerate() {
        let common = head.len().min(position.head.len());
        if common == 0 || head[..common] != position.head[..common] {
            continue;
        }
        match tail_matches(open()?, position) {
            Ok(true) => {
                if found.is_none_or(|found| positions[found].bytes < position.bytes) {
                    found = Some(index);
                }
            }
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => is_incomplete = true,
            Err(error) => return Err(error),
        }
    }
    Ok(match found {
        Some(index) => Found::Known(index),
        None if is_incomplete => Found::Incomplete,
        None => Found::New(head),
    })
}

fn tail_matches(mut content: impl Read, position: &Position) -> io::Result<bool> {
    let before = position.bytes - position.tail.len() as u64;
    let skipped = io::copy(&mut (&mut content).take(before), &mut io::sink())?;
    if skipped < before {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut tail = vec![0; position.tail.len()];
    content.read_exact(&mut tail)?;
    Ok(tail == position.tail)
}

/// Returns whether the name of a file is that of a compressed one.
pub(super) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz" || extension == "zst")
}

/// Opens a compressed file.
pub(super) fn decompress(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    Ok(match path.extension() {
        Some(extension) if extension == "zst" => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(MultiGzDecoder::new(io::BufReader::new(file))),
    })
}

/// Takes the lines of a compressed file after its position. Returns an error of the file, after which the
/// lines before it have been taken.
pub(super) fn read_compressed<L: Lines>(
    path: &Path,
    buffer: &mut Vec<u8>,
    source: usize,
    positions: &mut [Position],
    lines: &mut L,
) -> Result<io::Result<()>, L::Error> {
    let position = &positions[source];
    let opened = decompress(path).and_then(|mut content| {
        io::copy(&mut (&mut content).take(position.bytes), &mut io::sink())?;
        Ok(content)
    });
    let mut content = match opened {
        Ok(content) => content,
        Err(error) => return Ok(Err(error)),
    };
    buffer.clear();
    buffer.extend_from_slice(&position.tail);
    let mut known = buffer.len();
    loop {
        let before = buffer.len();
        let read = (&mut content).take(CHUNK_BYTES as u64).read_to_end(buffer);
        let taken = take_lines(buffer, known, source, positions, lines)?;
        let is_end = buffer.len() == before;
        let rest = buffer.len() - known - taken;
        if let Err(error) = read {
            return Ok(Err(error));
        }
        if rest > 0 && (is_end || rest >= CHUNK_BYTES) {
            take_line(buffer, rest, source, positions, lines)?;
        }
        if is_end {
            return Ok(Ok(()));
        }
        // The bytes before the position stay in front, because they become its tail.
        known = positions[source].tail.len();
        let keep = if rest >= CHUNK_BYTES { 0 } else { rest };
        let start = buffer.len() - keep - known;
        buffer.drain(..start);
    }
}
