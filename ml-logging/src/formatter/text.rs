//! Lines of text: as Python's `logging` writes them, and for a terminal.

use std::env;

use super::{asctime::Asctime, json::unknown};
use crate::{
    FormatError, FormatStyle, TimeZone,
    format::{self, Align, Form, Piece},
    layout::{Color, Source, TextLayout, TextPart, source},
};

/// Lines of text from a format string, as `logging.Formatter` of Python writes them. The fields of the
/// event and of the active spans follow as `key=value`.
///
/// Widths, alignments and precisions count here. Control characters are escaped, in the message as
/// well as in fields, so that a record is always one line. A value that is text stands in quotes unless
/// it is a single plain word.
///
/// ```
/// use ml_logging::{FormatStyle, TextFormatter};
///
/// let python = TextFormatter::new("%(asctime)s - %(name)s - %(levelname)-8s - %(message)s")?;
/// let brace = TextFormatter::with_style("{levelname:<8} {message}", FormatStyle::Brace)?;
/// # drop((python, brace));
/// # Ok::<(), ml_logging::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFormatter {
    pieces: Vec<Piece>,
    asctime: Asctime,
}

impl TextFormatter {
    /// Reads a format string with fields such as `%(message)s`.
    ///
    /// Whether something provides each field is known only with the filters, so that is checked
    /// when the logging is built.
    ///
    /// # Errors
    ///
    /// A field that is not closed or has no conversion, or no field at all.
    pub fn new(format: &str) -> Result<Self, FormatError> {
        Self::with_style(format, FormatStyle::Percent)
    }

    /// Reads a format string of another style.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_style(format: &str, style: FormatStyle) -> Result<Self, FormatError> {
        let pieces = format::parse(format, style)?;
        Ok(Self { pieces, asctime: Asctime::new() })
    }

    /// Sets the form of `asctime`, as [`JsonFormatter::date_format`](crate::JsonFormatter::date_format).
    ///
    /// # Errors
    ///
    /// Something after `%` that is no directive.
    pub fn date_format(mut self, format: &str) -> Result<Self, FormatError> {
        self.asctime.set_format(format)?;
        Ok(self)
    }

    /// Sets the time zone of `asctime`; without one it is UTC.
    #[must_use]
    pub fn time_zone(mut self, time_zone: TimeZone) -> Self {
        self.asctime.set_zone(time_zone);
        self
    }

    /// The names of the fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field(field) => Some(field.name.as_str()),
            Piece::Text(_) => None,
        })
    }

    pub(super) fn layout(self, provided: &[(String, String)]) -> Result<TextLayout, FormatError> {
        let asctime = self.asctime.source()?;
        let part = |piece| match piece {
            Piece::Text(text) => Ok(TextPart::Text(text)),
            Piece::Field(field) => match source(&field.name, &asctime, provided) {
                Some(source) => Ok(TextPart::Field { source, form: field.form, color: None }),
                None => Err(unknown(&field, provided)),
            },
        };
        let parts = self.pieces.into_iter().map(part).collect::<Result<_, _>>()?;
        Ok(TextLayout { parts, color: false })
    }
}

/// Lines for people in front of a terminal: time, level, target, message, and the fields as
/// `key=value`.
///
/// Control characters in whatever is logged are escaped, so that nothing can forge a line or drive the
/// terminal. A value that is text stands in quotes unless it is a single plain word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanFormatter {
    color: Option<bool>,
    asctime: Asctime,
}

impl HumanFormatter {
    /// Times in UTC, and colours if the records go to a terminal and the environment variable
    /// `NO_COLOR` is not set or empty.
    pub fn new() -> Self {
        Self { color: None, asctime: Asctime::new() }
    }

    /// Sets whether there are colours.
    #[must_use]
    pub fn color(mut self, wanted: bool) -> Self {
        self.color = Some(wanted);
        self
    }

    /// Sets the form of the time, as [`JsonFormatter::date_format`](crate::JsonFormatter::date_format).
    ///
    /// # Errors
    ///
    /// Something after `%` that is no directive.
    pub fn date_format(mut self, format: &str) -> Result<Self, FormatError> {
        self.asctime.set_format(format)?;
        Ok(self)
    }

    /// Sets the time zone of the time; without one it is UTC.
    #[must_use]
    pub fn time_zone(mut self, time_zone: TimeZone) -> Self {
        self.asctime.set_zone(time_zone);
        self
    }

    pub(super) fn layout(self, is_terminal: bool) -> Result<TextLayout, FormatError> {
        let no_color = || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let field = |source, color| TextPart::Field { source, form: Form::default(), color };
        let blank = || TextPart::Text(" ".to_owned());
        let level = Form { width: 7, align: Align::Left, ..Form::default() };
        let asctime = self.asctime.source()?;
        Ok(TextLayout {
            parts: vec![
                field(asctime, Some(Color::Dim)),
                blank(),
                TextPart::Field {
                    source: Source::LevelName,
                    form: level,
                    color: Some(Color::Level),
                },
                blank(),
                field(Source::Name, Some(Color::Dim)),
                TextPart::Text(": ".to_owned()),
                field(Source::Message, None),
            ],
            color: self.color.unwrap_or_else(|| is_terminal && !no_color()),
        })
    }
}

impl Default for HumanFormatter {
    fn default() -> Self {
        Self::new()
    }
}
