//! The way of a request through the stations of the service: the same for every request and
//! configuration.

use std::sync::Arc;
use std::time::Instant;

use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;

use super::auth::{FailedAuthentications, has_key};
use super::compression::compress;
use super::connection::Connection;
use super::cors::Cors;
use super::handlers::{docs, health, log_levels, metrics, models, predictions};
use super::headers;
use super::known_headers::KnownHeaders;
use super::response::{ErrorResponse, Response};
use super::routes::{Resource, Route, is_probe};
use crate::hosting::shorten::shortened;
use crate::log_wait;
use crate::metrics::{InProgress, Metrics};
use crate::state::State;

/// Logger of the records about requests and connections.
pub(super) const TARGET: &str = "ml_model_service::server";

/// Answers the requests of a service.
pub(super) struct Router {
    state: Arc<State>,
    metrics: Option<Arc<Metrics>>,
    cors: Option<Cors>,
    failed_authentications: FailedAuthentications,
}

impl Router {
    pub(super) fn new(state: Arc<State>, metrics: Option<Arc<Metrics>>) -> Self {
        let cors = Cors::new(&state.server.allowed_origins);
        Self { state, metrics, cors, failed_authentications: FailedAuthentications::default() }
    }

    /// Answers a request.
    pub(super) async fn answer(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> Response {
        let (head, body) = request.into_parts();
        connection.set_unread_body(!body.is_end_stream());
        let route = Route::of(head.uri.path()).filter(|route| self.has(route));
        let logged = logged_since(&head);
        let counted = self.count(&head, route.as_ref(), &body);
        let cors = self.cors.as_ref();
        let mut response = match cors.and_then(|cors| cors.preflight(&head)) {
            Some(response) => response,
            None => self.call(connection, &head, route, body).await.unwrap_or_else(Response::from),
        };
        if let Some(cors) = cors {
            cors.write_headers(&head, &mut response);
        }
        if self.state.server.compression {
            compress(&mut response, &head.headers);
        }
        if let Some(counted) = counted {
            counted.answered(response.status().as_u16(), response.body().len() as u64);
        }
        if let Some(started) = logged {
            log(&head, &response, started);
        }
        if self.state.is_stopping() || connection.is_surplus {
            // The client sends no further request over this connection.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    /// Returns whether the service has a route: two of them depend on the configuration.
    fn has(&self, route: &Route<'_>) -> bool {
        match route.resource {
            Resource::Metrics => self.metrics.is_some(),
            Resource::LogLevels => {
                self.state.server.admin_keys.is_some() && self.state.logging.is_some()
            }
            _ => true,
        }
    }

    /// Begins to count a request.
    fn count(
        &self,
        head: &Parts,
        route: Option<&Route<'_>>,
        body: &Incoming,
    ) -> Option<InProgress<'_>> {
        let metrics = self.metrics.as_ref()?;
        let bytes = body.size_hint().exact().unwrap_or(0);
        metrics.begin(&head.method, route.map(|route| route.index), head.uri.path(), bytes)
    }

    /// Checks the head and the key of a request.
    fn check(
        &self,
        connection: &Connection,
        head: &Parts,
        headers: &KnownHeaders<'_>,
        route: Option<&Route<'_>>,
    ) -> Result<(), ErrorResponse> {
        let server = &self.state.server;
        headers::validate(head.version, headers, server.body_limit_bytes)?;
        if connection.is_surplus && !is_probe(head.uri.path()) {
            return Err(ErrorResponse::too_many_connections().of_caller(headers));
        }
        let is_admin = route.is_some_and(|route| route.resource == Resource::LogLevels);
        let keys = if is_admin { &server.admin_keys } else { &server.api_keys };
        let Some(keys) = keys else { return Ok(()) };
        if is_probe(head.uri.path()) || has_key(keys, &head.headers) {
            return Ok(());
        }
        self.failed_authentications.add(connection, head);
        Err(if is_admin {
            ErrorResponse::without_admin_key()
        } else {
            ErrorResponse::without_key()
        })
    }

    /// Waits until the log takes records, because threads that wait for it are few.
    ///
    /// # Errors
    ///
    /// 503 if it takes none within the time for a prediction.
    #[cold]
    async fn wait_for_log(&self, connection: &Connection) -> Result<(), ErrorResponse> {
        let limit = self.state.server.request_timeout;
        let waited = connection.timer.within(limit, log_wait::end()).await;
        waited.ok_or_else(ErrorResponse::log_stalled)
    }

    /// Checks a request and calls the handler of its route.
    async fn call(
        &self,
        connection: &Connection,
        head: &Parts,
        route: Option<Route<'_>>,
        body: Incoming,
    ) -> Result<Response, ErrorResponse> {
        if log_wait::is_waiting() && !is_probe(head.uri.path()) {
            Box::pin(self.wait_for_log(connection)).await?;
        }
        let (state, headers) = (&*self.state, &KnownHeaders::of(&head.headers));
        self.check(connection, head, headers, route.as_ref())?;
        let route = route.ok_or_else(|| not_found(head))?;
        if !route.methods.split(',').any(|method| method == head.method.as_str()) {
            return Ok(method_not_allowed(head, &route));
        }
        // Nothing has a name that is not text.
        let name = &*route.segment.ok_or_else(|| not_found(head))?;
        match route.resource {
            Resource::Prediction => {
                let result = predictions::one(state, connection, name, headers, body).await;
                result.map_err(|error| error.of_caller(headers))
            }
            // Boxed, so that the future of the other requests is small.
            Resource::Batch => {
                Box::pin(predictions::batch(state, connection, name, headers, body)).await
            }
            Resource::Models => models::list(state),
            Resource::Metadata => models::metadata(state, name),
            Resource::Health => Ok(health::health(state)),
            Resource::Ready => Ok(health::ready(state)),
            Resource::Startup => Ok(health::startup(state)),
            Resource::Metrics => Ok(metrics::show(state, self.metrics.as_deref())),
            Resource::LogLevels => {
                Box::pin(log_levels::answer(state, connection, &head.method, headers, body)).await
            }
            Resource::Root => Ok(docs::root(state, headers.all)),
            Resource::Page => Ok(docs::page(state)),
            Resource::Asset => docs::asset(name, headers.all),
            Resource::Document => docs::document(state, headers.all),
        }
    }
}

/// Returns the time if a request is logged: at DEBUG, and not for probes.
fn logged_since(head: &Parts) -> Option<Instant> {
    let is_enabled = tracing::enabled!(target: TARGET, tracing::Level::DEBUG);
    (is_enabled && !is_probe(head.uri.path())).then(Instant::now)
}

fn log(head: &Parts, response: &Response, started: Instant) {
    tracing::debug!(
        target: TARGET,
        http_method = &*shortened(head.method.as_str()),
        http_path = &*shortened(head.uri.path()),
        http_status = response.status().as_u16(),
        duration_ms = started.elapsed().as_micros() as f64 / 1e3,
        "Request answered."
    );
}

fn method_not_allowed(head: &Parts, route: &Route<'_>) -> Response {
    let (path, method) = (shortened(head.uri.path()), shortened(head.method.as_str()));
    let error = ErrorResponse::method_not_allowed(format!("{path} does not take {method}"));
    let mut response = Response::from(error);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(route.methods));
    response
}

fn not_found(head: &Parts) -> ErrorResponse {
    if head.uri.path() == "/metrics" {
        return ErrorResponse::not_found(
            "there are no metrics: enable them by `Service::metrics(true)`, or `metrics: {enabled: true}` in the \
             configuration file"
                .to_owned(),
        );
    }
    ErrorResponse::not_found(format!("there is nothing at {}", shortened(head.uri.path())))
}
