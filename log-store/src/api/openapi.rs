//! The OpenAPI document.

use hyper::{StatusCode, header};

use super::response::{Response, with_headers};

const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`
pub(super) fn document() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    with_headers(StatusCode::OK, DOCUMENT, headers)
}
