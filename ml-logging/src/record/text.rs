//! Records as lines of text.
//!
//! Every value is rendered as JSON first, by the same code as for JSON records. What is escaped there can neither
//! end a line nor control a terminal here. Text then loses its quotation marks and the backslashes before them.

use std::io::Write as _;

use tracing::{Event, Level, Metadata, field::Field};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::{
    span::SpanFields,
    span_table::SpanTable,
    template::{Slot, write_constant},
    thread_cache::{EventTime, ThreadCache},
};
use crate::format::{Align, Color, FieldFormat, Source, TextLayout, TextPart, escape};

/// Renders an event as a line of text into the thread's cache.
pub(super) fn render<S>(
    layout: &TextLayout,
    cache: &mut ThreadCache,
    event: &Event<'_>,
    metadata: &Metadata<'_>,
    span: Option<(&SpanRef<'_, S>, &SpanTable)>,
) where
    S: for<'a> LookupSpan<'a>,
{
    let ThreadCache { record, span_names, time, .. } = cache;
    record.clear();
    let fields = event.metadata().fields();
    let values = SpanFields::new(|visitor| event.record(visitor));
    let value = |field: &Field| {
        values.values().find(|(index, _)| *index == field.index()).map(|(_, json)| json)
    };
    // Of fields with the same name the last one counts.
    let message = fields.iter().filter(|field| field.name() == "message").last();

    let mut line = Line { out: record, color: layout.color, level: *metadata.level() };
    for part in &layout.parts {
        match part {
            TextPart::Text(text) => escape::escape_controls(line.out, text),
            TextPart::Field { source, format, color } => {
                let mut json = Vec::new();
                match source {
                    Source::Message => {
                        let value = message.as_ref().and_then(value);
                        json.extend_from_slice(value.unwrap_or(b"\"\""));
                    }
                    source => write_context(&mut json, source, metadata, time),
                }
                line.field(&json, format, *color);
            }
        }
    }

    span_names.clear();
    for field in fields.iter() {
        let name = field.name();
        // Records of the `log` crate have their metadata in these fields.
        let is_hidden = name == "message" || (event.is_log() && name.starts_with("log."));
        let mut later = fields.iter().skip(field.index() + 1);
        if is_hidden || later.any(|later| later.name() == name) {
            continue;
        }
        span_names.push(name);
        line.value(name, value(&field).unwrap_or(b"null"));
    }
    let scope = span.map(|(span, table)| span.scope().map(move |span| (span, table)));
    for (span, table) in scope.into_iter().flatten() {
        let fields = span.metadata().fields();
        table.with(&span.id(), |values| {
            for (index, json) in values.values() {
                let mut names = fields.iter().skip(index).map(|field| field.name());
                let Some(name) = names.next() else { continue };
                if !span_names.contains(&name) && !names.any(|later| later == name) {
                    span_names.push(name);
                    line.value(name, json);
                }
            }
        });
    }
    escape_directions(record);
    record.push(b'\n');
}

/// Writes a field of the context as JSON.
fn write_context(
    out: &mut Vec<u8>,
    source: &Source,
    metadata: &Metadata<'_>,
    time: &mut EventTime,
) {
    let times = match source {
        Source::Time(format) => std::slice::from_ref(format),
        _ => &[],
    };
    let mut fill = |slot| time.fill(slot, times, out);
    match source {
        Source::Asctime => fill(Slot::Asctime),
        Source::Time(_) => {
            // The format may contain characters that are escaped.
            fill(Slot::Time(0));
            out.insert(0, b'"');
            out.push(b'"');
        }
        Source::Created => fill(Slot::Created),
        Source::Msecs => fill(Slot::Msecs),
        Source::Thread => fill(Slot::Thread),
        Source::ThreadName => fill(Slot::ThreadName),
        source => write_constant(out, source, metadata),
    }
}

const RESET: &[u8] = b"\x1b[0m";

/// A line of text.
struct Line<'a> {
    out: &'a mut Vec<u8>,
    color: bool,
    level: Level,
}

