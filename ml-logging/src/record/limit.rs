//! Limit for the length of a record.
//!
//! A record is rendered whole. If it is longer than the limit, its longest values are cut, so that records below the
//! limit cost one comparison.

use std::{io::Write as _, ops::Range};

/// Values of up to this length are not cut. It is more than the length of any mark.
const MIN_VALUE: usize = 64;

/// Cuts the longest strings of a JSON record at their ends, so that the record is as long as the limit allows. Keys,
/// numbers and short strings stay whole, even if the record is then longer.
#[cold]
pub(super) fn cut_json(record: &mut Vec<u8>, limit: usize) {
    let values = string_values(record);
    let max = max_length(&values, record.len().saturating_sub(limit)).max(MIN_VALUE);
    let mut out = Vec::with_capacity(record.len().min(limit));
    let mut copied = 0;
    for value in values {
        if value.len() > max {
            out.extend_from_slice(&record[copied..value.start]);
            cut(&mut out, &record[value.clone()], max);
            copied = value.end;
        }
    }
    out.extend_from_slice(&record[copied..]);
    *record = out;
}

/// Cuts a line of text at its end.
#[cold]
pub(super) fn cut_line(record: &mut Vec<u8>, limit: usize) {
    let mut out = Vec::with_capacity(limit);
    let line = record.strip_suffix(b"\n").unwrap_or(record);
    cut(&mut out, line, limit.saturating_sub(1).max(MIN_VALUE));
    out.push(b'\n');
    *record = out;
}

/// Writes the start of a text and a mark with the number of bytes left out, in `max` bytes or a few less.
fn cut(out: &mut Vec<u8>, text: &[u8], max: usize) {
    // The mark is shorter with the final number, which is at most this one.
    let mark = mark(text.len());
    let end = boundary(text, max.saturating_sub(mark.len()));
    out.extend_from_slice(&text[..end]);
    out.extend_from_slice(&self::mark(text.len() - end));
}

fn mark(bytes: usize) -> Vec<u8> {
    let mut mark = Vec::new();
    // Writing into a vector cannot fail.
    let _ = write!(mark, "… [{bytes} bytes cut]");
    mark
}

/// Returns the last position up to `max` that is inside neither a character nor an escape sequence.
fn boundary(text: &[u8], max: usize) -> usize {
    let mut end = 0;
    while let Some(&first) = text.get(end) {
        let width = match (first, text.get(end + 1)) {
            (b'\\', Some(b'u')) => r"\u0000".len(),
            (b'\\', _) => r"\n".len(),
            (..0xc0, _) => 1,
            (..0xe0, _) => 2,
            (..0xf0, _) => 3,
            _ => 4,
        };
        if end + width > max {
            break;
        }
        end += width;
    }
    end
}

/// Returns the length to which the longest values must be cut, so that `excess` bytes are left out.
fn max_length(values: &[Range<usize>], excess: usize) -> usize {
    let mut lengths: Vec<_> = values.iter().map(Range::len).collect();
    lengths.sort_unstable_by(|left, right| right.cmp(left));
    let mut sum = 0;
    for (index, length) in lengths.iter().enumerate() {
        sum += length;
        let max = sum.saturating_sub(excess) / (index + 1);
        if max >= lengths.get(index + 1).copied().unwrap_or(0) {
            return max;
        }
    }
    0
}

/// Returns the strings of a JSON object that are values, without their quotation marks.
fn string_values(record: &[u8]) -> Vec<Range<usize>> {
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(quote) = record[at..].iter().position(|byte| *byte == b'"') {
        let start = at + quote + 1;
        let mut end = start;
        while let Some(byte) = record.get(end)
            && *byte != b'"'
        {
            end += if *byte == b'\\' { 2 } else { 1 };
        }
        let end = end.min(record.len());
        at = (end + 1).min(record.len());
        if record.get(at) != Some(&b':') {
            values.push(start..end);
        }
    }
    values
}
