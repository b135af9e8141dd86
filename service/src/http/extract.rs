//! The body of a request.

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use ml_model_core::error_chain;

use super::compression::decompress;
use super::connection::Connection;
use super::headers::{expect_json, is_compressed};
use super::known_headers::KnownHeaders;
use super::response::ErrorResponse;
use crate::config::ServerSettings;

/// Reads the JSON body of a request.
///
/// # Errors
///
/// Fails with the error to answer: the body is not declared as JSON, is too large, too slow or broken.
pub(super) async fn json_body(
    server: &ServerSettings,
    connection: &Connection,
    headers: &KnownHeaders<'_>,
    body: Incoming,
) -> Result<Bytes, ErrorResponse> {
    expect_json(headers)?;
    let is_compressed = is_compressed(headers, server.compression)?;
    let size = server.body_limit_bytes;
    let limit = server.request_timeout;
    let Some(body) = connection.timer.within(limit, collect(body, size)).await else {
        return Err(ErrorResponse::request_timeout(format!(
            "the body did not arrive within {} s",
            limit.as_secs_f64()
        )));
    };
    let unreadable = |problem: &dyn std::fmt::Display| {
        ErrorResponse::bad_request(format!("the body cannot be read: {problem}"))
    };
    let body = match body {
        Ok(Some(body)) => {
            connection.set_unread_body(false);
            body
        }
        Ok(None) => return Err(ErrorResponse::body_too_large(size)),
        Err(error) => return Err(unreadable(&error_chain(&error))),
    };
    if !is_compressed || body.is_empty() {
        return Ok(body);
    }
    match decompress(&body, size) {
        Ok(body) if body.len() > size => Err(ErrorResponse::body_too_large(size)),
        Ok(body) => Ok(body.into()),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Reads a body to its end; `None` if it is larger than `limit`. A body of one piece is not copied.
async fn collect(mut body: Incoming, limit: usize) -> hyper::Result<Option<Bytes>> {
    let (mut first, mut all) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
        if first.len().max(all.len()) > limit {
            return Ok(None);
        }
    }
    Ok(Some(if all.is_empty() { first } else { all.into() }))
}
