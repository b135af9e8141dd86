//! The time as the formatters write it: what they all can be told about it.

use crate::{
    FormatError, TimeZone,
    layout::Source,
    time::{self, TimeFormat},
};

/// The form of `asctime`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asctime {
    format: Option<String>,
    zone: TimeZone,
}

impl Asctime {
    /// Python's form, in UTC.
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

    /// Where it comes from.
    pub(super) fn source(&self) -> Result<Source, FormatError> {
        let format = match &self.format {
            None if self.zone == TimeZone::UTC => return Ok(Source::Asctime),
            None => time::PYTHON,
            Some(format) => format,
        };
        TimeFormat::new(format, self.zone.clone()).map(Source::Time)
    }
}
