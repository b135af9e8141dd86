//! One record, with the values for the fields of a call site.

use std::fmt;

use arrayvec::ArrayVec;
use tracing::Value;

use super::callsites::{CallSite, LogSites};
use crate::model::MLModel;

/// Reads the logged fields of a model. `#[decorate(logging(...))]` generates an implementation.
pub trait Recorder<M: MLModel>: Send + Sync {
    /// Returns the `tracing` call sites of the records.
    fn sites(&self) -> &'static LogSites;

    /// Writes the record of a request with its input fields.
    fn requested(&self, record: Record<'_>, input: &M::Input);

    /// Writes the record of a prediction with its output fields.
    fn created(&self, record: Record<'_>, output: &M::Output);
}

/// A record with a complete head and without its logged fields.
pub struct Record<'a> {
    site: &'static CallSite,
    head: ArrayVec<Option<&'a (dyn Value + 'a)>, HEAD>,
}

/// Maximum number of values before the logged fields: message, action, model name and version,
/// prediction id, batch id and row, sample rate, status and duration.
const HEAD: usize = 10;
/// Maximum number of values for which no memory is allocated.
const INLINE: usize = 32;

impl<'a> Record<'a> {
    #[inline]
    pub(super) fn new(
        site: &'static CallSite,
        message: &'a &'a str,
        subject: &'a Subject<'a>,
    ) -> Self {
        let mut record = Self { site, head: ArrayVec::new() };
        record.push(message);
        record.push(&"predict");
        record.push(&subject.qualified_name);
        record.push(&subject.version);
        if let Some(id) = &subject.prediction_id {
            record.push(id);
        }
        if let Some((batch_id, row)) = &subject.batch_row {
            record.push(batch_id);
            record.push(row);
        }
        if let Some(rate) = &subject.sample_rate {
            record.push(rate);
        }
        record
    }

    #[inline]
    fn push(&mut self, value: &'a dyn Value) {
        self.head.push(Some(value));
    }

    #[inline]
    pub(super) fn outcome(mut self, status: &'a &'a str, duration_ms: &'a Option<f64>) -> Self {
        self.push(status);
        self.push(duration_ms);
        self
    }

    /// Writes the record with the values of its fields, in the order of the call site.
    #[inline]
    pub fn write<const N: usize>(self, fields: [&dyn Value; N]) {
        self.write_fields(&fields.map(Some));
    }

    // One instance for all models.
    fn write_fields(self, fields: &[Option<&dyn Value>]) {
        let mut values = ArrayVec::<_, INLINE>::new();
        let is_inline = values.try_extend_from_slice(&self.head).is_ok()
            && values.try_extend_from_slice(fields).is_ok();
        if is_inline {
            self.site.dispatch(&values);
        } else {
            self.site.dispatch(&[&self.head, fields].concat());
        }
    }

    /// Writes the record like [`write`](Self::write), with a number of fields that is known at run time
    /// only.
    pub(super) fn write_all<'f>(self, fields: impl Iterator<Item = &'f dyn Value>)
    where
        'a: 'f,
    {
        let mut values: Vec<Option<&'f dyn Value>> = self.head.to_vec();
        values.extend(fields.map(Some));
        self.site.dispatch(&values);
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("site", self.site).finish_non_exhaustive()
    }
}

/// Description of the prediction in the head of a record.
pub(super) struct Subject<'a> {
    pub(super) qualified_name: &'a str,
    pub(super) version: &'a str,
    pub(super) prediction_id: Option<&'a str>,
    pub(super) batch_row: Option<(&'a str, usize)>,
    pub(super) sample_rate: Option<f64>,
}
