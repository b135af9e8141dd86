//! Lines of text of `HumanFormatter` and `TextFormatter`.
//!
//! A line is a sequence of parts, most of which are known exactly. Where the documentation does not define whether a
//! text is quoted, both are accepted.

use ml_logging::FormatStyle;

use super::{
    Case,
    expected::{Refusal, created},
    fields::{Expected, context, level, message, of_event, of_spans},
    form::{Align, HumanForm, Part, Spec, TextForm},
    names::BUILT_IN,
    times::{Moments, Times},
};

/// A part of a line.
#[derive(Debug, Clone)]
pub enum Chunk {
    Exact(String),
    OneOf([String; 2]),
    /// A number, and how it is written.
    Float(f64, Spec),
    Time(Times),
    Created,
    /// Milliseconds, as a whole number or with `.0`.
    Msecs(Spec),
    Thread,
}

/// Checks a line.
///
/// # Panics
///
/// The line does not consist of these parts.
pub fn check(line: &str, chunks: &[Chunk], moments: Moments) {
    assert!(!line.contains(turns_direction), "{line:?}");
    assert!(matches(chunks, line, moments), "{line:?} should be {chunks:?} in {moments:?}");
}

/// Removes the colors from a text.
///
/// # Panics
///
/// A color does not end before the next one, or before the end of the line.
pub fn uncoloured(text: &str) -> String {
    let mut uncoloured = String::new();
    let mut is_coloured = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        assert!(!is_coloured || !before.contains('\n'), "the color does not end: {text:?}");
        uncoloured.push_str(before);
        let (code, after) = after.split_once('m').expect("a colour is complete");
        assert!(code.parse::<u8>().is_ok_and(|code| (code == 0) == is_coloured), "{text:?}");
        is_coloured = !is_coloured;
        rest = after;
    }
    assert!(!is_coloured, "the color does not end: {text:?}");
    uncoloured + rest
}

/// The line of `HumanFormatter`: time, level, target, message, fields.
pub fn human(case: &Case, form: &HumanForm) -> Vec<Chunk> {
    let mut chunks = vec![
        Chunk::Time(form.times),
        Chunk::Exact(format!(" {:7} {}: ", level(case).0, shown(&case.target))),
        field(&message_of(case), Spec::Plain, FormatStyle::Percent),
    ];
    add_values(&mut chunks, case);
    chunks
}

/// The line of `TextFormatter`: what the format says, fields.
pub fn formatted(case: &Case, form: &TextForm) -> Vec<Chunk> {
    let style = form.style;
    let chunk = |part: &Part| match part {
        Part::Text(text) => Chunk::Exact(shown(text)),
        Part::Field(name, spec) if name == "message" => field(&message_of(case), *spec, style),
        Part::Field(name, spec) => {
            field(&context(case, name, Some(form.times)).unwrap(), *spec, style)
        }
    };
    let mut chunks: Vec<_> = form.parts.iter().map(chunk).collect();
    add_values(&mut chunks, case);
    chunks
}

/// Returns the possible errors of the form.
pub fn refusals(case: &Case, form: &TextForm) -> Vec<Refusal> {
    let name = |part: &Part| match part {
        Part::Field(name, _) => Some(name.clone()),
        Part::Text(_) => None,
    };
    let is_known = |name: &String| {
        BUILT_IN.contains(&name.as_str()) || case.provided.iter().any(|(own, _)| own == name)
    };
    let unknown = form.parts.iter().filter_map(name).filter(|name| !is_known(name));
    unknown.map(Refusal::Unknown).collect()
}

fn message_of(case: &Case) -> Expected {
    let value = message(case).and_then(Expected::of);
    value.unwrap_or_else(|| Expected::Text(String::new()))
}

/// A field of the format.
fn field(expected: &Expected, spec: Spec, style: FormatStyle) -> Chunk {
    match expected {
        Expected::Raw(text) => Chunk::Exact(written(text, spec, style)),
        Expected::Text(text) => Chunk::Exact(written(&shown(text), spec, style)),
        Expected::Float(number) => Chunk::Float(*number, spec),
        Expected::Time(times) => Chunk::Time(*times),
        Expected::Created => Chunk::Created,
        Expected::Msecs => Chunk::Msecs(spec),
        Expected::Thread => Chunk::Thread,
        Expected::Nanoseconds(_) | Expected::FloatText(_) | Expected::Anything => {
            panic!("text has no {expected:?}")
        }
    }
}

