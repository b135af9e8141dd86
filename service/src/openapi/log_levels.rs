//! The operations on the levels of the log.

use serde_json::{Value, json};

use super::responses::{NO_ADMIN, json_content, json_response, with_errors};
use super::security;
use crate::http::handlers::log_levels::LONGEST;

const TAG: &str = "Log";

pub(super) fn tag() -> Value {
    json!({ "name": TAG, "description": "Which records are logged." })
}

/// Describes the methods of the path.
pub(super) fn operations() -> Value {
    let operation = |id: &str, summary: &str, description: &str, answer: &str, example: &str| {
        let example = json!({ "levels": example, "initial_levels": "info" });
        let answer = json_response(answer, &both(), Some(example));
        json!({
            "tags": [TAG],
            "operationId": id,
            "summary": summary,
            "description": description,
            "security": security::any_admin_key(),
            "responses": with_errors(json!({ "200": answer }), &[NO_ADMIN]),
        })
    };
    let get = operation(
        "get_log_levels",
        "Log levels",
        "Returns the current and the initial log levels.",
        "The levels.",
        "info",
    );
    let mut put = operation(
        "set_log_levels",
        "Set the log levels",
        "Replaces all log levels. The change itself is logged at WARNING, regardless of the levels.",
        "The new levels.",
        "info,hyper=debug",
    );
    let mut wanted = object(&[("levels", LEVELS)]);
    wanted["properties"]["levels"]["pattern"] = pattern().into();
    wanted["properties"]["levels"]["maxLength"] = LONGEST.into();
    put["requestBody"] = json!({
        "required": true,
        "content": json_content(&wanted, Some(json!({ "levels": "info,hyper=debug" }))),
    });
    put["responses"] = with_errors(
        put["responses"].take(),
        &["BadRequest", "RequestTimeout", "PayloadTooLarge", "UnsupportedMediaType"],
    );
    let delete = operation(
        "reset_log_levels",
        "Set the initial levels again",
        "Those of `RUST_LOG`, else of the configuration.",
        "The new levels.",
        "info",
    );
    json!({ "get": get, "put": put, "delete": delete })
}

const LEVELS: &str = "Levels as in `RUST_LOG`: one for all targets, then `target=level` for targets and what \
                      is below them, separated by commas; `off`, `error`, `warn`, `info`, `debug` or `trace`.";

fn both() -> Value {
    object(&[("levels", LEVELS), ("initial_levels", "The levels with which the service began.")])
}

/// Returns a pattern of valid levels. The service also accepts capital letters and more white space.
fn pattern() -> String {
    let level = "(off|error|warn|warning|info|debug|trace)";
    let target = "[A-Za-z0-9_.:-]*[A-Za-z0-9_-][A-Za-z0-9_.:-]*";
    let directive = format!("({target}=)?{level}");
    format!("^{directive}( *, *{directive})*$")
}

/// Makes the schema of an object of required strings.
fn object(members: &[(&str, &str)]) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {},
        "required": members.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "additionalProperties": false,
    });
    for (name, description) in members {
        schema["properties"][name] = json!({ "type": "string", "description": description });
    }
    schema
}
