//! The members of a JSON object. Values stay the text that the logger wrote.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess};
use serde_json::value::RawValue;

/// Members of a JSON object in their order: names, and values as JSON text.
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Members<'a> {
    /// Reads an object; `None` if the text is anything else.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        if let Some(members) = plain_members(text) {
            return Some(Self(members));
        }
        // Most lines that are no records are rejected here, without an error to format.
        text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok())?
    }

    /// Returns the value of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }
}

/// Reads an object as loggers write most of them: without white space between members, escapes, and nested
/// values. Returns `None` for every other text. Several times faster than the parser.
fn plain_members(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let bytes = text.as_bytes();
    let mut members = Vec::with_capacity(24);
    // The place of the comma before the member, or of the brace.
    let mut at = 0;
    // Not `any`, so that many bytes are compared at once.
    let has_escapes =
        bytes.iter().fold(false, |found, byte| found | (*byte < b' ') | (*byte == b'\\'));
    if has_escapes || bytes.first() != Some(&b'{') {
        return None;
    }
    loop {
        let name = at + 1;
        let name_end = plain_string_end(bytes, name)?;
        let value = name_end + 1;
        if bytes.get(name_end) != Some(&b':') {
            return None;
        }
        at = match plain_string_end(bytes, value) {
            Some(end) => end,
            None => value + scalar_length(bytes.get(value..)?)?,
        };
        members.push((Cow::Borrowed(text.get(name + 1..name_end - 1)?), text.get(value..at)?));
        match bytes.get(at)? {
            b',' => {}
            b'}' if at + 1 == bytes.len() => return Some(members),
            _ => return None,
        }
    }
}

/// Returns the end, after the closing quote, of the string that begins at `start`, in a text without escapes.
fn plain_string_end(text: &[u8], start: usize) -> Option<usize> {
    if text.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    // Eight bytes at once: most strings are too short for `memchr`.
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let difference = u64::from_le_bytes(*word) ^ u64::from_le_bytes([b'"'; 8]);
        // The highest bit of each byte that is zero. Bytes behind the first one may be wrong.
        let zeros = difference.wrapping_sub(u64::from_le_bytes([0x01; 8]))
            & !difference
            & u64::from_le_bytes([0x80; 8]);
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8 + 1);
        }
        at += 8;
    }
    let rest = text.get(at..)?.iter().position(|byte| *byte == b'"')?;
    Some(at + rest + 1)
}

/// Returns the length of the number, `true`, `false` or `null` at the start of the text.
fn scalar_length(text: &[u8]) -> Option<usize> {
    let length = text.iter().position(|byte| matches!(byte, b',' | b'}'))?;
    is_scalar(&text[..length]).then_some(length)
}

/// Returns whether the text is a number, `true`, `false` or `null`.
fn is_scalar(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> Option<&[u8]> {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then(|| &text[count..])
    }
    fn number(text: &[u8]) -> Option<&[u8]> {
        let text = text.strip_prefix(b"-").unwrap_or(text);
        let mut rest = text.strip_prefix(b"0").or_else(|| digits(text))?;
        if let Some(fraction) = rest.strip_prefix(b".") {
            rest = digits(fraction)?;
        }
        if let Some((b'e' | b'E', exponent)) = rest.split_first() {
            let sign = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+"));
            rest = digits(sign.unwrap_or(exponent))?;
        }
        Some(rest)
    }
    number(text).is_some_and(<[u8]>::is_empty) || matches!(text, b"true" | b"false" | b"null")
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(24);
                while let Some(Name(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    members.push((name, value.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Returns the text of a JSON string; `None` for other values.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(value).ok().map(Cow::Owned)
}

/// Appends a member to the text of an object that has not been closed: `{"age":65`.
#[expect(clippy::ptr_arg, reason = "a borrowed name needs no escapes")]
pub(crate) fn write_member(object: &mut String, name: &Cow<'_, str>, value: &str) {
    let escaped;
    let name = match name {
        // Borrowed from JSON, in which it had no escapes.
        Cow::Borrowed(name) => *name,
        Cow::Owned(name) => {
            escaped = serde_json::Value::from(name.as_str()).to_string();
            &escaped[1..escaped.len() - 1]
        }
    };
    let start = if object.is_empty() { "{\"" } else { ",\"" };
    for part in [start, name, "\":", value] {
        object.push_str(part);
    }
}

/// Iterates over the members of an object that [`write_member`] wrote. Names are JSON text without
/// their quotes. Faster than a parser, because the text is known to be valid.
pub(crate) fn written_members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = object;
    std::iter::from_fn(move || {
        // `{` before the first member, `,` before the others, `}` at the end.
        let name = rest.get(1..).filter(|name| name.starts_with('"'))?;
        let name_end = string_end(name.as_bytes());
        let value = name.get(name_end + 1..)?;
        let value_end = value_end(value.as_bytes());
        rest = &value[value_end..];
        Some((&name[1..name_end - 1], &value[..value_end]))
    })
}

/// Returns the end of the string at the start of the text, after its closing quote.
fn string_end(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// Returns the end of the value at the start of the text.
fn value_end(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string_end(&text[at..]);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b',' | b'}' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of objects, right and wrong.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => proptest::sample::select(vec![
                "\"age\":65", "\"a\":\"b\"", "\"\":\"ü{,}\"", "\"x\":null", "\"x\":true", "\"x\":-1.5e+7", ",", ",", ",",
            ]).prop_map(str::to_owned),
            1 => proptest::sample::select(vec![
                "{", "}", "[1]", "{\"a\":1}", "\\\"", "\"", ":", " ", "\n", "01", "1.", "-", "+1", "1e", "nul", "\u{1}",
            ]).prop_map(str::to_owned),
            1 => "[-+0-9.eE]{1,5}".prop_map(|number| format!("\"n\":{number}")),
        ];
        prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn plain_objects_are_read_as_the_parser_reads_them(inner in pieces()) {
            let text = format!("{{{inner}}}");
            if let Some(members) = plain_members(&text) {
                let Members(parsed) = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(members, parsed);
            }
        }
    }

    #[test]
    fn records_of_common_loggers_are_plain() {
        let text = r#"{"asctime":"2026-11-24T00:00:00.000Z","process":3102,"bmi":-4.28e+1,"age":null,"x":0}"#;
        let members: Vec<_> = plain_members(text).unwrap();
        assert_eq!(
            members.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            ["\"2026-11-24T00:00:00.000Z\"", "3102", "-4.28e+1", "null", "0",]
        );
    }

    #[test]
    fn written_members_are_read_as_they_were_written() {
        let members = [
            ("age", "65"),
            ("quoted \" name", r#""a \" b, \\""#),
            ("nested", r#"{"x":[1,{"y":"}"}],"age":1}"#),
            ("empty", "\"\""),
            ("null", "null"),
        ];
        let mut object = String::new();
        for (name, value) in members {
            write_member(&mut object, &Cow::Owned(name.to_owned()), value);
        }
        for text in [object.clone(), object + "}"] {
            let read: Vec<_> = written_members(&text).collect();
            let names = ["age", r#"quoted \" name"#, "nested", "empty", "null"];
            assert_eq!(
                read,
                names.into_iter().zip(members.map(|(_, value)| value)).collect::<Vec<_>>()
            );
        }
        assert_eq!(written_members("").count(), 0);
    }
}
