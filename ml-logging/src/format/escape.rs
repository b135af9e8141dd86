//! JSON text, written directly into a byte buffer.
//!
//! A record contains only numbers, booleans, strings and `null`, and most strings arrive in fragments
//! through [`fmt::Write`], so that no general serializer is needed. In addition to what JSON requires, all
//! characters are escaped that end a line for some reader or control a terminal: DEL, the C1 controls
//! (U+0085 among them), U+2028 and U+2029.

use std::{error::Error, fmt, fmt::Write as _};

/// Writes a JSON string with its quotation marks.
pub(crate) fn string(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    text(out, value);
}

/// Writes a string without its opening quotation mark, which is written with the key.
#[inline(always)]
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    escape(out, text);
    out.push(b'"');
}

/// Same as [`text`], for format arguments.
#[inline]
pub(crate) fn formatted(out: &mut Vec<u8>, arguments: fmt::Arguments<'_>) {
    // Only the value itself can fail. The text that it has written stays, as valid JSON.
    let _ = Escaped(out).write_fmt(arguments);
    out.push(b'"');
}

/// Same as [`text`], for an error and all its sources: `outer: inner: root`. A source that only repeats the
/// error outside it is left out.
pub(crate) fn error_chain(out: &mut Vec<u8>, error: &(dyn Error + 'static)) {
    let mut shown = out.len();
    let _ = write!(Escaped(out), "{error}");
    let mut source = error.source();
    while let Some(error) = source {
        let end = out.len();
        let _ = write!(Escaped(out), ": {error}");
        let text = end + ": ".len();
        if out[shown..end] == out[text..] {
            out.truncate(end);
        } else {
            shown = text;
        }
        source = error.source();
    }
    out.push(b'"');
}

/// Same as [`text`], for bytes as lower-case hexadecimal digits.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.extend_from_slice(&hex_digits(*byte));
    }
    out.push(b'"');
}

/// Writes an integer of any width as a JSON number.
#[inline]
pub(crate) fn integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a float as the shortest JSON number that reads back as the same float. The floats that JSON lacks
/// are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, as in the JSON of Protocol Buffers. Python, Java
/// and JavaScript parse them.
#[inline]
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    match as_thousandths(value) {
        Some(thousandths) => decimal(out, thousandths),
        None => any_float(out, value),
    }
}

