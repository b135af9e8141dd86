//! Counts every request that passes. A layer of its own rather than axum's `from_fn`, which copies
//! and boxes the service inside for every request.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use tower_layer::Layer;
use tower_service::Service;

use super::requests::Requests;

/// Goes around routes, so that what a request matches is known here.
#[derive(Clone, Copy)]
pub(crate) struct Count(pub(super) &'static Requests);

impl<S> Layer<S> for Count {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, requests: self.0 }
    }
}

#[derive(Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    requests: &'static Requests,
}

impl<S> Service<Request> for Counted<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let bytes = content_length(request.headers()).unwrap_or(0);
        let in_progress = self.requests.begin(request.method(), route, request.uri().path(), bytes);
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await?;
            if let Some(in_progress) = in_progress {
                let exact = response.body().size_hint().exact();
                let bytes = exact.or_else(|| content_length(response.headers())).unwrap_or(0);
                in_progress.answered(response.status().as_u16(), bytes);
            }
            Ok(response)
        })
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
