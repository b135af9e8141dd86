//! Health, for load balancers and orchestrators.

use hyper::StatusCode;
use serde_json::json;

use super::models::NOT_LOADED;
use crate::http::response::{Response, json};
use crate::state::{Phase, State};

/// `GET /api/health`
pub(in crate::http) fn health(state: &State) -> Response {
    let is_ok = state.phase() != Phase::Failed;
    answer("health_status", is_ok, ["HEALTHY", "NOT_HEALTHY"])
}

/// `GET /api/health/ready`
pub(in crate::http) fn ready(state: &State) -> Response {
    if let Some(Err(reason)) = state.loaded() {
        let reason = if state.shows_error_details { reason } else { NOT_LOADED };
        let body = json!({ "readiness_status": "REFUSING_TRAFFIC", "reason": reason });
        return json(StatusCode::SERVICE_UNAVAILABLE, &body);
    }
    let is_ok = state.phase() == Phase::Ready;
    answer("readiness_status", is_ok, ["ACCEPTING_TRAFFIC", "REFUSING_TRAFFIC"])
}

/// `GET /api/health/startup`
pub(in crate::http) fn startup(state: &State) -> Response {
    let is_ok = matches!(state.phase(), Phase::Ready | Phase::Stopping);
    answer("startup_status", is_ok, ["STARTED", "NOT_STARTED"])
}

/// 200 with the first state if `is_ok`, 503 with the second one otherwise.
fn answer(key: &str, is_ok: bool, states: [&str; 2]) -> Response {
    let (status, state) = if is_ok {
        (StatusCode::OK, states[0])
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, states[1])
    };
    json(status, &json!({ key: state }))
}
