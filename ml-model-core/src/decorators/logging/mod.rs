//! The `logging` decorator.
//!
//! | module | contents |
//! |---|---|
//! | this one | [`LoggingDecorator`], which decides when a record is due |
//! | `record` | [`Recorder`], which reads the fields of a record, and the record itself |
//! | `callsites` | the `tracing` call sites of one attribute |
//! | `absent_subscriber` | the report of a program whose records go nowhere |
//! | `sampling` | which predictions are recorded |
//! | `configured` | a [`Recorder`] [made from a configuration](LoggingOptions) |
//! | `field_tree`, `extract` | read fields by name from serializable values |

mod absent_subscriber;
pub(crate) mod callsites;
mod configured;
mod extract;
mod field_tree;
pub(crate) mod record;
mod sampling;

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use callsites::{LogSites, SiteSet};
use extract::Extracted;
use record::{Record, Subject};

use crate::decorator::Decorator;
use crate::error::error_chain;
use crate::model::{Answer, MLModel, ModelMetadata, StackInfo};
use crate::pending::{Pending, PendingCalls};
use crate::prediction_id::PredictionId;
use crate::request::{BatchRow, Prediction, Request};

pub use crate::logged_field::readable::{ReadableFields, RefusedFields};
pub use crate::logged_field::{FieldError, FieldKind, LoggedField, LoggedFields, RECORD_KEYS};
pub use crate::policy::digest::{HashKeyError, check_hash_key};
pub use crate::policy::{Policy, Width};
pub use configured::{ConfiguredFields, LoggingOptions};
pub use record::Recorder;
pub use sampling::Sampling;

/// Decorator that writes the log records of every prediction.
///
/// A prediction has two records: `Prediction requested.`, then `Prediction created.` or
/// `Prediction exception.` If the model panics, `Prediction exception.` is written before the panic
/// continues to unwind; a program built with `panic = "abort"` ends without that record. Requests with
/// an invalid input have the same records; see [`RefusedFields`] for their input fields.
///
/// With the level off, nothing is read, formatted or allocated. If only errors are enabled, failed
/// predictions are recorded without their duration, because the clock is read only for requests that
/// are recorded.
///
/// With the option `sample` it records a share of the predictions, both records of a prediction or none,
/// and every failure. With `slow` it records every prediction that takes longer, with the level WARN.
/// [`Sampling`] describes them.
#[derive(Clone, Copy, Debug)]
pub struct LoggingDecorator<R> {
    recorder: R,
}

impl<R> LoggingDecorator<R> {
    /// Creates a decorator whose records contain the fields that `recorder` reads.
    #[inline]
    pub fn new(recorder: R) -> Self {
        Self { recorder }
    }
}

impl<M: MLModel, R: Recorder<M>> Decorator<M> for LoggingDecorator<R> {
    #[inline]
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
        if !self.recorder.sites().of(request.context()).is_possible() {
            return model.call(request);
        }
        // An argument that is passed in memory is in memory on every path. The copy keeps that cost
        // off the path above.
        match self.call_recorded(model, request.relocated()) {
            Ok(prediction) => {
                let (output, context) = prediction.into_parts();
                Ok(Prediction::new(output, context))
            }
            Err(error) => Err(error),
        }
    }

    fn call_batch(&self, model: &M, requests: Vec<Request<M::Input>>) -> Vec<Answer<M::Output>> {
        let sites = self.recorder.sites();
        if !requests.iter().any(|request| sites.of(request.context()).is_possible()) {
            return model.call_batch(requests);
        }
        let calls: Vec<Call> =
            requests.iter().map(|request| self.record_request(model, request)).collect();
        match catch_unwind(AssertUnwindSafe(|| model.call_batch(requests))) {
            Ok(results) => {
                for (call, result) in calls.iter().zip(&results) {
                    self.record_result(model, call, result);
                }
                results
            }
            Err(panic) => {
                for call in &calls {
                    self.record_panic(model, call, &*panic);
                }
                resume_unwind(panic)
            }
        }
    }

    fn takes_batches(&self) -> bool {
        true
    }

    fn describe(&self, stack: &mut StackInfo) {
        let inner = mem::replace(&mut stack.logged_fields, self.recorder.sites().logged_fields());
        stack.logged_fields.extend(inner);
    }
}

