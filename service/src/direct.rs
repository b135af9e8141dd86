//! The short way of a prediction: from the connection to its model, past the router.
//!
//! Routing and the layers around it cost a request about as much as everything that is done for its
//! prediction. What they would do for it is known beforehand, unless the service asks for keys,
//! counts requests or admits pages of other origins: then, and for requests that are special in
//! any way, the router it is.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;

use crate::head::{self, accepts_a_coding};
use crate::hosted::HostedModel;
use crate::predictions;
use crate::routes::COMPRESSED_FROM;
use crate::state::State;

/// The model that a request asks, if it may take the short way.
pub(crate) fn model<'s>(
    state: &'s State,
    request: &Request<Incoming>,
) -> Option<&'s Arc<HostedModel>> {
    let is_plain = state.takes_short_way
        && request.method() == Method::POST
        && !request.headers().contains_key(header::CONTENT_ENCODING);
    if !is_plain {
        return None;
    }
    let path = request.uri().path().strip_prefix("/api/models/")?;
    state.models().ok()?.hosted(path.strip_suffix("/prediction")?)
}

/// Answers such a request.
pub(crate) async fn answer(
    state: &State,
    model: &Arc<HostedModel>,
    request: Request<Incoming>,
) -> Response {
    if let Err(error) = head::check(&request, state.server.body_limit_bytes) {
        return error.into_response();
    }
    let (Parts { mut headers, .. }, body) = request.into_parts();
    let accepted = match headers.contains_key(header::ACCEPT_ENCODING) {
        true if accepts_a_coding(&headers) => headers.remove(header::ACCEPT_ENCODING),
        _ => None,
    };
    let response = predictions::predict(state, model, headers, body).await.into_response();
    match accepted {
        Some(accepted)
            if state.server.compression
                && response.body().size_hint().lower() >= COMPRESSED_FROM =>
        {
            compressed(accepted, response).await
        }
        _ => response,
    }
}

/// A response in one of the encodings that the client accepts.
async fn compressed(accepted: HeaderValue, response: Response) -> Response {
    let mut request = Request::new(());
    request.headers_mut().insert(header::ACCEPT_ENCODING, accepted);
    let mut response = Some(response);
    let answer = service_fn(move |_request| {
        let response = response.take().unwrap_or_default();
        async { Ok::<_, Infallible>(response) }
    });
    match CompressionLayer::new().layer(answer).oneshot(request).await {
        Ok(response) => response.map(axum::body::Body::new),
        Err(never) => match never {},
    }
}
