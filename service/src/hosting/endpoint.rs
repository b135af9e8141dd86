//! One loaded model: checks bodies against its input schema and calls it.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ml_model_core::decorators::logging::ReadableFields;
use ml_model_core::{
    BatchRow, Execution, MLModel, PendingCalls, PredictionId, RegisteredModel, Request, Violation,
};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{Body, Parsed};
use super::options::HostingOptions;
use super::outcome::{Failure, Outcome, PendingCall, call};
use super::schema::{Validator, Validity};
use super::shorten::MessageSpace;
use super::slow_calls::SlowCalls;

/// A model with everything that its endpoints need to know of it.
pub(crate) struct Endpoint {
    model: RegisteredModel,
    schema: Validator,
    /// Fields that the record of a refused body can have.
    readable: ReadableFields,
    /// Whether the input has a `prediction_id`.
    takes_prediction_id: bool,
    /// Whether predictions have an id.
    has_prediction_id: bool,
    takes_batches: bool,
    /// The pending calls, unless they run inline.
    pending: Option<Arc<PendingCalls>>,
    permits: Option<Arc<Semaphore>>,
    pub(crate) execution: Execution,
    slow_calls: SlowCalls,
}

/// The concurrency limit of a model is reached.
#[derive(Debug)]
pub(crate) struct Busy;

impl Endpoint {
    /// Prepares `model` for requests. Its calls on the blocking pool are among those of `pending`.
    ///
    /// # Errors
    ///
    /// Fails if the model's input schema is not a valid JSON Schema, with the reason.
    pub(crate) fn new(
        model: RegisteredModel,
        options: HostingOptions,
        pending: &Arc<PendingCalls>,
    ) -> Result<Self, String> {
        let schema = model.input_schema();
        let has_prediction_id = model.stack().has_prediction_id;
        let permits = options.concurrency_limit.map(|limit| Arc::new(Semaphore::new(limit)));
        Ok(Self {
            takes_prediction_id: PredictionId::is_in(&schema),
            has_prediction_id,
            takes_batches: model.takes_batches(),
            pending: (options.execution == Execution::Blocking).then(|| pending.clone()),
            schema: Validator::new(schema.as_value())?,
            readable: ReadableFields::new(&model.stack().logged_fields.input, &schema),
            permits,
            model,
            execution: options.execution,
            slow_calls: SlowCalls::default(),
        })
    }

