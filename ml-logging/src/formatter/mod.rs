//! Formatters: what a record looks like.

mod asctime;
mod ecs;
mod json;
mod text;
mod value;

pub use self::{
    ecs::{EcsFormatter, EcsKeys},
    json::JsonFormatter,
    text::{HumanFormatter, TextFormatter},
    value::StaticValue,
};

use crate::{
    ContextFilter as _, Error, HostnameFilter,
    layout::{JsonLayout, TextLayout},
};

/// What the records of a handler look like: one of the formatters, each of which converts into this.
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

/// A formatter that knows where each of its fields comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layout {
    Json(JsonLayout),
    Text(TextLayout),
}

impl Formatter {
    /// Finds a source for each field among those that filters provide. `is_terminal` tells what the
    /// records go to.
    ///
    /// For the default format, which there is without a formatter, and for the Elastic Common Schema
    /// the host's name need not be provided.
    pub(crate) fn layout(
        formatter: Option<Self>,
        mut provided: Vec<(String, String)>,
        is_terminal: bool,
    ) -> Result<Layout, Error> {
        let formatter = formatter.unwrap_or_else(|| JsonFormatter::default().into());
        let provides_hostname = match &formatter {
            Self::Json(formatter) => formatter.is_default(),
            Self::Ecs(_) => true,
            Self::Human(_) | Self::Text(_) => false,
        };
        if provides_hostname && !provided.iter().any(|(name, _)| name == "hostname") {
            provided.extend(HostnameFilter::new().fields());
        }
        check_provided(&provided)?;
        Ok(match formatter {
            Self::Json(formatter) => Layout::Json(formatter.layout(&provided)?),
            Self::Ecs(formatter) => Layout::Json(formatter.layout(&provided)?),
            Self::Human(formatter) => Layout::Text(formatter.layout(is_terminal)?),
            Self::Text(formatter) => Layout::Text(formatter.layout(&provided)?),
        })
    }

    /// Whether it makes JSON, and not lines of text.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Ecs(_))
    }

    /// The fields that filters must provide, unless they are built in.
    pub(crate) fn needs(&self) -> Vec<&str> {
        match self {
            Self::Json(formatter) => formatter.needs().collect(),
            Self::Text(formatter) => formatter.fields().collect(),
            Self::Ecs(_) | Self::Human(_) => Vec::new(),
        }
    }
}

/// Filters must neither provide what is built in nor the same as another one.
fn check_provided(provided: &[(String, String)]) -> Result<(), Error> {
    for (index, (name, _)) in provided.iter().enumerate() {
        if crate::layout::BUILT_IN.contains(&name.as_str()) {
            return Err(Error::BuiltInField(name.clone()));
        }
        if provided[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(Error::FieldProvidedTwice(name.clone()));
        }
    }
    Ok(())
}