impl Line<'_> {
    fn start(&mut self, color: Color) {
        if self.color {
            self.out.extend_from_slice(match (color, self.level) {
                (Color::Dim, _) => b"\x1b[2m",
                (Color::Level, Level::ERROR) => b"\x1b[31m",
                (Color::Level, Level::WARN) => b"\x1b[33m",
                (Color::Level, Level::INFO) => b"\x1b[32m",
                (Color::Level, Level::DEBUG) => b"\x1b[34m",
                (Color::Level, Level::TRACE) => b"\x1b[35m",
            });
        }
    }

    fn end(&mut self) {
        if self.color {
            self.out.extend_from_slice(RESET);
        }
    }

    /// Writes a field of the format.
    fn field(&mut self, json: &[u8], format: &FieldFormat, color: Option<Color>) {
        if let Some(color) = color {
            self.start(color);
        }
        if *format == FieldFormat::default() {
            plain(self.out, json);
        } else {
            let mut text = Vec::new();
            plain(&mut text, json);
            // The width includes the escapes.
            escape_directions(&mut text);
            // Rendered text is always UTF-8.
            padded(self.out, &String::from_utf8_lossy(&text), format);
        }
        if color.is_some() {
            self.end();
        }
    }

    /// Writes a field of the event or of a span.
    fn value(&mut self, name: &str, json: &[u8]) {
        self.out.push(b' ');
        self.start(Color::Dim);
        if is_word(name.as_bytes()) {
            self.out.extend_from_slice(name.as_bytes());
        } else {
            escape::string(self.out, name);
        }
        self.out.push(b'=');
        self.end();
        match json {
            [b'"', text @ .., b'"'] if is_word(text) => self.out.extend_from_slice(text),
            json => self.out.extend_from_slice(json),
        }
    }
}

/// Returns whether a text needs no quotation marks.
fn is_word(text: &[u8]) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+@%#".contains(byte) || *byte >= 0x80;
    // Blanks and control characters beyond ASCII.
    let clear = |text: &str| !text.contains(|c: char| c.is_whitespace() || c.is_control());
    !text.is_empty()
        && text.iter().all(plain)
        && (text.is_ascii() || str::from_utf8(text).is_ok_and(clear))
}

/// Writes a JSON value as text: a string loses its quotation marks, and its control characters stay escaped.
fn plain(out: &mut Vec<u8>, json: &[u8]) {
    let [b'"', text @ .., b'"'] = json else {
        return out.extend_from_slice(json);
    };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        match rest[at + 1..] {
            [quoted @ (b'"' | b'\\'), ..] => out.push(quoted),
            [escape, ..] => out.extend_from_slice(&[b'\\', escape]),
            [] => return,
        }
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
}

/// Escapes the characters that make a terminal reorder a line. With them the end of a value could be
/// disguised.
fn escape_directions(line: &mut Vec<u8>) {
    // U+202A..=U+202E and U+2066..=U+2069.
    let is_direction =
        |bytes: &[u8]| matches!(bytes, [0xe2, 0x80, 0xaa..=0xae] | [0xe2, 0x81, 0xa6..=0xa9]);
    if !line.windows(3).any(is_direction) {
        return;
    }
    let text = std::mem::take(line);
    let mut rest = text.as_slice();
    while let Some(at) = rest.windows(3).position(is_direction) {
        line.extend_from_slice(&rest[..at]);
        let code = 0x2000 + (u32::from(rest[at + 1] - 0x80) << 6) + u32::from(rest[at + 2] - 0x80);
        // Writing into memory cannot fail.
        let _ = write!(line, "\\u{code:04x}");
        rest = &rest[at + 3..];
    }
    line.extend_from_slice(rest);
}

/// Writes a text with width, alignment and precision.
fn padded(out: &mut Vec<u8>, text: &str, format: &FieldFormat) {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let text = match (format.kind, number) {
        (Some('d' | 'i'), Some(number)) => format!("{:.0}", number.trunc()),
        (Some('f' | 'F'), Some(number)) => format!("{number:.*}", format.precision.unwrap_or(6)),
        _ => match format.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        },
    };
    let width = format.width;
    // Writing into memory cannot fail.
    let _ = match format.align {
        Align::Left => write!(out, "{text:<width$}"),
        Align::Right => write!(out, "{text:>width$}"),
        Align::Center => write!(out, "{text:^width$}"),
        Align::Zeros => write!(out, "{text:0>width$}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(
        text: &str,
        width: usize,
        align: Align,
        precision: Option<usize>,
        kind: char,
    ) -> String {
        let mut out = Vec::new();
        padded(&mut out, text, &FieldFormat { width, align, precision, kind: Some(kind) });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn widths_and_precisions_follow_python() {
        assert_eq!(form("INFO", 8, Align::Left, None, 's'), "INFO    ");
        assert_eq!(form("é", 3, Align::Right, None, 's'), "  é");
        assert_eq!(form("WARNING", 5, Align::Left, Some(4), 's'), "WARN ");
        assert_eq!(form("x", 4, Align::Center, None, 's'), " x  ");
        assert_eq!(form("7.0", 3, Align::Zeros, None, 'd'), "007");
        assert_eq!(form("1655057385.971234", 0, Align::Right, Some(2), 'f'), "1655057385.97");
        assert_eq!(form("text", 0, Align::Right, None, 'd'), "text");
    }

    #[test]
    fn text_has_no_quotes_and_its_controls_stay_escaped() {
        let text = |json: &str| {
            let mut out = Vec::new();
            plain(&mut out, json.as_bytes());
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(r#""a \"b\" c:\\d \n \u001b é""#), r#"a "b" c:\d \n \u001b é"#);
        assert_eq!(text("1.5"), "1.5");
        assert_eq!(text(r#""""#), "");
    }
}
