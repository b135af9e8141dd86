//! Lines of text, as Python's `logging` writes them and for a terminal.

use std::env;

use super::{
    asctime::Asctime,
    error::FormatError,
    format_string::{Align, FieldFormat, Piece, parse},
    json::unknown,
    layout::{Color, Source, TextLayout, TextPart, source},
    style::FormatStyle,
    time_zone::TimeZone,
};

/// Writes lines of text from a format string, as Python's `logging.Formatter` does. The fields of the event and of
/// the active spans follow as `key=value`.
///
/// Widths, alignments and precisions are applied. Control characters are escaped in the message and in
/// fields, so that a record is always one line. Text values are quoted unless they are a single plain word.
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
    /// Parses a format string with fields such as `%(message)s`.
    ///
    /// Unknown fields are reported when the logging is built, because they depend on the filters.
    ///
    /// # Errors
    ///
    /// A field is not closed or has no conversion, or there is no field.
    pub fn new(format: &str) -> Result<Self, FormatError> {
        Self::with_style(format, FormatStyle::Percent)
    }

    /// Parses a format string of another style.
    ///
    /// # Errors
    ///
    /// Same as [`new`](Self::new).
    pub fn with_style(format: &str, style: FormatStyle) -> Result<Self, FormatError> {
        let pieces = parse(format, style)?;
        let fields = pieces.iter().filter_map(|piece| match piece {
            Piece::Field(field) => Some(field),
            Piece::Text(_) => None,
        });
        for field in fields {
            if field.format.kind.is_some_and(|kind| !"sdiufF".contains(kind)) {
                let problem = "lines of text know the conversions `s`, `d` and `f` only";
                return Err(FormatError::Syntax { column: field.column, problem, style });
            }
        }
        Ok(Self { pieces, asctime: Asctime::new() })
    }

    /// Sets the format of `asctime`, see [`JsonFormatter::date_format`](crate::JsonFormatter::date_format).
    ///
    /// # Errors
    ///
    /// The format has an unknown directive.
    pub fn date_format(mut self, format: &str) -> Result<Self, FormatError> {
        self.asctime.set_format(format)?;
        Ok(self)
    }

    /// Sets the time zone of `asctime`; UTC by default. A name is parsed, as in `"Europe/Berlin".parse()?`.
    #[must_use]
    pub fn time_zone(mut self, time_zone: TimeZone) -> Self {
        self.asctime.set_zone(time_zone);
        self
    }

    /// Returns the names of the fields in order.
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
                Some(source) => Ok(TextPart::Field { source, format: field.format, color: None }),
                None => Err(unknown(&field, provided)),
            },
        };
        let parts = self.pieces.into_iter().map(part).collect::<Result<_, _>>()?;
        Ok(TextLayout { parts, color: false })
    }
}

/// Writes lines for a terminal: time, level, target, message, and the fields as `key=value`.
///
/// Control characters are escaped, so that no value can forge a line or control the terminal. Text values are
/// quoted unless they are a single plain word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanFormatter {
    color: Option<bool>,
    asctime: Asctime,
}

impl HumanFormatter {
    /// Creates the formatter. Times are in UTC. Colors are used if the records go to a terminal and the
    /// environment variable `NO_COLOR` is empty or not set.
    pub fn new() -> Self {
        Self { color: None, asctime: Asctime::new() }
    }

    /// Sets whether colors are used.
    #[must_use]
    pub fn color(mut self, wanted: bool) -> Self {
        self.color = Some(wanted);
        self
    }

    /// Sets the format of the time, see [`JsonFormatter::date_format`](crate::JsonFormatter::date_format).
    ///
    /// # Errors
    ///
    /// The format has an unknown directive.
    pub fn date_format(mut self, format: &str) -> Result<Self, FormatError> {
        self.asctime.set_format(format)?;
        Ok(self)
    }

    /// Sets the time zone of the time; UTC by default. A name is parsed, as in `"Europe/Berlin".parse()?`.
    #[must_use]
    pub fn time_zone(mut self, time_zone: TimeZone) -> Self {
        self.asctime.set_zone(time_zone);
        self
    }

    pub(super) fn layout(self, is_terminal: bool) -> Result<TextLayout, FormatError> {
        let no_color = || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let field =
            |source, color| TextPart::Field { source, format: FieldFormat::default(), color };
        let blank = || TextPart::Text(" ".to_owned());
        let level = FieldFormat { width: 7, align: Align::Left, ..FieldFormat::default() };
        let asctime = self.asctime.source()?;
        Ok(TextLayout {
            parts: vec![
                field(asctime, Some(Color::Dim)),
                blank(),
                TextPart::Field {
                    source: Source::LevelName,
                    format: level,
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
