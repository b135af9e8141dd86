//! The choice between the formatters.

use super::{
    ecs::EcsFormatter,
    error::FormatError,
    json::JsonFormatter,
    layout::{JsonLayout, TextLayout},
    text::{HumanFormatter, TextFormatter},
};

/// Format of a handler's records: one of the formatters, each of which converts into this type.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Formatter {
    /// JSON with the fields of a format string.
    Json(JsonFormatter),
    /// JSON with the names of the Elastic Common Schema.
    Ecs(EcsFormatter),
    /// Lines for a terminal.
    Human(HumanFormatter),
    /// Lines of text with the fields of a format string.
    Text(TextFormatter),
}

impl Default for Formatter {
    /// Returns the default of [`JsonFormatter`].
    fn default() -> Self {
        Self::Json(JsonFormatter::default())
    }
}

impl From<JsonFormatter> for Formatter {
    fn from(formatter: JsonFormatter) -> Self {
        Self::Json(formatter)
    }
}

impl From<EcsFormatter> for Formatter {
    fn from(formatter: EcsFormatter) -> Self {
        Self::Ecs(formatter)
    }
}

impl From<HumanFormatter> for Formatter {
    fn from(formatter: HumanFormatter) -> Self {
        Self::Human(formatter)
    }
}

impl From<TextFormatter> for Formatter {
    fn from(formatter: TextFormatter) -> Self {
        Self::Text(formatter)
    }
}

/// Converts into a [`Formatter`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a formatter",
    label = "expected a formatter, such as a `JsonFormatter`",
    note = "constructors and some settings of formatters return a `Result`: take its value with `?`, as in \
            `JsonFormatter::new(\"%(message)s\")?`"
)]
pub trait IntoFormatter: Into<Formatter> {}

#[diagnostic::do_not_recommend]
impl<F: Into<Formatter>> IntoFormatter for F {}

/// A formatter with a source for each of its fields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layout {
    Json(JsonLayout),
    Text(TextLayout),
}

impl Formatter {
    /// Finds a source for each field. `provided` are the names and values of the context filters;
    /// `is_terminal` tells whether the records go to a terminal.
    pub(crate) fn layout(
        self,
        provided: &[(String, String)],
        is_terminal: bool,
    ) -> Result<Layout, FormatError> {
        Ok(match self {
            Self::Json(formatter) => Layout::Json(formatter.layout(provided)?),
            Self::Ecs(formatter) => Layout::Json(formatter.layout(provided)?),
            Self::Human(formatter) => Layout::Text(formatter.layout(is_terminal)?),
            Self::Text(formatter) => Layout::Text(formatter.layout(provided)?),
        })
    }

    /// Returns whether the format contains the host name without a filter that provides it.
    pub(crate) fn implies_hostname(&self) -> bool {
        match self {
            Self::Json(formatter) => formatter.is_default(),
            Self::Ecs(_) => true,
            Self::Human(_) | Self::Text(_) => false,
        }
    }

    /// Returns whether the records are JSON rather than lines of text.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Ecs(_))
    }

    /// Returns the fields that must be built in or provided by filters.
    pub(crate) fn required_fields(&self) -> Vec<&str> {
        match self {
            Self::Json(formatter) => formatter.required_fields().collect(),
            Self::Text(formatter) => formatter.fields().collect(),
            Self::Ecs(_) | Self::Human(_) => Vec::new(),
        }
    }
}
