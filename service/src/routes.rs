//! The paths of the API.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;

use crate::docs;
use crate::head::CheckHead;
use crate::hosted::PREDICTION_ID_HEADER;
use crate::levels;
use crate::metrics::{self, Metrics};
use crate::predictions;
use crate::response::{ErrorResponse, shortened};
use crate::state::{Phase, State};
use crate::trace_context::TRACE_PARENT;

/// Answers of so many bytes are worth compressing.
pub(crate) const COMPRESSED_FROM: u64 = 1024;

/// The routes; with metrics also theirs, and all requests are counted.
pub(crate) fn router(state: Arc<State>, metrics: Option<Arc<Metrics>>) -> Router {
    let server = &state.server;
    let mut router = Router::new()
        .merge(docs::router())
        .route("/api/health", get(health))
        .route("/api/health/ready", get(ready))
        .route("/api/health/startup", get(startup))
        .route("/api/models", get(models))
        .route("/api/models/{qualified_name}/metadata", get(metadata))
        .route("/api/models/{qualified_name}/prediction", post(predictions::prediction))
        .route("/api/models/{qualified_name}/predictions", post(predictions::batch));
    if let Some(metrics) = metrics.clone() {
        let service = state.info.service_name();
        let endpoint = move |Shared(state): Shared<Arc<State>>| async move {
            metrics::response(&metrics, &service, state.phase() == Phase::Ready)
        };
        router = router.route("/metrics", get(endpoint));
    }
    if server.admin_keys.is_some() && state.logging.is_some() {
        router = router.merge(levels::router());
    }
    router = router.method_not_allowed_fallback(method_not_allowed).fallback(not_found);
    if server.compression {
        router = router
            // The handlers say which coding they do not know, as JSON.
            .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
            .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESSED_FROM)));
    }
    if server.api_keys.is_some() {
        router = router.layer(from_fn_with_state(state.clone(), admit));
    }
    router = router.layer(CheckHead { body_limit_bytes: server.body_limit_bytes });
    if !server.allowed_origins.is_empty() {
        router = router.layer(cors(&server.allowed_origins));
    }
    // Outermost, so that what is turned away is counted as well.
    if let Some(metrics) = metrics {
        router = router.layer(metrics.layer());
    }
    router.with_state(state)
}

/// Whether a path is asked by machines that watch the service, every few seconds and without keys.
pub(crate) fn is_probe(path: &str) -> bool {
    path == "/api/health" || path.starts_with("/api/health/")
}

/// Lets in those who show a key, the probes, and those who are asked for another key.
async fn admit(
    Shared(state): Shared<Arc<State>>,
    request: Request,
    next: Next,
) -> Result<Response, ErrorResponse> {
    let path = request.uri().path();
    let is_admitted = is_probe(path)
        || path == levels::PATH
        || state.server.api_keys.as_ref().is_none_or(|keys| keys.admit(request.headers()));
    if !is_admitted {
        return Err(ErrorResponse::without_key());
    }
    Ok(next.run(request).await)
}

fn cors(allowed_origins: &[String]) -> CorsLayer {
    let headers = [header::CONTENT_TYPE, header::AUTHORIZATION]
        .into_iter()
        .chain([HeaderName::from_static("x-api-key")])
        .chain([PREDICTION_ID_HEADER.clone(), TRACE_PARENT.clone()]);
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(headers.collect::<Vec<_>>())
        .expose_headers([PREDICTION_ID_HEADER.clone()]);
    if allowed_origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(AllowOrigin::any());
    }
    let origins = allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins))
}

/// 200 with the first state if `is_ok`, 503 with the second otherwise.
fn health_response(key: &str, is_ok: bool, states: [&str; 2]) -> Response {
    let (status, state) = if is_ok {
        (StatusCode::OK, states[0])
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, states[1])
    };
    (status, Json(json!({ key: state }))).into_response()
}

async fn health(Shared(state): Shared<Arc<State>>) -> Response {
    let is_ok = state.phase() != Phase::Failed;
    health_response("health_status", is_ok, ["HEALTHY", "NOT_HEALTHY"])
}

async fn ready(Shared(state): Shared<Arc<State>>) -> Response {
    let is_ok = state.phase() == Phase::Ready;
    if let Some(reason) = state.failure() {
        let body = json!({ "readiness_status": "REFUSING_TRAFFIC", "reason": reason });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    health_response("readiness_status", is_ok, ["ACCEPTING_TRAFFIC", "REFUSING_TRAFFIC"])
}

async fn startup(Shared(state): Shared<Arc<State>>) -> Response {
    let is_ok = matches!(state.phase(), Phase::Ready | Phase::Stopping);
    health_response("startup_status", is_ok, ["STARTED", "NOT_STARTED"])
}

async fn models(Shared(state): Shared<Arc<State>>) -> Result<Response, ErrorResponse> {
    let models = state.models()?;
    Ok(Json(json!({ "models": models.registry.list() })).into_response())
}

async fn metadata(
    Shared(state): Shared<Arc<State>>,
    Segment(name): Segment,
) -> Result<Response, ErrorResponse> {
    let models = state.models()?;
    let metadata = models.registry.metadata(&shortened(&name));
    let metadata = metadata.map_err(|error| ErrorResponse::not_found(error.to_string()))?;
    Ok(Json(metadata).into_response())
}

/// The one segment of a path that is not fixed, as text.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorResponse> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            // Nothing has a name that is no text.
            Err(_no_text) => Err(not_found(parts.uri.clone()).await),
        }
    }
}

async fn method_not_allowed(method: Method, uri: Uri) -> ErrorResponse {
    ErrorResponse::method_not_allowed(format!(
        "{} does not take {}",
        shortened(uri.path()),
        shortened(method.as_str())
    ))
}

async fn not_found(uri: Uri) -> ErrorResponse {
    ErrorResponse::not_found(format!("there is nothing at {}", shortened(uri.path())))
}
