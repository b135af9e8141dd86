//! API keys, as the document tells of them.

use serde_json::{Map, Value, json};

use super::answers::{UNAUTHORIZED, with_errors};

/// The two ways to show a key.
pub(super) fn schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "An API key." },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "An API key.",
        },
    })
}

/// One of them will do.
pub(super) fn any_of_them() -> Value {
    json!([{ "bearer": [] }, { "apiKey": [] }])
}

/// Adds what is answered without a key; those who ask for health need none.
pub(super) fn require_key(paths: &mut Map<String, Value>) {
    let operations = paths.values_mut().filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Map::values_mut) {
        if operation["tags"] == json!(["Health"]) {
            operation["security"] = json!([]);
            continue;
        }
        let mut responses = with_errors(operation["responses"].take(), &[UNAUTHORIZED]);
        if let Some(responses) = responses.as_object_mut() {
            responses.sort_keys();
        }
        operation["responses"] = responses;
    }
}
