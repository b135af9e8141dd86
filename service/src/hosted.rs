//! One model behind its endpoints.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use ml_model_core::{
    Answer, BatchRow, MLModel, PredictionError, PredictionId, RegisteredModel, Request, Violation,
};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::{Body, Parsed};
use crate::configuration::Handling;
use crate::pace::Pace;
use crate::response::{ErrorResponse, messages};
use crate::validation::InputSchema;

/// Header that carries the prediction id, both ways.
pub(crate) static PREDICTION_ID_HEADER: HeaderName = HeaderName::from_static("x-prediction-id");

/// A model and what its endpoints need to know of it.
pub(crate) struct HostedModel {
    model: RegisteredModel,
    schema: InputSchema,
    /// Whether a body may have one.
    takes_prediction_id: bool,
    /// Whether its predictions have one.
    has_prediction_id: bool,
    takes_batches: bool,
    permits: Option<Arc<Semaphore>>,
    pub(crate) handling: Handling,
    pub(crate) pace: Pace,
}

/// An answer, and the id of the prediction as far as it is known.
pub(crate) struct Answered<T> {
    pub(crate) result: Result<T, ErrorResponse>,
    pub(crate) prediction_id: Option<PredictionId>,
}

impl HostedModel {
    /// Prepares `model` for requests.
    ///
    /// # Errors
    ///
    /// If the model's input schema is no valid JSON Schema, says why.
    pub(crate) fn new(model: RegisteredModel, handling: Handling) -> Result<Self, String> {
        let schema = model.input_schema();
        let permits = handling.concurrency_limit.map(|limit| Arc::new(Semaphore::new(limit)));
        Ok(Self {
            takes_prediction_id: PredictionId::is_in(&schema),
            has_prediction_id: model.stack().has_prediction_id,
            takes_batches: model.takes_batches(),
            schema: InputSchema::new(&schema)?,
            permits,
            model,
            handling,
            pace: Pace::default(),
        })
    }

    /// Leave to make one prediction, or one batch; given back when it is dropped.
    ///
    /// # Errors
    ///
    /// 503 if as many are under way as may be.
    pub(crate) fn permit(&self) -> Result<Option<OwnedSemaphorePermit>, ErrorResponse> {
        let Some(permits) = &self.permits else { return Ok(None) };
        match permits.clone().try_acquire_owned() {
            Ok(permit) => Ok(Some(permit)),
            Err(_) => Err(ErrorResponse::busy(format!(
                "`{}` is busy: as many predictions are under way as its concurrency limit allows",
                self.model.qualified_name()
            ))),
        }
    }

    /// Answers one body.
    ///
    /// A body that is not acceptable goes through the model's decorators too, so that it is on
    /// record under the id that the answer names. `begin` is told the id before the model is called.
    pub(crate) fn predict(
        &self,
        text: &[u8],
        headers: &HeaderMap,
        begin: impl FnOnce(&PredictionId),
    ) -> Answered<Vec<u8>> {
        let parsed = parse(text);
        let body = parsed.as_ref().map(|parsed| &parsed.body).map_err(Violation::clone);
        let request = self.request(body, id_of(headers));
        if let Some(id) = request.prediction_id() {
            begin(id);
        }
        answer(request, |request| {
            let request = match &parsed {
                Ok(parsed) if self.reads_text(parsed) => {
                    let of_text = request.try_map(|_| Ok(parsed.text));
                    match self.model.call_text(of_text) {
                        Ok(answer) => return answer,
                        Err(of_text) => of_text.try_map(|_| Ok(&parsed.body)),
                    }
                }
                _ => request,
            };
            self.model.call_to_text(request.try_map(|body| Ok(body.clone().into_value())))
        })
    }

    /// Whether the model may read the text itself: nothing is to be taken out, and there are no two
    /// ways of reading it.
    fn reads_text(&self, parsed: &Parsed<'_>) -> bool {
        let has_id = self.takes_prediction_id && parsed.body.member(PredictionId::FIELD).is_some();
        !has_id && !parsed.has_repeated_names
    }

    /// Answers each row of a batch: a prediction or an error.
    pub(crate) fn predict_batch(
        &self,
        rows: Vec<Body<'_>>,
        batch_id: &PredictionId,
    ) -> Vec<Answered<Value>> {
        let requests = rows.into_iter().enumerate().map(|(row, body)| {
            let request = self.request(Ok(&body), None).try_map(|_body| Ok(()));
            let mut request = request.try_map(|()| Ok(body.into_value()));
            request.context_mut().set_batch_row(BatchRow { batch_id: batch_id.clone(), row });
            request
        });
        if !self.takes_batches {
            return requests
                .map(|request| answer(request, |request| self.model.call(request)))
                .collect();
        }
        let (mut acceptable, mut asked) = (Vec::new(), Vec::new());
        // What is refused is answered for itself: a panic of the model has nothing to do with it.
        let refused: Vec<_> = requests
            .map(|request| {
                if !request.violations().is_empty() {
                    return Some(answer(request, |request| self.model.call(request)));
                }
                asked.push(Asked::of(&request));
                acceptable.push(request);
                None
            })
            .collect();
        let answers: Vec<_> =
            match catch_unwind(AssertUnwindSafe(|| self.model.call_batch(acceptable))) {
                Ok(answers) => {
                    let mut answers = answers.into_iter();
                    let answered = |asked: Asked| match answers.next() {
                        Some(answer) => asked.answered(answer),
                        None => asked.failed(ErrorResponse::internal(
                            "a decorator has lost the answer of this row".to_owned(),
                        )),
                    };
                    asked.into_iter().map(answered).collect()
                }
                Err(_panic) => asked.into_iter().map(Asked::panicked).collect(),
            };
        let mut answers = answers.into_iter();
        refused.into_iter().filter_map(|refused| refused.or_else(|| answers.next())).collect()
    }

