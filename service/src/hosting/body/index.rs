//! The index of a text that is JSON: where each value and each name begins and ends.

/// One value or one name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Number of entries of this value and the values in it.
    pub(super) count: u32,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    Array,
    /// Followed by a name and a value for each member.
    Object,
}

/// Makes the index of a text that is JSON. `values` is the number of its values and names.
pub(super) fn of(text: &str, values: usize) -> Vec<Entry> {
    let bytes = text.as_bytes();
    let mut entries: Vec<Entry> = Vec::with_capacity(values);
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        let (kind, length) = match byte {
            b'{' => (Kind::Object, 1),
            b'[' => (Kind::Array, 1),
            b'}' | b']' => {
                at += 1;
                if let Some(index) = open.pop() {
                    let count = position(entries.len() - index);
                    let container: &mut Entry = &mut entries[index];
                    (container.end, container.count) = (position(at), count);
                }
                continue;
            }
            b'"' => string(&bytes[at..]),
            b'n' => (Kind::Null, 4),
            b't' => (Kind::Boolean, 4),
            b'f' => (Kind::Boolean, 5),
            b'-' | b'0'..=b'9' => (Kind::Number, number(&bytes[at..])),
            // Space, `,` or `:`.
            _ => {
                at += 1;
                continue;
            }
        };
        if matches!(kind, Kind::Object | Kind::Array) {
            open.push(entries.len());
        }
        at += length;
        entries.push(Entry { start: position(start), end: position(at), count: 1, kind });
    }
    entries
}

/// A position in a text, which [`check`](super::json::check) limits.
fn position(at: usize) -> u32 {
    at.try_into().expect("the text is shorter than 4 GiB")
}

/// Returns the kind and the length of the string at the beginning.
fn string(bytes: &[u8]) -> (Kind, usize) {
    let mut kind = Kind::Plain;
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                kind = Kind::Escaped;
                at += 1;
            }
            _ => {}
        }
    }
    (kind, at)
}

/// Returns the length of the number at the beginning.
fn number(bytes: &[u8]) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    bytes.iter().position(|byte| !is_part(byte)).unwrap_or(bytes.len())
}
