//! Answers, and errors in JSON: `{"type": ..., "messages": [...], "prediction_id": ...}`.

use std::borrow::Cow;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use ml_model_core::{PredictionError, PredictionId, RejectionKind, error_chain};
use serde::Serialize;
use serde_json::Value;

use super::known_headers::{self, KnownHeaders};
use super::prediction_id;
use crate::hosting::outcome::Failure;
use crate::hosting::shorten::{MessageSpace, left_out, messages};

/// An answer, with its whole body in memory.
pub(crate) type Response = hyper::Response<Bytes>;

/// Makes an answer of a body that is JSON.
pub(super) fn json_text(status: StatusCode, json: impl Into<Bytes>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Makes an answer of a value.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => json_text(status, json),
        Err(error) => ErrorResponse::internal(format!("the answer is not JSON: {error}")).into(),
    }
}

/// An error to answer.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    /// Name and value. Both are static text, which keeps a `Result` small.
    header: Option<(&'static str, &'static str)>,
    /// Boxed to keep a `Result` small.
    body: Box<ErrorBody>,
}

/// The JSON form of an error.
#[derive(Debug, Serialize)]
struct ErrorBody {
    r#type: Cow<'static, str>,
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_id: Option<PredictionId>,
}

impl ErrorResponse {
    fn new(
        status: StatusCode,
        r#type: impl Into<Cow<'static, str>>,
        messages: Vec<String>,
    ) -> Self {
        let body = Box::new(ErrorBody { r#type: r#type.into(), messages, prediction_id: None });
        Self { status, header: None, body }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the body.
    pub(crate) fn to_json(&self) -> Value {
        serde_json::json!(self.body)
    }

    /// 400: the body breaks the input schema, or is not JSON.
    pub(crate) fn validation(messages: Vec<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", messages)
    }

    /// 400: malformed HTTP.
    pub(crate) fn bad_request(message: String) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, "BadRequestError", vec![message]);
        Self { header: Some(("connection", "close")), ..error }
    }

    /// 401: the request has no valid API key.
    pub(crate) fn without_key() -> Self {
        Self::unauthorized("an API key is needed: `Authorization: Bearer ...` or `X-API-Key: ...`")
    }

    /// 401: the request has no valid admin key.
    pub(crate) fn without_admin_key() -> Self {
        Self::unauthorized(
            "an admin key is needed: `Authorization: Bearer ...` or `X-API-Key: ...`, with one of \
             `server.admin_keys`",
        )
    }

    fn unauthorized(message: &str) -> Self {
        let messages = vec![message.to_owned()];
        let error = Self::new(StatusCode::UNAUTHORIZED, "UnauthorizedError", messages);
        Self { header: Some(("www-authenticate", "Bearer")), ..error }
    }

    /// 404: nothing has this name.
    pub(crate) fn not_found(message: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFoundError", vec![message])
    }

    /// 405: the path does not accept the method.
    pub(crate) fn method_not_allowed(message: String) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedError", vec![message])
    }

    /// 408: the request did not arrive in time.
    pub(crate) fn request_timeout(message: String) -> Self {
        let error = Self::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutError", vec![message]);
        Self { header: Some(("connection", "close")), ..error }
    }

