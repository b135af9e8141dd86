//! Settings of `asctime`, which all formatters have in common.

use super::{
    error::FormatError,
    layout::Source,
    time::{PYTHON, TimeFormat},
    time_zone::TimeZone,
};

/// Format and time zone of `asctime`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asctime {
    format: Option<String>,
    zone: TimeZone,
}

impl Asctime {
    /// Returns Python's format, in UTC.
    pub(super) fn new() -> Self {
        Self { format: None, zone: TimeZone::UTC }
    }

    pub(super) fn set_format(&mut self, format: &str) -> Result<(), FormatError> {
        TimeFormat::new(format, TimeZone::UTC)?;
        self.format = Some(format.to_owned());
        Ok(())
    }

    pub(super) fn set_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    pub(super) fn source(&self) -> Result<Source, FormatError> {
        let format = match &self.format {
            None if self.zone == TimeZone::UTC => return Ok(Source::Asctime),
            None => PYTHON,
            Some(format) => format,
        };
        TimeFormat::new(format, self.zone.clone()).map(Source::Time)
    }
}
