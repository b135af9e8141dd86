//! From bytes to lines.

use std::borrow::Cow;

use super::Position;
use crate::record::{Piece, Stream, unwrap};

/// Maximum length of a line. Longer ones are no records.
pub(super) const MAX_LINE_BYTES: usize = 1 << 20;

/// Takes the lines of all sources.
pub(crate) trait Lines {
    /// Reason why a line cannot be taken.
    type Error;

    /// Takes a line of a source. Returns whether it is a record. `positions` are those before the line. A
    /// failure means that the line has not been taken.
    fn take(
        &mut self,
        line: &str,
        runtime_time: Option<&str>,
        source: usize,
        positions: &[Position],
    ) -> Result<bool, Self::Error>;

    /// Notes that the position of a source changes without a line.
    fn note(&mut self, source: usize);
}

/// Takes the complete lines of a source. The first `known` bytes are before the position. Returns how many
/// bytes after them were taken.
pub(super) fn take_lines<L: Lines>(
    bytes: &[u8],
    known: usize,
    source: usize,
    positions: &mut [Position],
    lines: &mut L,
) -> Result<usize, L::Error> {
    let mut at = known;
    while let Some(length) = memchr::memchr(b'\n', &bytes[at..]) {
        let end = at + length + 1;
        take_line(&bytes[..end], length + 1, source, positions, lines)?;
        at = end;
    }
    Ok(at - known)
}

/// Takes one line, the last `length` of the bytes.
pub(super) fn take_line<L: Lines>(
    bytes: &[u8],
    length: usize,
    source: usize,
    positions: &mut [Position],
    lines: &mut L,
) -> Result<(), L::Error> {
    let line = bytes[bytes.len() - length..].trim_ascii();
    let line = &line[..line.len().min(MAX_LINE_BYTES)];
    // The check alone is faster than the conversion.
    let text =
        std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
    if text.is_empty() {
        lines.note(source);
        positions[source].advance(bytes, length);
        return Ok(());
    }
    let is_record = match unwrap(&text) {
        None => Some(lines.take(&text, None, source, positions)?),
        Some(piece) => take_piece(piece, source, positions, lines)?,
    };
    let position = &mut positions[source];
    match is_record {
        Some(true) => position.records += 1,
        Some(false) => position.rejected += 1,
        None => {}
    }
    position.advance(bytes, length);
    Ok(())
}

/// Takes a line that a container runtime has wrapped. Returns `None` if the line goes on.
fn take_piece<L: Lines>(
    piece: Piece<'_>,
    source: usize,
    positions: &mut [Position],
    lines: &mut L,
) -> Result<Option<bool>, L::Error> {
    let stream = match piece.stream {
        Stream::Output => 0,
        Stream::Error => 1,
    };
    let before = &positions[source].pending[stream];
    if !piece.is_last && before.len() < MAX_LINE_BYTES {
        lines.note(source);
        positions[source].pending[stream].push_str(&piece.text);
        return Ok(None);
    }
    let text = match &**before {
        "" => piece.text,
        before => Cow::Owned(format!("{before}{}", piece.text)),
    };
    let is_record = lines.take(&text, Some(&piece.time), source, positions)?;
    positions[source].pending[stream].clear();
    Ok(Some(is_record))
}
