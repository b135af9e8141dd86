//! The JSON form of errors: `{"type": ..., "messages": [...], "prediction_id": ...}`.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ml_model_core::{PredictionError, PredictionId, Violation, error_chain};
use serde::Serialize;
use serde_json::{Value, json};

use crate::hosted::{PREDICTION_ID_HEADER, callers_id};

/// An error as clients see it.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    /// Name and value; as texts, because a `Result` with a larger error is costly.
    header: Option<(&'static str, &'static str)>,
    /// In a box, so that a `Result` stays small.
    body: Box<ErrorBody>,
}

/// The JSON form of an error.
#[derive(Debug, Serialize)]
struct ErrorBody {
    r#type: &'static str,
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_id: Option<PredictionId>,
}

impl ErrorResponse {
    fn new(status: StatusCode, r#type: &'static str, messages: Vec<String>) -> Self {
        let body = Box::new(ErrorBody { r#type, messages, prediction_id: None });
        Self { status, header: None, body }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body as clients see it.
    pub(crate) fn to_json(&self) -> Value {
        json!(self.body)
    }

    /// 400: the body breaks the contract of the input schema, or is no JSON at all.
    pub(crate) fn validation(messages: Vec<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", messages)
    }

    /// 400: the request is no good HTTP.
    pub(crate) fn bad_request(message: String) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, "BadRequestError", vec![message]);
        Self { header: Some(("connection", "close")), ..error }
    }

    /// 401: the caller shows no API key, or a wrong one.
    pub(crate) fn without_key() -> Self {
        Self::unauthorized("an API key is needed: `Authorization: Bearer ...` or `X-API-Key: ...`")
    }

    /// 401: the caller shows no admin key, or a wrong one.
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

    /// 404: nothing is found by this name.
    pub(crate) fn not_found(message: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFoundError", vec![message])
    }

    /// 405.
    pub(crate) fn method_not_allowed(message: String) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedError", vec![message])
    }

    /// 408: the request did not arrive in time.
    pub(crate) fn request_timeout(message: String) -> Self {
        let error = Self::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutError", vec![message]);
        Self { header: Some(("connection", "close")), ..error }
    }

    /// 413.
    pub(crate) fn too_large(message: String) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError", vec![message])
    }

    /// 413 for a body that will not be read: the connection is of no more use.
    pub(crate) fn body_too_large(limit_bytes: usize) -> Self {
        let error = Self::too_large(format!("a body may have at most {limit_bytes} bytes"));
        Self { header: Some(("connection", "close")), ..error }
    }

    /// 415.
    pub(crate) fn unsupported_media_type(message: String) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaTypeError", vec![message])
    }

    /// 415 for a content coding; says which are understood.
    pub(crate) fn unsupported_content_coding(message: String, supported: &'static str) -> Self {
        let error = Self::unsupported_media_type(message);
        Self { header: Some(("accept-encoding", supported)), ..error }
    }

    /// 500: the service or a model failed.
    pub(crate) fn internal(message: String) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceError", vec![message])
    }

    /// 503: not now.
    pub(crate) fn unavailable(message: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceError", vec![message])
    }

    /// 503: not now, but soon.
    pub(crate) fn busy(message: String) -> Self {
        Self { header: Some(("retry-after", "1")), ..Self::unavailable(message) }
    }

    /// 504: the prediction takes too long.
    pub(crate) fn prediction_timeout(message: String) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "PredictionTimeoutError", vec![message])
    }

    /// What a failed prediction is answered with.
    pub(crate) fn prediction(error: &PredictionError) -> Self {
        match error {
            // The body kept to the schema, yet the model or a decorator does not accept it.
            PredictionError::InvalidInput(violations) => {
                Self::new(StatusCode::BAD_REQUEST, "SchemaValidationError", messages(violations))
            }
            PredictionError::Rejected(_) => Self::unavailable(error_chain(error).to_string()),
            error => Self::internal(error_chain(error).to_string()),
        }
    }

    /// Names the prediction that failed.
    pub(crate) fn of_prediction(mut self, id: Option<PredictionId>) -> Self {
        self.body.prediction_id = id;
        self
    }

    /// Names the prediction by the id that the caller has given it, if any.
    pub(crate) fn of_caller(self, headers: &HeaderMap) -> Self {
        self.of_prediction(callers_id(headers))
    }

    /// Names the batch whose records tell more.
    pub(crate) fn of_batch(mut self, batch_id: &PredictionId) -> Self {
        self.body
            .messages
            .push(format!("the records of this batch have the batch_id `{batch_id}`"));
        self
    }
}

/// Of how many violations there are messages.
pub(crate) const MOST_MESSAGES: usize = 100;

/// A message per violation, as far as they go.
pub(crate) fn messages(violations: &[Violation]) -> Vec<String> {
    // Those of the input schema are cut already; one line says so, another may be about a header.
    if violations.len() <= MOST_MESSAGES + 2 {
        return violations.iter().map(message).collect();
    }
    let more = violations.len() - MOST_MESSAGES;
    let first = violations.iter().take(MOST_MESSAGES).map(message);
    first.chain([format!("and {more} more")]).collect()
}

fn message(violation: &Violation) -> String {
    let Violation { path, message } = violation;
    let message = cut(message, LONGEST_MESSAGE);
    if path.is_empty() { message.into_owned() } else { format!("{}: {message}", shortened(path)) }
}

/// A text of the client's, cut where it gets long: a request may be large, a message should not.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    cut(text, 200)
}

/// The longest message, which may name all values that there are to choose from.
pub(crate) const LONGEST_MESSAGE: usize = 1000;

/// The first characters of a text; what is left out shows as `…`.
pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Names the prediction in the header that carries its id.
pub(crate) fn add_id(response: &mut Response, id: &PredictionId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(&PREDICTION_ID_HEADER, value);
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self.body)).into_response();
        if let Some(id) = &self.body.prediction_id {
            add_id(&mut response, id);
        }
        if let Some((name, value)) = self.header {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
