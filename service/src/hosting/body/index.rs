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

/// The index of a text.
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// Whether the text is certainly JSON. It may not be if it has escapes, exponents, very long numbers or
    /// deep nesting: serde_json decides about these.
    pub(super) is_plain: bool,
}

/// Part of the text that must come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// The first value of an array or the first name of an object, or the end of either.
    First,
    Name,
    Colon,
    /// A comma, or the end of the array or the object.
    More,
}

/// Depth up to which nesting is plain. serde_json's limit is 128.
const PLAIN_DEPTH: usize = 64;

/// Length up to which a number is plain. serde_json refuses those beyond the largest float.
const PLAIN_NUMBER: usize = 64;

/// Makes the index of a text; `None` if the text is not JSON. The text is shorter than 4 GiB.
pub(super) fn of(text: &str) -> Option<Index> {
    let bytes = text.as_bytes();
    let mut entries: Vec<Entry> = Vec::with_capacity(most_entries(bytes));
    let mut open: Vec<usize> = Vec::new();
    let (mut is_plain, mut next) = (true, Next::Value);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        let kind = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b',' if next == Next::More => {
                let is_object = entries[*open.last()?].kind == Kind::Object;
                next = if is_object { Next::Name } else { Next::Value };
                continue;
            }
            b':' if next == Next::Colon => {
                next = Next::Value;
                continue;
            }
            b'}' | b']' if matches!(next, Next::First | Next::More) => {
                let index = open.pop()?;
                let count = position(entries.len() - index);
                let container = &mut entries[index];
                if (container.kind == Kind::Object) != (*byte == b'}') {
                    return None;
                }
                (container.end, container.count) = (position(at), count);
                next = Next::More;
                continue;
            }
            b'"' => {
                let (kind, length) = string(&bytes[start..])?;
                is_plain &= kind == Kind::Plain;
                at = start + length;
                kind
            }
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'n' | b't' | b'f' => {
                let (word, kind) = match byte {
                    b'n' => ("null", Kind::Null),
                    b't' => ("true", Kind::Boolean),
                    _ => ("false", Kind::Boolean),
                };
                bytes[start..].strip_prefix(word.as_bytes())?;
                at = start + word.len();
                kind
            }
            b'-' | b'0'..=b'9' => {
                let length = number(&bytes[start..]);
                is_plain &= is_plain_number(&bytes[start..start + length]);
                at = start + length;
                Kind::Number
            }
            _ => return None,
        };
        let is_string = matches!(kind, Kind::Plain | Kind::Escaped);
        let is_in_object = open.last().is_some_and(|index| entries[*index].kind == Kind::Object);
        next = match next {
            Next::Name if is_string => Next::Colon,
            Next::First if is_in_object && is_string => Next::Colon,
            Next::First if is_in_object => return None,
            Next::Value | Next::First if matches!(kind, Kind::Object | Kind::Array) => {
                open.push(entries.len());
                is_plain &= open.len() <= PLAIN_DEPTH;
                Next::First
            }
            Next::Value | Next::First => Next::More,
            Next::Name | Next::Colon | Next::More => return None,
        };
        entries.push(Entry { start: position(start), end: position(at), count: 1, kind });
    }
    (open.is_empty() && next == Next::More).then_some(Index { entries, is_plain })
}

/// Returns an upper bound of the number of values and names: each but the first one follows a bracket, a
/// comma or a colon.
fn most_entries(bytes: &[u8]) -> usize {
    1 + bytes.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',' | b':')).count()
}

fn position(at: usize) -> u32 {
    at.try_into().expect("the text is shorter than 4 GiB")
}

/// Returns the kind and the length of the string at the beginning; `None` if it has no end.
fn string(bytes: &[u8]) -> Option<(Kind, usize)> {
    let mut kind = Kind::Plain;
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some((kind, at + 1)),
            b'\\' => {
                kind = Kind::Escaped;
                at += 2;
            }
            0..b' ' => return None,
            _ => at += 1,
        }
    }
}

/// Returns the length of the number at the beginning.
fn number(bytes: &[u8]) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    bytes.iter().position(|byte| !is_part(byte)).unwrap_or(bytes.len())
}

/// Returns whether a number is short, valid and without an exponent.
fn is_plain_number(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let whole = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let has_leading_zero = digits.first() == Some(&b'0') && whole > 1;
    let is_rest_plain = match &digits[whole..] {
        [] => true,
        [b'.', fraction @ ..] => !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    whole > 0 && !has_leading_zero && is_rest_plain && number.len() <= PLAIN_NUMBER
}