    /// 413: a batch has too many rows.
    pub(crate) fn too_large(message: String) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError", vec![message])
    }

    /// 413: the body is too large. It is not read, so that the connection must be closed.
    pub(crate) fn body_too_large(limit_bytes: usize) -> Self {
        let error = Self::too_large(format!("a body may have at most {limit_bytes} bytes"));
        Self { header: Some(("connection", "close")), ..error }
    }

    /// 415: the body is not JSON in UTF-8.
    pub(crate) fn unsupported_media_type(message: String) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaTypeError", vec![message])
    }

    /// 415: the content coding is unknown. A header lists the known ones.
    pub(crate) fn unsupported_content_coding(message: String, supported: &'static str) -> Self {
        let error = Self::unsupported_media_type(message);
        Self { header: Some(("accept-encoding", supported)), ..error }
    }

    /// 500: the service or a model failed.
    pub(crate) fn internal(message: String) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceError", vec![message])
    }

    /// 503: the service cannot predict now.
    pub(crate) fn unavailable(message: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceError", vec![message])
    }

    /// 503: the concurrency limit of the model of this name is reached.
    pub(crate) fn busy(model: &str) -> Self {
        let message = format!("`{model}` is busy: its concurrency limit is reached");
        Self { header: Some(("retry-after", "1")), ..Self::unavailable(message) }
    }

    /// 503: no prediction can be recorded.
    pub(crate) fn log_stalled() -> Self {
        let message = "the log is stalled, so no request can be recorded".to_owned();
        Self { header: Some(("retry-after", "1")), ..Self::unavailable(message) }
    }

    /// 503: the connection limit is reached, and probes alone are answered.
    pub(crate) fn too_many_connections() -> Self {
        let message = "the service has as many connections in use as its limit allows".to_owned();
        Self { header: Some(("retry-after", "1")), ..Self::unavailable(message) }
    }

    /// 504: the prediction takes too long.
    pub(crate) fn prediction_timeout(limit: Duration) -> Self {
        let message = format!("the prediction takes longer than {} s", limit.as_secs_f64());
        Self::new(StatusCode::GATEWAY_TIMEOUT, "PredictionTimeoutError", vec![message])
    }

    /// Makes the answer to a failed call, with the error of the model if `shows_details`.
    pub(crate) fn failure(failure: &Failure, shows_details: bool) -> Self {
        match failure {
            Failure::Invalid(violations) => Self::validation(messages(violations)),
            Failure::Prediction(error) => Self::prediction(error, shows_details),
            Failure::Panic => Self::internal("the model panicked".to_owned()),
            Failure::MissingRow => {
                Self::internal("a decorator returned no result for this row".to_owned())
            }
        }
    }

    /// Makes the answer to a prediction that ended with an error.
    pub(crate) fn prediction(error: &PredictionError, shows_details: bool) -> Self {
        match error {
            // The body satisfies the schema, and the model or a decorator refuses it.
            PredictionError::InvalidInput(violations) => {
                Self::new(StatusCode::BAD_REQUEST, "SchemaValidationError", messages(violations))
            }
            PredictionError::Rejected(rejection) => {
                // The reason is written for the client, its sources are not.
                let message = match shows_details {
                    true => error_chain(error).to_string(),
                    false => rejection.to_string(),
                };
                let messages = vec![message];
                Self::new(status_of(rejection.kind()), rejection.r#type().to_owned(), messages)
            }
            error if shows_details => Self::internal(error_chain(error).to_string()),
            _ => Self::internal("the model failed; the log contains the reason".to_owned()),
        }
    }

    /// Leaves out the messages for which `space` is too small, and counts them.
    pub(crate) fn within(mut self, space: &mut MessageSpace) -> Self {
        let messages = &mut self.body.messages;
        let fitting = messages.iter().take_while(|message| space.take(message.len())).count();
        if fitting < messages.len() {
            let message = left_out(fitting, messages.len() - fitting);
            messages.truncate(fitting);
            messages.push(message);
        }
        self
    }

    /// Adds the id of the failed prediction.
    pub(crate) fn of_prediction(mut self, id: Option<PredictionId>) -> Self {
        self.body.prediction_id = id;
        self
    }

    /// Adds the prediction id in the headers of the request, unless the error has one.
    pub(super) fn of_caller(mut self, headers: &KnownHeaders<'_>) -> Self {
        let id = &mut self.body.prediction_id;
        *id = id.take().or_else(|| prediction_id::of_request(headers.prediction_id)?.ok());
        self
    }

    /// Adds a message with the id of the batch, which its records have.
    pub(crate) fn of_batch(mut self, batch_id: &PredictionId) -> Self {
        self.body
            .messages
            .push(format!("the records of this batch have the batch_id `{batch_id}`"));
        self
    }
}

fn status_of(kind: RejectionKind) -> StatusCode {
    match kind {
        RejectionKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        RejectionKind::Forbidden => StatusCode::FORBIDDEN,
        RejectionKind::NotFound => StatusCode::NOT_FOUND,
        RejectionKind::Conflict => StatusCode::CONFLICT,
        RejectionKind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Adds the header with the prediction id.
pub(super) fn add_id(response: &mut Response, id: &PredictionId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(known_headers::PREDICTION_ID, value);
    }
}

impl From<ErrorResponse> for Response {
    fn from(error: ErrorResponse) -> Self {
        let mut response = json(error.status, &error.body);
        if let Some(id) = &error.body.prediction_id {
            add_id(&mut response, id);
        }
        if let Some((name, value)) = error.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
