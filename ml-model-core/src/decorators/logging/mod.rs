//! The `logging` decorator.
//!
//! | module | contents |
//! |---|---|
//! | this one | [`LoggingDecorator`], whose code depends on the types of the model |
//! | `call` | one call, which decides when a record is due |
//! | `record` | [`Recorder`], which reads the fields of a record, and the record itself |
//! | `callsites` | the `tracing` call sites of one attribute |
//! | `absent_subscriber` | the reports of records that go nowhere |
//! | `sampling` | which predictions are recorded |
//! | `configured` | a [`Recorder`] [made from a configuration](LoggingOptions) |
//! | `field_tree`, `extract` | read fields by name from serializable values |

mod absent_subscriber;
mod call;
pub(crate) mod callsites;
mod configured;
mod extract;
mod field_tree;
pub(crate) mod record;
mod sampling;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use call::{RecordedCall, write_refused};
use callsites::SiteSet;
use record::Record;

use crate::decorator::Decorator;
use crate::model::{Answer, MLModel, ModelMetadata, StackInfo};
use crate::request::{Prediction, Request};

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
        let Some(sites) = self.recorder.sites().if_possible(request.context()) else {
            return model.call(request);
        };
        // An argument that is passed in memory is in memory on every path. The copy keeps that cost
        // off the path above.
        let request = request.relocated();
        // The metadata is usually borrowed. The compiler then eliminates the other case, and what drops it.
        let result = match model.metadata() {
            Cow::Borrowed(metadata) => self.call_recorded(sites, metadata, model, request),
            Cow::Owned(metadata) => self.call_recorded(sites, &metadata, model, request),
        };
        match result {
            Ok(prediction) => {
                let (output, context) = prediction.into_parts();
                Ok(Prediction::new(output, context))
            }
            Err(error) => Err(error),
        }
    }

    fn call_batch(&self, model: &M, requests: Vec<Request<M::Input>>) -> Vec<Answer<M::Output>> {
        let logs = self.recorder.sites();
        if !requests.iter().any(|request| logs.if_possible(request.context()).is_some()) {
            return model.call_batch(requests);
        }
        let metadata = model.metadata();
        let begin = |request: &Request<M::Input>| {
            let context = request.context();
            RecordedCall::begin(logs, logs.of(context), &metadata, context, &|record| {
                self.write_input::<M>(record, request);
            })
        };
        let calls: Vec<_> = requests.iter().map(begin).collect();
        match catch_unwind(AssertUnwindSafe(|| model.call_batch(requests))) {
            Ok(results) => {
                for (call, result) in calls.iter().zip(&results) {
                    call.end(&metadata, result.as_ref().err(), &|record| {
                        self.write_output::<M>(record, result);
                    });
                }
                results
            }
            Err(panic) => {
                for call in &calls {
                    call.end_with_panic(&metadata, &*panic);
                }
                resume_unwind(panic)
            }
        }
    }

    fn takes_batches(&self) -> bool {
        true
    }

    fn describe(&self, stack: &mut StackInfo) {
        stack.prepend_fields(self.recorder.sites().logged_fields());
    }
}

impl<R> LoggingDecorator<R> {
    #[inline(never)]
    fn call_recorded<M: MLModel>(
        &self,
        sites: &'static SiteSet,
        metadata: &ModelMetadata,
        model: &M,
        request: Request<M::Input>,
    ) -> Answer<M::Output>
    where
        R: Recorder<M>,
    {
        let logs = self.recorder.sites();
        let call = RecordedCall::begin(logs, sites, metadata, request.context(), &|record| {
            self.write_input::<M>(record, &request);
        });
        match catch_unwind(AssertUnwindSafe(|| model.call(request))) {
            Ok(result) => {
                call.end(metadata, result.as_ref().err(), &|record| {
                    self.write_output::<M>(record, &result);
                });
                result
            }
            Err(panic) => {
                call.end_with_panic(metadata, &*panic);
                resume_unwind(panic)
            }
        }
    }

    #[inline]
    fn write_input<M: MLModel>(&self, record: Record<'_>, request: &Request<M::Input>)
    where
        R: Recorder<M>,
    {
        match request.input() {
            Some(input) => self.recorder.requested(record, input),
            None => write_refused(record, self.recorder.sites(), request.refused_fields()),
        }
    }

    #[inline]
    fn write_output<M: MLModel>(&self, record: Record<'_>, result: &Answer<M::Output>)
    where
        R: Recorder<M>,
    {
        if let Ok(prediction) = result {
            self.recorder.created(record, prediction.output());
        }
    }
}
