//! The JSON form of errors: `{"type": ..., "messages": [...], "prediction_id": ...}`.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ml_model_core::{PredictionError, PredictionId, Violation, error_chain};
use serde::Serialize;
use serde_json::{Value, json};

/// An error as clients see it.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    header: Option<(HeaderName, &'static str)>,
    body: ErrorBody,
}

/// The JSON form of an error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody {
    r#type: &'static str,
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_id: Option<PredictionId>,
}

impl ErrorResponse {
    fn new(status: StatusCode, r#type: &'static str, messages: Vec<String>) -> Self {
        Self { status, header: None, body: ErrorBody { r#type, messages, prediction_id: None } }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body as clients see it.
    pub(crate) fn to_json(&self) -> Value {
        let ErrorBody { r#type, messages, prediction_id } = &self.body;
        let mut body = json!({ "type": r#type, "messages": messages });
        if let Some(id) = prediction_id {
            body["prediction_id"] = id.as_str().into();
        }
        body
    }

    /// 400: the body breaks the contract of the input schema, or is no JSON at all.
    pub(crate) fn validation(messages: Vec<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", messages)
    }

    /// 401: the caller shows no API key, or a wrong one.
    pub(crate) fn unauthorized(message: String) -> Self {
        let error = Self::new(StatusCode::UNAUTHORIZED, "UnauthorizedError", vec![message]);
        Self { header: Some((header::WWW_AUTHENTICATE, "Bearer")), ..error }
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
        Self { header: Some((header::CONNECTION, "close")), ..error }
    }

    /// 413.
    pub(crate) fn too_large(message: String) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError", vec![message])
    }

    /// 415.
    pub(crate) fn unsupported_media_type(message: String) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaTypeError", vec![message])
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
        Self { header: Some((header::RETRY_AFTER, "1")), ..Self::unavailable(message) }
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

    /// The error as a part of another answer.
    pub(crate) fn into_body(self) -> ErrorBody {
        self.body
    }
}

/// A message per violation.
pub(crate) fn messages(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
