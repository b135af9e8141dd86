//! The paths of the API.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use crate::metrics::{self, Metrics};
use crate::response::ErrorResponse;
use crate::state::{Phase, State};

/// The largest body of a request, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The routes; with metrics also theirs, and all requests are counted.
pub(crate) fn router(state: Arc<State>, metrics: Option<Arc<Metrics>>) -> Router {
    let mut router = Router::new()
        .route("/", get(root))
        .route("/api/health", get(health))
        .route("/api/health/ready", get(ready))
        .route("/api/health/startup", get(startup))
        .route("/api/models", get(models))
        .route("/api/models/{qualified_name}/metadata", get(metadata))
        .route("/api/models/{qualified_name}/prediction", post(prediction));
    if let Some(metrics) = metrics.clone() {
        router = router.route("/metrics", get(move || metrics::endpoint(metrics.clone())));
    }
    let mut router = router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    if let Some(metrics) = metrics {
        router = router.layer(metrics.layer());
    }
    router.with_state(state)
}

async fn root(Shared(state): Shared<Arc<State>>) -> Html<String> {
    let title = escape(&state.title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
         <h1>{title}</h1>\n<p><a href=\"/api/models\">Models</a> · \
         <a href=\"/api/health/ready\">Readiness</a></p>\n<ul>\n"
    );
    if let Ok(models) = state.models() {
        for model in models.registry.list() {
            let (name, display_name) = (escape(&model.qualified_name), escape(&model.display_name));
            page.push_str(&format!(
                "<li>{display_name}: <code>POST /api/models/{name}/prediction</code>, \
                 <a href=\"/api/models/{name}/metadata\">metadata</a></li>\n"
            ));
        }
    }
    page.push_str("</ul></html>\n");
    Html(page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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
    Path(name): Path<String>,
) -> Result<Response, ErrorResponse> {
    let models = state.models()?;
    let metadata = models.registry.metadata(&name);
    let metadata = metadata.map_err(|error| ErrorResponse::not_found(error.to_string()))?;
    Ok(Json(metadata).into_response())
}

async fn prediction(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let models = state.models()?;
    let model = models.hosted(&name).ok_or_else(|| match models.registry.get(&name) {
        Err(error) => ErrorResponse::not_found(error.to_string()),
        Ok(_) => ErrorResponse::not_found(format!("`{name}` takes no requests here")),
    })?;
    expect_json(request.headers())?;
    let body = read(request).await?;
    let answer = model.predict(&body)?;
    Ok(Json(answer).into_response())
}

fn expect_json(headers: &HeaderMap) -> Result<(), ErrorResponse> {
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let essence = content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    let is_json = essence.is_some_and(|essence| {
        let essence = essence.to_ascii_lowercase();
        essence == "application/json"
            || essence.starts_with("application/") && essence.ends_with("+json")
    });
    if is_json {
        return Ok(());
    }
    let found = content_type.map_or("no content type".to_owned(), |found| format!("`{found}`"));
    let message = format!("expected `content-type: application/json`, found {found}");
    Err(ErrorResponse::unsupported_media_type(message))
}

async fn read(request: Request<Body>) -> Result<Bytes, ErrorResponse> {
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(failure)
            if failure.status() == StatusCode::PAYLOAD_TOO_LARGE =>
        {
            ErrorResponse::too_large(format!("a body may have at most {BODY_LIMIT} bytes"))
        }
        rejection => {
            ErrorResponse::validation(vec![format!("the body did not arrive: {rejection}")])
        }
    })
}

async fn method_not_allowed(method: Method, uri: Uri) -> ErrorResponse {
    ErrorResponse::method_not_allowed(format!("{} does not take {method}", uri.path()))
}

async fn not_found(uri: Uri) -> ErrorResponse {
    ErrorResponse::not_found(format!("there is nothing at {}", uri.path()))
}
