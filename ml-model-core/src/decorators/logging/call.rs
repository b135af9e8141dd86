//! One recorded call. Nothing here depends on the types of a model, so that it is compiled once and not for
//! each model.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callsites::{CallSite, LogSites, SiteSet};
use super::extract::{self, Extracted};
use super::record::{Head, Record};
use crate::error::{PredictionError, error_chain};
use crate::logged_field::LoggedField;
use crate::logged_field::readable::RefusedFields;
use crate::model::ModelMetadata;
use crate::pending::{Pending, PendingCalls};
use crate::prediction_id::PredictionId;
use crate::request::{BatchRow, Context};

/// A pending call, with the data that its records need.
pub(super) struct RecordedCall {
    logs: &'static LogSites,
    sites: &'static SiteSet,
    /// Whether its records are written even if it is neither slow nor fails.
    is_kept: bool,
    prediction_id: Option<PredictionId>,
    // Boxed, because most calls are not part of a batch and move a null pointer.
    batch_row: Option<Box<BatchRow>>,
    /// `None` if the request was not recorded and the logger is not sampled.
    started: Option<Instant>,
    /// The entry of the call among the pending ones.
    pending: Option<Pending>,
}

impl RecordedCall {
    /// Writes the first record of a call, with the input fields that `write_input` adds.
    #[inline(never)]
    pub(super) fn begin(
        logs: &'static LogSites,
        sites: &'static SiteSet,
        metadata: &ModelMetadata,
        context: &Context,
        write_input: &dyn Fn(Record<'_>),
    ) -> Self {
        let mut call = Self {
            logs,
            sites,
            is_kept: logs.sampling.keeps(context.prediction_id()),
            prediction_id: context.prediction_id().cloned(),
            batch_row: context.batch_row().cloned().map(Box::new),
            started: None,
            pending: None,
        };
        let site = &sites.requested;
        let is_recorded = call.is_kept && site.is_enabled();
        if is_recorded {
            let rate = call.sample_rate(false);
            call.write(site, "Prediction requested.", metadata, rate, None, write_input);
        }
        if is_recorded || logs.sampling.needs_clock() {
            call.started = Some(Instant::now());
            if let Some(calls) = context.pending() {
                call.pending = Some(call.add_to(calls, metadata.clone()));
            }
        }
        call
    }

    /// Writes the last record of a call that has returned an error, or an output whose fields
    /// `write_output` adds.
    #[inline(never)]
    pub(super) fn end(
        &self,
        metadata: &ModelMetadata,
        error: Option<&PredictionError>,
        write_output: &dyn Fn(Record<'_>),
    ) {
        if !self.is_due() {
            return;
        }
        let duration = self.duration();
        if let Some(error) = error {
            self.record_failure(metadata, duration, || error_chain(error).to_string());
            return;
        }
        let is_slow = self.logs.sampling.is_slow(duration);
        let site = self.sites.created(is_slow);
        if (self.is_kept || is_slow) && site.is_enabled() {
            let outcome = Some(("success", duration.map(milliseconds)));
            let rate = self.sample_rate(is_slow);
            self.write(site, "Prediction created.", metadata, rate, outcome, write_output);
        }
    }

    /// Writes the last record of a call that has panicked.
    #[cold]
    pub(super) fn end_with_panic(&self, metadata: &ModelMetadata, panic: &(dyn Any + Send)) {
        if self.is_due() {
            let error_info = || format!("panic: {}", panic_message(panic));
            self.record_failure(metadata, self.duration(), error_info);
        }
    }

    #[cold]
    fn record_failure(
        &self,
        metadata: &ModelMetadata,
        duration: Option<Duration>,
        error_info: impl FnOnce() -> String,
    ) {
        let site = &self.sites.failed;
        if site.is_enabled() {
            let outcome = Some(("error", duration.map(milliseconds)));
            let error_info = error_info();
            let rate = self.sample_rate(true);
            self.write(site, "Prediction exception.", metadata, rate, outcome, &|record| {
                record.write(&[&error_info]);
            });
        }
    }

    #[inline]
    fn write(
        &self,
        site: &'static CallSite,
        message: &'static str,
        metadata: &ModelMetadata,
        sample_rate: Option<f64>,
        outcome: Option<(&'static str, Option<f64>)>,
        write_fields: &dyn Fn(Record<'_>),
    ) {
        let head = Head {
            message,
            qualified_name: &metadata.qualified_name,
            version: &metadata.version,
            prediction_id: self.prediction_id.as_ref().map(PredictionId::as_str),
            batch_row: self.batch_row.as_ref().map(|batch| (batch.batch_id.as_str(), batch.row)),
            sample_rate,
            outcome,
        };
        write_fields(Record { site, head: &head });
    }

    /// Returns whether the last record of the call is due: it is not if the call is abandoned.
    #[inline]
    fn is_due(&self) -> bool {
        self.pending.as_ref().is_none_or(Pending::end)
    }

    #[inline]
    fn sample_rate(&self, is_always_kept: bool) -> Option<f64> {
        self.logs.sampling.rate(is_always_kept || self.prediction_id.is_none())
    }

    fn duration(&self) -> Option<Duration> {
        self.started.map(|started| started.elapsed())
    }

    /// Adds the call to the pending ones.
    #[cold]
    fn add_to(&self, calls: &Arc<PendingCalls>, metadata: ModelMetadata) -> Pending {
        let call = Self {
            prediction_id: self.prediction_id.clone(),
            batch_row: self.batch_row.clone(),
            pending: None,
            ..*self
        };
        calls.begin(move |reason| {
            call.record_failure(&metadata, call.duration(), || reason.to_owned());
        })
    }
}

/// Writes the record of an input that does not have the model's type, with the fields that could be read.
#[cold]
pub(super) fn write_refused(record: Record<'_>, logs: &LogSites, fields: Option<&RefusedFields>) {
    let value = |field: &LoggedField| match fields.and_then(|fields| fields.get(field)) {
        Some(value) => extract::single(value, field.policy()),
        None => Extracted::Null,
    };
    let values: Vec<_> = logs.logged_fields().input.iter().map(value).collect();
    record.write_all(values.iter().map(Extracted::value));
}

/// Converts to milliseconds with microsecond precision, so that no digit in the log is noise.
fn milliseconds(duration: Duration) -> f64 {
    // An `f64` of a `u64` is faster than one of a `u128`.
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX) as f64 / 1e3
}

/// Returns the message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}