/// A pending call, with the data that its records need.
struct Call {
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

impl Call {
    /// Returns whether the last record of the call is due: it is not if the call is abandoned.
    #[inline]
    fn end(&self) -> bool {
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
            started: self.started,
            pending: None,
            ..*self
        };
        calls.begin(move |reason| {
            call.record_failure(&metadata, call.duration(), || reason.to_owned());
        })
    }

    #[inline]
    fn with_subject(
        &self,
        metadata: &ModelMetadata,
        sample_rate: Option<f64>,
        record: impl FnOnce(&Subject<'_>),
    ) {
        let batch_row = self.batch_row.as_ref();
        record(&Subject {
            qualified_name: &metadata.qualified_name,
            version: &metadata.version,
            prediction_id: self.prediction_id.as_ref().map(PredictionId::as_str),
            batch_row: batch_row.map(|batch| (batch.batch_id.as_str(), batch.row)),
            sample_rate,
        });
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
            let duration_ms = duration.map(milliseconds);
            self.with_subject(metadata, self.sample_rate(true), |subject| {
                Record::new(site, &"Prediction exception.", subject)
                    .outcome(&"error", &duration_ms)
                    .write([&error_info()]);
            });
        }
    }
}

impl<R> LoggingDecorator<R> {
    #[inline(never)]
    fn call_recorded<M: MLModel>(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output>
    where
        R: Recorder<M>,
    {
        let call = self.record_request(model, &request);
        match catch_unwind(AssertUnwindSafe(|| model.call(request))) {
            Ok(result) => {
                self.record_result(model, &call, &result);
                result
            }
            Err(panic) => {
                self.record_panic(model, &call, &*panic);
                resume_unwind(panic)
            }
        }
    }

    #[inline]
    fn record_request<M: MLModel>(&self, model: &M, request: &Request<M::Input>) -> Call
    where
        R: Recorder<M>,
    {
        let context = request.context();
        let logs = self.recorder.sites();
        let mut call = Call {
            logs,
            sites: logs.of(context),
            is_kept: logs.sampling.keeps(context.prediction_id()),
            prediction_id: context.prediction_id().cloned(),
            batch_row: context.batch_row().cloned().map(Box::new),
            started: None,
            pending: None,
        };
        let site = &call.sites.requested;
        let is_recorded = call.is_kept && site.is_enabled();
        if is_recorded {
            call.with_subject(&model.metadata(), call.sample_rate(false), |subject| {
                let record = Record::new(site, &"Prediction requested.", subject);
                match request.input() {
                    Some(input) => self.recorder.requested(record, input),
                    None => write_refused(record, logs, request.refused_fields()),
                }
            });
        }
        if is_recorded || logs.sampling.needs_clock() {
            call.started = Some(Instant::now());
            if let Some(calls) = context.pending() {
                call.pending = Some(call.add_to(calls, model.metadata().into_owned()));
            }
        }
        call
    }

    #[inline]
    fn record_result<M: MLModel>(&self, model: &M, call: &Call, result: &Answer<M::Output>)
    where
        R: Recorder<M>,
    {
        if !call.end() {
            return;
        }
        let duration = call.duration();
        match result {
            Ok(prediction) => {
                let is_slow = call.logs.sampling.is_slow(duration);
                let site = call.sites.created(is_slow);
                if (call.is_kept || is_slow) && site.is_enabled() {
                    let rate = call.sample_rate(is_slow);
                    let duration_ms = duration.map(milliseconds);
                    call.with_subject(&model.metadata(), rate, |subject| {
                        let record = Record::new(site, &"Prediction created.", subject)
                            .outcome(&"success", &duration_ms);
                        self.recorder.created(record, prediction.output());
                    });
                }
            }
            Err(error) => {
                let error_info = || error_chain(error).to_string();
                call.record_failure(&model.metadata(), duration, error_info);
            }
        }
    }

    fn record_panic<M: MLModel>(&self, model: &M, call: &Call, panic: &(dyn Any + Send)) {
        if call.end() {
            let error_info = || format!("panic: {}", panic_message(panic));
            call.record_failure(&model.metadata(), call.duration(), error_info);
        }
    }
}

/// Writes the record of an input that does not have the model's type, with the fields that could be read.
#[cold]
fn write_refused(record: Record<'_>, logs: &LogSites, fields: Option<&RefusedFields>) {
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
