//! The way of a request through the stations of the service.

use std::sync::Arc;
use std::time::Instant;

use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request};

use super::compression::{compress, preferred_coding};
use super::cors::{self, Cors};
use super::handlers::{docs, health, log_levels, metrics, models, predictions};
use super::response::{ErrorResponse, Response};
use super::routes::{Route, is_probe};
use super::{auth, headers};
use crate::hosting::limits::shortened;
use crate::metrics::Metrics;
use crate::state::State;

/// Logger of the records about requests.
const TARGET: &str = "ml_model_service::server";

/// Answers the requests of a service.
pub(super) struct Router {
    state: Arc<State>,
    metrics: Option<Arc<Metrics>>,
    cors: Option<Cors>,
}

impl Router {
    pub(super) fn new(state: Arc<State>, metrics: Option<Arc<Metrics>>) -> Self {
        let cors = Cors::new(&state.server.allowed_origins);
        Self { state, metrics, cors }
    }

    /// Answers a request and logs it at DEBUG, except those of probes.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let is_logged = tracing::enabled!(target: TARGET, tracing::Level::DEBUG) && !is_probe(path);
        let logged = is_logged.then(|| (head.method.clone(), head.uri.clone(), Instant::now()));
        let mut response = self.count(head, body).await;
        if let Some((method, uri, started)) = logged {
            tracing::debug!(
                target: TARGET,
                http_method = &*shortened(method.as_str()),
                http_path = &*shortened(uri.path()),
                http_status = response.status().as_u16(),
                duration_ms = started.elapsed().as_micros() as f64 / 1e3,
                "Request answered."
            );
        }
        if self.state.is_stopping() {
            // The client sends no further request over this connection.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    /// Finds the route of a request and counts it.
    async fn count(&self, head: Parts, body: Incoming) -> Response {
        let uri = head.uri.clone();
        let route = Route::of(uri.path()).filter(|route| self.has(route));
        let counted = self.metrics.as_ref().and_then(|metrics| {
            let bytes = body.size_hint().exact().or_else(|| content_length(&head.headers));
            let template = route.as_ref().map(Route::template);
            metrics.begin(&head.method, template, uri.path(), bytes.unwrap_or(0))
        });
        let response = self.share(head, route, body).await;
        if let Some(counted) = counted {
            counted.answered(response.status().as_u16(), response.body().len() as u64);
        }
        response
    }

    /// Returns whether the service has a route: two of them depend on the configuration.
    fn has(&self, route: &Route<'_>) -> bool {
        match route {
            Route::Metrics => self.metrics.is_some(),
            Route::LogLevels => {
                self.state.server.admin_keys.is_some() && self.state.logging.is_some()
            }
            _ => true,
        }
    }

    /// Shares the answer with pages of the allowed origins.
    async fn share(&self, head: Parts, route: Option<Route<'_>>, body: Incoming) -> Response {
        let Some(cors) = &self.cors else { return self.admit(head, route, body).await };
        let origin = cors.allowed_origin(&head.headers);
        if head.method == Method::OPTIONS {
            let mut response = Response::new(Bytes::new());
            cors::write_preflight_headers(response.headers_mut(), origin);
            return response;
        }
        let mut response = self.admit(head, route, body).await;
        cors::write_headers(response.headers_mut(), origin);
        response
    }

    /// Checks the head and the key of a request. Compresses the answer.
    async fn admit(&self, head: Parts, route: Option<Route<'_>>, body: Incoming) -> Response {
        let server = &self.state.server;
        if let Err(error) = headers::validate(&head, server.body_limit_bytes) {
            return error.into();
        }
        if let Some(keys) = &server.api_keys {
            // The levels of the log need a key of another kind.
            let is_admitted = is_probe(head.uri.path())
                || route == Some(Route::LogLevels)
                || auth::has_key(keys, &head.headers);
            if !is_admitted {
                return ErrorResponse::without_key().into();
            }
        }
        if !server.compression {
            return self.call(head, route, body).await;
        }
        let coding = preferred_coding(&head.headers);
        let mut response = self.call(head, route, body).await;
        compress(&mut response, coding);
        response
    }

    /// Calls the handler of a route.
    async fn call(&self, head: Parts, route: Option<Route<'_>>, body: Incoming) -> Response {
        let state = &self.state;
        let Some(route) = route else {
            return not_found(head.uri.path()).into();
        };
        if !route.accepts(&head.method) {
            let mut response = method_not_allowed(&head).into();
            allow(&mut response, route.methods());
            return response;
        }
        let response = match route {
            Route::Root => Ok(docs::root()),
            Route::Document => docs::document(state, &head.headers),
            Route::Page => Ok(docs::page(state)),
            Route::Asset(Some(name)) => docs::asset(&name, &head.headers),
            Route::Health => Ok(health::health(state)),
            Route::Ready => Ok(health::ready(state)),
            Route::Startup => Ok(health::startup(state)),
            Route::Models => models::list(state),
            Route::Metadata(Some(name)) => models::metadata(state, &name),
            Route::Prediction(Some(name)) => {
                predictions::one(state, &name, head.headers, body).await
            }
            Route::Batch(Some(name)) => predictions::batch(state, &name, head.headers, body).await,
            Route::LogLevels => log_levels::answer(state, &head, body).await,
            Route::Metrics => Ok(metrics::show(state, self.metrics.as_deref())),
            // Nothing has a name that is not text.
            Route::Asset(None)
            | Route::Metadata(None)
            | Route::Prediction(None)
            | Route::Batch(None) => Err(not_found(head.uri.path())),
        };
        response.unwrap_or_else(Response::from)
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn method_not_allowed(head: &Parts) -> ErrorResponse {
    ErrorResponse::method_not_allowed(format!(
        "{} does not take {}",
        shortened(head.uri.path()),
        shortened(head.method.as_str())
    ))
}

fn allow(response: &mut Response, methods: &'static str) {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
}

fn not_found(path: &str) -> ErrorResponse {
    ErrorResponse::not_found(format!("there is nothing at {}", shortened(path)))
}