/// The fields of the event and of its spans, as `key=value`.
fn add_values(chunks: &mut Vec<Chunk>, case: &Case) {
    let own = of_event(case, str::to_owned);
    let taken = own.iter().map(|(name, ..)| name.clone()).collect();
    let own = own.into_iter().map(|(name, _, held)| (name, Expected::or_null(held)));
    for (name, value) in own.chain(of_spans(case, taken, str::to_owned, Expected::of)) {
        chunks.extend([Chunk::Exact(" ".to_owned()), word(&name), Chunk::Exact("=".to_owned())]);
        chunks.push(match value {
            Expected::Text(text) => word(&text),
            other => field(&other, Spec::Plain, FormatStyle::Percent),
        });
    }
}

/// A text, in quotes unless it is a single plain word.
fn word(text: &str) -> Chunk {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'\\=".contains(c);
    if !text.is_empty() && text.chars().all(char::is_alphanumeric) {
        Chunk::Exact(text.to_owned())
    } else if text.is_empty() || text.contains(ends) {
        Chunk::Exact(quoted(text))
    } else {
        Chunk::OneOf([shown(text), quoted(text)])
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(&text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Escapes what ends a line, controls a terminal or changes the direction.
fn shown(text: &str) -> String {
    let one = |c: char| match c {
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(c)),
        c if c.is_control() || turns_direction(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

/// Returns whether this is one of Unicode's embeddings, overrides and isolates, or an end of one.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text in the width and with the precision that a format asks for, in characters of the line.
fn written(text: &str, spec: Spec, style: FormatStyle) -> String {
    let (align, fill, width, precision) = match spec {
        Spec::Plain => return text.to_owned(),
        Spec::Number { zeros, width } => (Align::Right, if zeros { '0' } else { ' ' }, width, None),
        // Nothing stands in the middle in this style.
        Spec::Text { align: Align::Centre, width, precision } if style == FormatStyle::Percent => {
            (Align::Right, ' ', width, precision)
        }
        Spec::Text { align, width, precision } => (align, ' ', width, precision),
    };
    let text: String = text.chars().take(precision.unwrap_or(usize::MAX)).collect();
    let missing = width.saturating_sub(text.chars().count());
    let before = match align {
        Align::Left => 0,
        Align::Right => missing,
        Align::Centre => missing / 2,
    };
    let fill = |count: usize| fill.to_string().repeat(count);
    format!("{}{text}{}", fill(before), fill(missing - before))
}

/// Returns whether a text is made of these parts.
fn matches(chunks: &[Chunk], text: &str, moments: Moments) -> bool {
    let Some((chunk, chunks)) = chunks.split_first() else { return text.is_empty() };
    let after =
        |start: &str| text.strip_prefix(start).is_some_and(|rest| matches(chunks, rest, moments));
    match chunk {
        Chunk::Exact(exact) => after(exact),
        Chunk::OneOf(either) => either.iter().any(|one| after(one)),
        chunk => {
            // No time or number is longer than this, and no width wider.
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).take(400);
            let goes_on = |rest: &str| match chunks.first() {
                Some(Chunk::Exact(next)) => rest.starts_with(next),
                Some(_) => true,
                None => rest.is_empty(),
            };
            ends.into_iter().any(|end| {
                let (start, rest) = text.split_at(end);
                let mut moments = moments;
                goes_on(rest) && chunk.is(start, &mut moments) && matches(chunks, rest, moments)
            })
        }
    }
}

impl Chunk {
    fn is(&self, text: &str, moments: &mut Moments) -> bool {
        match self {
            Self::Float(number, spec) => {
                let is_it = |text: &str| {
                    text.parse::<f64>().is_ok_and(|read| read.to_bits() == number.to_bits())
                };
                match spec {
                    Spec::Text { precision: Some(most), width, .. } => {
                        text.chars().count() <= *most.max(width)
                    }
                    Spec::Text { width, .. } => {
                        is_it(text.trim_matches(' ')) && text.len() >= *width
                    }
                    _ => is_it(text),
                }
            }
            Self::Time(times) => times.narrow(text, shown, moments),
            Self::Created => created(text).is_some_and(|moment| moments.narrow(moment, 1)),
            Self::Msecs(spec) => {
                let digits = match spec {
                    Spec::Number { .. } => text.trim_start_matches(' '),
                    _ => text.strip_suffix(".0").unwrap_or(""),
                };
                let number = digits.parse().ok();
                number.is_some_and(|number: u64| {
                    let whole = number.to_string();
                    let exact = match spec {
                        Spec::Number { .. } => written(&whole, *spec, FormatStyle::Brace),
                        _ => format!("{whole}.0"),
                    };
                    text == exact && moments.has_milliseconds(number)
                })
            }
            Self::Thread => text.parse::<u64>().is_ok_and(|number| number > 0),
            Self::Exact(_) | Self::OneOf(_) => false,
        }
    }
}
