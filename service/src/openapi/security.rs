//! API keys and admin keys in the document.

use serde_json::{Map, Value, json};

use super::responses::{UNAUTHORIZED, with_errors};
use crate::info::Info;

/// Describes the two headers for each kind of key.
pub(super) fn schemes(info: &Info) -> Map<String, Value> {
    let bearer = |key| json!({ "type": "http", "scheme": "bearer", "description": key });
    let header =
        |key| json!({ "type": "apiKey", "in": "header", "name": "X-API-Key", "description": key });
    let mut schemes = Map::new();
    if info.has_api_keys {
        schemes.insert("bearer".to_owned(), bearer("An API key."));
        schemes.insert("apiKey".to_owned(), header("An API key."));
    }
    if info.has_admin_keys {
        schemes.insert("adminBearer".to_owned(), bearer("An admin key."));
        schemes.insert("adminKey".to_owned(), header("An admin key."));
    }
    schemes
}

/// Requires an API key in one of the two headers.
pub(super) fn any_api_key() -> Value {
    json!([{ "bearer": [] }, { "apiKey": [] }])
}

/// Requires an admin key in one of the two headers.
pub(super) fn any_admin_key() -> Value {
    json!([{ "adminBearer": [] }, { "adminKey": [] }])
}

/// Adds the response to a request without a key. Operations on health need no key, and some operations
/// require a key of another kind.
pub(super) fn require_key(paths: &mut Map<String, Value>) {
    let operations = paths.values_mut().filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Map::values_mut) {
        if operation["tags"] == json!(["Health"]) {
            operation["security"] = json!([]);
        }
        if operation.get("security").is_some() {
            continue;
        }
        let mut responses = with_errors(operation["responses"].take(), &[UNAUTHORIZED]);
        if let Some(responses) = responses.as_object_mut() {
            responses.sort_keys();
        }
        operation["responses"] = responses;
    }
}