    /// A body as a request, refused with everything that is wrong with it. It has an id if the
    /// model's predictions have one: the body's, the header's or a new one. Were that left to the
    /// decorator, nobody here would know the id of a prediction that fails.
    fn request<'b, 't>(
        &self,
        body: Result<&'b Body<'t>, Violation>,
        header: Option<Result<PredictionId, Violation>>,
    ) -> Request<&'b Body<'t>> {
        let (body, mut violations) = match body {
            Ok(body) => (Some(body), self.schema.violations(body)),
            Err(violation) => (None, vec![violation]),
        };
        let of_body = match body.and_then(|body| body.member(PredictionId::FIELD)) {
            // What is wrong with it is among the violations of the schema.
            Some(Body::String(id)) if self.takes_prediction_id => Some(id.as_ref().try_into().ok()),
            _ => None,
        };
        // A header that is no id is wrong, also beside a body that has one.
        let of_header = header.and_then(|id| id.map_err(|wrong| violations.push(wrong)).ok());
        let id = of_body.unwrap_or(of_header);
        let id = id.or_else(|| self.has_prediction_id.then(PredictionId::random));
        let mut request = match body {
            Some(body) if violations.is_empty() => Request::new(body),
            _ => Request::invalid(violations),
        };
        if let Some(id) = id {
            request.context_mut().set_prediction_id(id);
        }
        request
    }
}

/// What is to be known of a request once it is answered.
struct Asked {
    id: Option<PredictionId>,
    is_valid: bool,
}

impl Asked {
    fn of<I>(request: &Request<I>) -> Self {
        Self { id: request.prediction_id().cloned(), is_valid: request.violations().is_empty() }
    }

    fn answered<T>(self, answer: Answer<T>) -> Answered<T> {
        match answer {
            Ok(prediction) => {
                let prediction_id = prediction.prediction_id().cloned();
                Answered { result: Ok(prediction.into_output()), prediction_id }
            }
            Err(PredictionError::InvalidInput(violations)) if !self.is_valid => {
                self.failed(ErrorResponse::validation(messages(&violations)))
            }
            Err(error) => self.failed(ErrorResponse::prediction(&error)),
        }
    }

    fn panicked<T>(self) -> Answered<T> {
        self.failed(ErrorResponse::internal("the model panicked".to_owned()))
    }

    fn failed<T>(self, error: ErrorResponse) -> Answered<T> {
        Answered { result: Err(error.of_prediction(self.id.clone())), prediction_id: self.id }
    }
}

/// Has a request answered. A model that panics has failed this prediction, not the service. What it
/// shares with other predictions is behind locks, which tell of the panic themselves.
fn answer<I, T>(request: Request<I>, call: impl FnOnce(Request<I>) -> Answer<T>) -> Answered<T> {
    let asked = Asked::of(&request);
    match catch_unwind(AssertUnwindSafe(|| call(request))) {
        Ok(answer) => asked.answered(answer),
        Err(_panic) => asked.panicked(),
    }
}

/// A body as JSON.
///
/// # Errors
///
/// Why it is none.
pub(crate) fn parse(body: &[u8]) -> Result<Parsed<'_>, Violation> {
    Parsed::new(body).map_err(|error| {
        let problem = if body.iter().all(u8::is_ascii_whitespace) {
            "the body is empty, expected JSON".to_owned()
        } else {
            format!("the body is not JSON: {error}")
        };
        Violation::new("", problem)
    })
}

/// The prediction id in the headers.
fn id_of(headers: &HeaderMap) -> Option<Result<PredictionId, Violation>> {
    let mut values = headers.get_all(&PREDICTION_ID_HEADER).iter();
    let value = values.next()?;
    let wrong = |message: String| Violation::new("X-Prediction-Id", message);
    if values.next().is_some() {
        return Some(Err(wrong("must be there once".to_owned())));
    }
    Some(match value.to_str() {
        Ok(id) => PredictionId::try_from(id).map_err(|error| wrong(error.to_string())),
        Err(_) => Err(wrong("must be visible ASCII characters".to_owned())),
    })
}

/// The same for a request that gets no further: the id, if it is one.
pub(crate) fn callers_id(headers: &HeaderMap) -> Option<PredictionId> {
    id_of(headers)?.ok()
}
