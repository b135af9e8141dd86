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
    pub(super) site: &'static CallSite,
    pub(super) head: &'a Head<'a>,
}

/// Maximum number of values for which no memory is allocated.
const INLINE: usize = 32;

impl<'a> Record<'a> {
    /// Writes the record with the values of its fields, in the order of the call site.
    pub fn write(self, fields: &[&dyn Value]) {
        if MAX_HEAD + fields.len() > INLINE {
            self.write_all(fields.iter().copied());
            return;
        }
        let mut values = ArrayVec::<Option<&dyn Value>, INLINE>::new();
        self.head.for_each(|value| values.push(Some(value)));
        for value in fields {
            values.push(Some(*value));
        }
        self.site.dispatch(&values);
    }

    /// Writes the record like [`write`](Self::write), with a number of fields that is known at run time
    /// only.
    pub(super) fn write_all<'f>(self, fields: impl Iterator<Item = &'f dyn Value>)
    where
        'a: 'f,
    {
        let mut values: Vec<Option<&'f dyn Value>> = Vec::new();
        self.head.for_each(|value| values.push(Some(value)));
        values.extend(fields.map(Some));
        self.site.dispatch(&values);
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("site", self.site).finish_non_exhaustive()
    }
}

/// The values of a record before its logged fields.
pub(super) struct Head<'a> {
    pub(super) message: &'static str,
    pub(super) qualified_name: &'a str,
    pub(super) version: &'a str,
    pub(super) prediction_id: Option<&'a str>,
    pub(super) batch_row: Option<(&'a str, usize)>,
    pub(super) sample_rate: Option<f64>,
    /// Status and duration in milliseconds of a call that has ended.
    pub(super) outcome: Option<(&'static str, Option<f64>)>,
}

/// Maximum number of values in a [`Head`].
const MAX_HEAD: usize = 10;

impl Head<'_> {
    /// Calls `push` with each value, in the order of the call site.
    #[inline]
    fn for_each<'v>(&'v self, mut push: impl FnMut(&'v dyn Value)) {
        push(&self.message);
        push(&"predict");
        push(&self.qualified_name);
        push(&self.version);
        if let Some(id) = &self.prediction_id {
            push(id);
        }
        if let Some((batch_id, row)) = &self.batch_row {
            push(batch_id);
            push(row);
        }
        if let Some(rate) = &self.sample_rate {
            push(rate);
        }
        if let Some((status, duration_ms)) = &self.outcome {
            push(status);
            push(duration_ms);
        }
    }
}