// Not inlined, so that it does not grow the code of the usual float.
#[inline(never)]
fn any_float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(br#""NaN""#);
    } else if value > 0.0 {
        out.extend_from_slice(br#""Infinity""#);
    } else {
        out.extend_from_slice(br#""-Infinity""#);
    }
}

/// Returns the number of thousandths if the value is the float nearest to a whole number of them, as a duration
/// in milliseconds with microseconds is.
#[inline]
fn as_thousandths(value: f64) -> Option<u64> {
    // Excludes NaN and everything with a sign, too, whose bits are greater numbers.
    if value.to_bits() >= 1e9_f64.to_bits() {
        return None;
    }
    // Floats from 2^52 on are integers, so that the sum rounds, and its low bits are the integer.
    const INTEGERS: f64 = (1_u64 << 52) as f64;
    let rounded = value * 1e3 + INTEGERS;
    // The division rounds the exact quotient once, like a parser of the decimal.
    ((rounded - INTEGERS) / 1e3 == value).then_some(rounded.to_bits() - INTEGERS.to_bits())
}

/// Writes a number of thousandths below 10^12 with one to three decimals. Decimals with at most 15 digits are
/// distinct as floats, so that this is the shortest text of the float.
#[inline]
fn decimal(out: &mut Vec<u8>, thousandths: u64) {
    const POINT: usize = 9;
    const LENGTH: usize = POINT + ".000".len();
    // Copied as a block of fixed size, which is faster than a copy of the digits alone.
    let mut text = [b'.'; 2 * LENGTH];
    let (mut whole, mut fraction) = ((thousandths / 1000) as u32, (thousandths % 1000) as u32);
    for position in (POINT + 1..LENGTH).rev() {
        text[position] = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    let zeros = match text[POINT + 1..LENGTH] {
        [_, b'0', b'0'] => 2,
        [.., b'0'] => 1,
        _ => 0,
    };
    let mut start = POINT;
    while start > 0 {
        start -= 1;
        text[start] = b'0' + (whole % 10) as u8;
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    let end = out.len() + LENGTH - start - zeros;
    out.extend_from_slice(&text[start..start + LENGTH]);
    out.truncate(end);
}

/// Same as [`float`], but without the quotation marks of the floats that JSON lacks, so that these differ from
/// text. [`missing_float`] returns their JSON.
pub(crate) fn float_or_word(out: &mut Vec<u8>, value: f64) {
    let start = out.len();
    float(out, value);
    if !value.is_finite() {
        out.pop();
        out.remove(start);
    }
}

/// Returns the JSON of a float that JSON lacks, if the value is one.
pub(crate) fn missing_float(value: &[u8]) -> Option<&'static [u8]> {
    match value {
        b"NaN" => Some(br#""NaN""#),
        b"Infinity" => Some(br#""Infinity""#),
        b"-Infinity" => Some(br#""-Infinity""#),
        _ => None,
    }
}

/// Writes `true` or `false`.
#[inline]
pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Writes `null`.
#[inline]
pub(crate) fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// Writer that escapes every fragment.
pub(crate) struct Escaped<'a>(pub(crate) &'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }

    #[inline]
    fn write_char(&mut self, char: char) -> fmt::Result {
        self.write_str(char.encode_utf8(&mut [0; 4]))
    }
}

/// Class of a byte for escaping.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// Written unchanged.
    Plain,
    /// ASCII character that is escaped.
    Escape,
    /// Lead byte of U+0080..=U+00BF, whose first half are the C1 controls.
    LeadC2,
    /// Lead byte of U+2000..=U+2FFF, which contain the two line separators.
    LeadE2,
}

static CLASS: [Class; 256] = {
    let mut class = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 0x20 {
        class[byte] = Class::Escape;
        byte += 1;
    }
    class[b'"' as usize] = Class::Escape;
    class[b'\\' as usize] = Class::Escape;
    class[0x7f] = Class::Escape;
    class[0xc2] = Class::LeadC2;
    class[0xe2] = Class::LeadE2;
    class
};

/// Writes escaped text without quotation marks.
#[inline(always)]
pub(crate) fn escape(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        escape_each(out, text.as_bytes());
    }
}

/// Writes text in which only characters are escaped that end a line or control a terminal.
pub(crate) fn escape_controls(out: &mut Vec<u8>, text: &str) {
    for part in text.split_inclusive(['"', '\\']) {
        let body = part.trim_end_matches(['"', '\\']);
        escape(out, body);
        out.extend_from_slice(&part.as_bytes()[body.len()..]);
    }
}

fn escape_each(out: &mut Vec<u8>, bytes: &[u8]) {
    // `out` contains everything before `copied`. Everything before `at` has been checked.
    let (mut copied, mut at) = (0, 0);
    loop {
        while bytes[at..].first_chunk::<16>().is_some_and(is_plain_block) {
            at += 16;
        }
        let (code, width) = loop {
            let Some(&byte) = bytes.get(at) else {
                return out.extend_from_slice(&bytes[copied..]);
            };
            match (CLASS[usize::from(byte)], &bytes[at + 1..]) {
                (Class::Escape, _) => break (u16::from(byte), 1),
                (Class::LeadC2, [next @ ..0xa0, ..]) => break (u16::from(*next), 2),
                (Class::LeadE2, [0x80, next @ (0xa8 | 0xa9), ..]) => {
                    break (0x2000 + u16::from(*next) - 0x80, 3);
                }
                _ => at += 1,
            }
        };
        out.extend_from_slice(&bytes[copied..at]);
        push_escape(out, code);
        at += width;
        copied = at;
    }
}

fn push_escape(out: &mut Vec<u8>, code: u16) {
    let short = match code {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0x22 => b'"',
        0x5c => b'\\',
        _ => {
            let [high, low] = code.to_be_bytes();
            out.extend_from_slice(b"\\u");
            out.extend_from_slice(&hex_digits(high));
            out.extend_from_slice(&hex_digits(low));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn hex_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Returns whether the text is ASCII without any escapes.
///
/// The check works on blocks, of which the last overlaps the one before, so that no byte is left over. The
/// compiler turns a block into a few vector instructions.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<16>() {
        bytes.as_chunks::<16>().0.iter().all(is_plain_block) && is_plain_block(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        is_plain_block(first) & is_plain_block(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        is_plain_block(first) & is_plain_block(last)
    } else {
        bytes.iter().all(|byte| is_plain_block(&[*byte]))
    }
}

#[inline(always)]
fn is_plain_block<const N: usize>(block: &[u8; N]) -> bool {
    // Early returns, or one accumulator for all comparisons, would prevent vectorization.
    let any = |special: fn(u8) -> bool| {
        block.iter().fold(0, |found, &byte| found | u8::from(special(byte)))
    };
    any(|byte| byte == b'"') | any(|byte| byte == b'\\') | any(|byte| !(0x20..0x7f).contains(&byte))
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("the writers emit UTF-8")
    }

    /// Returns the output of a function that omits the opening quotation mark.
    fn written_quoted(write: impl FnOnce(&mut Vec<u8>)) -> String {
        written(|out| {
            out.push(b'"');
            write(out);
        })
    }

    #[test]
    fn escapes_are_the_short_ones_where_json_has_them() {
        assert_eq!(
            written(|out| string(out, "a\"\\\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}é/")),
            r#""a\"\\\b\f\n\r\t\u0000\u001f\u007fé/""#
        );
    }

    #[test]
    fn characters_that_end_a_line_or_control_a_terminal_are_escaped() {
        assert_eq!(
            written(|out| string(
                out,
                "\u{80}\u{85}\u{9b}\u{9f}\u{a0}\u{2027}\u{2028}\u{2029}\u{202a}"
            )),
            "\"\\u0080\\u0085\\u009b\\u009f\u{a0}\u{2027}\\u2028\\u2029\u{202a}\""
        );
    }

    #[test]
    fn every_byte_value_is_found_at_every_offset() {
        for code in 0..=0x9f_u8 {
            let special = char::from(code);
            for offset in 0..20 {
                let text = format!("{}{special}tail of the text", "x".repeat(offset));
                let json = written(|out| string(out, &text));
                assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
                assert!(!json.chars().any(char::is_control), "{json:?}");
            }
        }
    }

    #[test]
    fn floats_that_json_lacks_are_strings() {
        assert_eq!(written(|out| float(out, f64::NAN)), r#""NaN""#);
        assert_eq!(written(|out| float(out, f64::INFINITY)), r#""Infinity""#);
        assert_eq!(written(|out| float(out, f64::NEG_INFINITY)), r#""-Infinity""#);
        assert_eq!(written(|out| float(out, -0.0)), "-0.0");
        assert_eq!(written(|out| float(out, 2696.69)), "2696.69");
    }

    #[test]
    fn bytes_are_hexadecimal() {
        assert_eq!(written_quoted(|out| hex(out, &[0x00, 0x0a, 0xff])), r#""000aff""#);
        assert_eq!(written_quoted(|out| hex(out, &[])), r#""""#);
    }

    proptest! {
        #[test]
        fn any_string_reads_back_and_stays_on_its_line(text: String) {
            let json = written(|out| string(out, &text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            let breaks = |c: char| c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c);
            prop_assert!(!json.contains(breaks), "{}", json);
        }

        #[test]
        fn fragments_read_back_as_the_whole(parts: Vec<String>) {
            struct Parts<'a>(&'a [String]);
            impl fmt::Display for Parts<'_> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.iter().try_for_each(|part| f.write_str(part))
                }
            }
            let json = written_quoted(|out| formatted(out, format_args!("{}", Parts(&parts))));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), parts.concat());
        }

        #[test]
        fn a_float_with_few_decimals_has_the_same_text_as_any_other(thousandths in 0..2_000_000_000_000_u64, off in -1..=1_i64) {
            let value = f64::from_bits((thousandths as f64 / 1e3).to_bits().saturating_add_signed(off));
            let expected = zmij::Buffer::new().format(value).to_owned();
            prop_assert_eq!(written(|out| float(out, value)), expected);
        }

        #[test]
        fn any_finite_float_reads_back_to_the_bit(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let json = written(|out| float(out, value));
            prop_assert!(serde_json::from_str::<serde_json::Number>(&json).is_ok(), "{}", json);
            prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), bits);
        }

        #[test]
        fn any_integer_reads_back(value: i128) {
            prop_assert_eq!(written(|out| integer(out, value)), value.to_string());
        }
    }
}
