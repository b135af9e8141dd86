//! Metadata of the models.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;

use crate::hosting::endpoint::Endpoint;
use crate::hosting::shorten::shortened;
use crate::http::response::{ErrorResponse, Response, json};
use crate::state::{Loaded, State};

/// `GET /api/models`
pub(in crate::http) fn list(state: &State) -> Result<Response, ErrorResponse> {
    let models = loaded(state)?.models.registry.list();
    Ok(json(StatusCode::OK, &json!({ "models": models })))
}

/// `GET /api/models/{qualified_name}/metadata`
pub(in crate::http) fn metadata(state: &State, name: &str) -> Result<Response, ErrorResponse> {
    let metadata = loaded(state)?.models.registry.metadata(&shortened(name));
    let metadata = metadata.map_err(|error| ErrorResponse::not_found(error.to_string()))?;
    Ok(json(StatusCode::OK, &metadata))
}

/// Reason for clients without details of errors.
pub(super) const NOT_LOADED: &str = "the models could not be loaded; the log contains the reason";

/// Returns the loaded models.
///
/// # Errors
///
/// 503 if there are none, or none yet.
pub(super) fn loaded(state: &State) -> Result<&Loaded, ErrorResponse> {
    let problem = match state.loaded() {
        Some(Ok(loaded)) => return Ok(loaded),
        Some(Err(_)) => NOT_LOADED,
        None => "the models are still being loaded",
    };
    Err(ErrorResponse::unavailable(problem.to_owned()))
}

/// Returns the endpoint of a model.
///
/// # Errors
///
/// 404 if there is no such model or it has no endpoint, 503 if no models are loaded.
pub(super) fn endpoint<'s>(
    state: &'s State,
    name: &str,
) -> Result<&'s Arc<Endpoint>, ErrorResponse> {
    let models = &loaded(state)?.models;
    models.endpoint(name).ok_or_else(|| match models.registry.get(&shortened(name)) {
        Err(error) => ErrorResponse::not_found(error.to_string()),
        Ok(_) => ErrorResponse::not_found(format!(
            "`{name}` has no endpoint: the configuration says `create_endpoint: false`"
        )),
    })
}
