//! Answers and errors.

use std::io;

use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};

use crate::query::{FilterError, QueryError};

/// A body that is whole, or sent in parts.
pub(super) type Body = Either<Full<Bytes>, Channel<Bytes, io::Error>>;
pub(super) type Response = hyper::Response<Body>;

/// Makes an answer with headers.
pub(super) fn with_headers<const N: usize>(
    status: StatusCode,
    body: impl Into<Bytes>,
    headers: [(HeaderName, &'static str); N],
) -> Response {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    *response.status_mut() = status;
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Makes an answer of JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    with_headers(status, body, headers)
}

/// An answer that is an error: `{"type": …, "messages": […]}`.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: StatusCode,
    body: Value,
}

impl ErrorResponse {
    pub(super) fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        Self { status, body: json!({ "type": kind, "messages": [message.into()] }) }
    }

    /// Makes the error of an invalid parameter.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ParameterError", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }
}

impl From<FilterError> for ErrorResponse {
    fn from(error: FilterError) -> Self {
        let mut response = Self::new(StatusCode::BAD_REQUEST, "FilterError", &*error.message);
        response.body["place"] = json!({ "start": error.start, "length": error.length });
        response
    }
}

impl From<QueryError> for ErrorResponse {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(message) => Self::invalid(message),
            other => {
                eprintln!("ml-logs: {other}");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "StoreError", other.to_string())
            }
        }
    }
}

impl From<ErrorResponse> for Response {
    fn from(error: ErrorResponse) -> Self {
        json(error.status, &error.body)
    }
}
