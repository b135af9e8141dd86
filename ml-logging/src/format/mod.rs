//! Formats: the layout of records.
//!
//! A [`Formatter`] is what the user configures. It becomes a [`Layout`], in which every field has found its
//! [`Source`], and from which [`record`](crate::record) renders events. JSON text is written by
//! [`escape`].

mod asctime;
mod built_in;
mod ecs;
mod error;
pub(crate) mod escape;
mod format_string;
mod formatter;
mod json;
mod layout;
pub(crate) mod level;
mod static_value;
mod style;
mod text;
mod time;
mod time_zone;

pub(crate) use self::{
    built_in::{BUILT_IN, python_attribute},
    format_string::{Align, FieldFormat},
    formatter::Layout,
    layout::{Color, JsonLayout, Source, TextLayout, TextPart},
    time::{TimeFormat, TimeTexts},
};
pub use self::{
    ecs::{EcsFormatter, EcsKeys},
    error::FormatError,
    formatter::{Formatter, IntoFormatter},
    json::JsonFormatter,
    static_value::StaticValue,
    style::FormatStyle,
    text::{HumanFormatter, TextFormatter},
    time_zone::TimeZone,
};