    /// Returns the qualified name of the model.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        self.model.qualified_name()
    }

    /// Reserves one call, until the permit is dropped.
    ///
    /// # Errors
    ///
    /// Fails if the concurrency limit is reached.
    pub(crate) fn permit(&self) -> Result<Option<OwnedSemaphorePermit>, Busy> {
        let Some(permits) = &self.permits else { return Ok(None) };
        permits.clone().try_acquire_owned().map(Some).map_err(|_| Busy)
    }

    /// Runs a call on this thread and logs a warning if it is slow.
    pub(crate) fn run_inline<T>(&self, call: impl FnOnce() -> T) -> T {
        self.slow_calls.watch(&self.model, call)
    }

    /// Predicts from one body. `header_id` is the prediction id in the headers of the request.
    ///
    /// A body that breaks the schema passes the decorators as well, so that it is recorded under the
    /// id of the outcome. `begin` receives the id before the model is called.
    pub(crate) fn predict(
        &self,
        text: &[u8],
        header_id: Option<Result<PredictionId, Violation>>,
        begin: impl FnOnce(&PredictionId),
    ) -> Outcome<Vec<u8>> {
        let parsed = parse(text);
        let body = parsed.as_ref().map(Parsed::body);
        let request = self.request(body, header_id, &mut MessageSpace::default());
        if let Some(id) = request.prediction_id() {
            begin(id);
        }
        self.call(request)
    }

    /// Predicts from each row of a batch.
    pub(crate) fn predict_batch(
        &self,
        rows: Body<'_>,
        batch_id: &PredictionId,
    ) -> Vec<Outcome<Vec<u8>>> {
        let mut space = MessageSpace::default();
        let requests = rows.items().enumerate().map(|(row, body)| {
            let mut request = self.request(Ok(body), None, &mut space);
            request.context_mut().set_batch_row(BatchRow { batch_id: batch_id.clone(), row });
            request
        });
        if !self.takes_batches {
            return requests.map(|request| self.call(request)).collect();
        }
        let (mut valid, mut pending) = (Vec::new(), Vec::new());
        // An invalid row has an outcome of its own, whether or not the model panics.
        let invalid: Vec<_> = requests
            .map(|request| {
                if !request.violations().is_empty() {
                    return Some(self.call(request));
                }
                pending.push(PendingCall::new(&request));
                valid.push(split(request));
                None
            })
            .collect();
        let (texts, valid): (Vec<_>, Vec<_>) = valid.into_iter().unzip();
        let valid = valid.into_iter().zip(&texts);
        let valid = valid.map(|(request, text)| request.try_map(|()| Ok(&**text))).collect();
        let call_batch = || self.model.call_text_batch(valid);
        let outcomes: Vec<_> = match catch_unwind(AssertUnwindSafe(call_batch)) {
            Ok(results) => {
                let mut results = results.into_iter();
                let finish = |pending: PendingCall| match results.next() {
                    Some(result) => pending.finish(result),
                    None => pending.fail(Failure::MissingRow),
                };
                pending.into_iter().map(finish).collect()
            }
            Err(panic) => {
                self.slow_calls.panicked(&self.model, &*panic);
                pending.into_iter().map(|row| row.fail(Failure::Panic)).collect()
            }
        };
        let mut outcomes = outcomes.into_iter();
        invalid.into_iter().filter_map(|invalid| invalid.or_else(|| outcomes.next())).collect()
    }

    /// Calls the model.
    fn call(&self, request: Request<Cow<'_, str>>) -> Outcome<Vec<u8>> {
        let (text, request) = split(request);
        call(
            request,
            |request| self.model.call_text(request.try_map(|()| Ok(&*text))),
            |panic| self.slow_calls.panicked(&self.model, panic),
        )
    }

    /// Makes a request from a body: with the text that the model reads, or with all violations of the schema.
    /// Its id is that of the body, of the header, or a new one: an id made by the decorator would be unknown
    /// here when the call fails.
    fn request<'b>(
        &self,
        body: Result<Body<'b>, &Violation>,
        header: Option<Result<PredictionId, Violation>>,
        space: &mut MessageSpace,
    ) -> Request<Cow<'b, str>> {
        let (validity, id_of_body) = match body {
            Ok(body) => {
                let id = body.member(PredictionId::FIELD).filter(|_| self.takes_prediction_id);
                (self.schema.check(body, space), id)
            }
            Err(violation) => (Validity::Invalid(vec![violation.clone()]), None),
        };
        let (has_other_integers, mut violations) = match validity {
            Validity::Valid { has_other_integers } => (has_other_integers, Vec::new()),
            Validity::Invalid(violations) => (false, violations),
        };
        // The schema reports an invalid id.
        let of_body = id_of_body.and_then(|id| Some(id.string()?.as_ref().try_into().ok()));
        // An invalid id in the header is an error even if the body has a valid one.
        let of_header = header.and_then(|id| id.map_err(|invalid| violations.push(invalid)).ok());
        let id = of_body.unwrap_or(of_header);
        let id = id.or_else(|| self.has_prediction_id.then(PredictionId::random));
        let mut request = match body {
            Ok(body) if violations.is_empty() => {
                let without = id_of_body.map(|_| PredictionId::FIELD);
                Request::new(body.for_model(without, has_other_integers))
            }
            Ok(body) => {
                let fields = self.readable.read(|path| scalar_at(body, path));
                Request::invalid(violations).with_refused_fields(fields)
            }
            Err(_) => Request::invalid(violations),
        };
        if let Some(id) = id {
            request.context_mut().set_prediction_id(id);
        }
        if let Some(pending) = &self.pending {
            request.context_mut().set_pending(pending.clone());
        }
        request
    }
}

/// Returns the single value at a path of names and indices.
fn scalar_at(mut body: Body<'_>, path: &[String]) -> Option<Value> {
    for segment in path {
        body = match body.is_array() {
            true => body.items().nth(segment.parse().ok()?)?,
            false => body.member(segment)?,
        };
    }
    let is_single = !body.is_array() && !body.is_object();
    is_single.then(|| serde_json::from_str(body.text()).ok()).flatten()
}

/// Parses a body.
///
/// # Errors
///
/// Fails if it is not JSON, with the reason.
pub(crate) fn parse<'t>(body: impl Into<Cow<'t, [u8]>>) -> Result<Parsed<'t>, Violation> {
    let body = body.into();
    let is_blank = body.iter().all(u8::is_ascii_whitespace);
    Parsed::new(body).map_err(|error| {
        let problem = if is_blank {
            "the body is empty, expected JSON".to_owned()
        } else {
            format!("the body is not JSON: {error}")
        };
        Violation::new("", problem)
    })
}

/// Separates the text from its request.
fn split(request: Request<Cow<'_, str>>) -> (Cow<'_, str>, Request<()>) {
    let mut text = Cow::default();
    let request = request.try_map(|input| {
        text = input;
        Ok(())
    });
    (text, request)
}
