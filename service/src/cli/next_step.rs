//! The last lines on the terminal after the start: where the documentation is, and a first prediction.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use crate::state::State;

/// Width that terminals have at least.
const COLUMNS: usize = 100;

/// Prints the next step to standard error if it is a terminal and the models are loaded.
pub(crate) fn print(state: &State, address: SocketAddr) {
    let Some(Ok(loaded)) = state.loaded() else { return };
    if !io::stderr().is_terminal() {
        return;
    }
    if let Some(logging) = &state.logging {
        // The records of the start come first. A log that does not take them has its own report.
        let _late = logging.flush_within(Duration::from_secs(1));
    }
    let text = next_step(&loaded.openapi, address, state.info.has_api_keys);
    // A closed terminal needs no next step.
    let _closed = io::stderr().write_all(text.as_bytes());
}

/// Writes the next step from the OpenAPI document.
fn next_step(openapi: &Value, address: SocketAddr, has_api_keys: bool) -> String {
    let origin = format!("http://{}", reachable(address));
    let mut text = format!("\nDocumentation: {origin}/docs\n");
    let paths = openapi["paths"].as_object().into_iter().flatten();
    let Some((path, operations)) =
        paths.into_iter().find(|(path, _)| path.ends_with("/prediction"))
    else {
        return text;
    };
    let key = if has_api_keys { " -H 'x-api-key: ...'" } else { "" };
    let example = operations.pointer("/post/requestBody/content/application~1json/example");
    let data = example.map(|example| format!("'{}'", example.to_string().replace('\'', r"'\''")));
    let data = data.filter(|data| data.chars().count() + "    -d ".len() <= COLUMNS);
    let data = data.as_deref().unwrap_or("@input.json");
    let _infallible = write!(
        text,
        "A prediction:\n  curl {origin}{path} \\\n    -H 'content-type: application/json'{key} \\\n    -d {data}\n"
    );
    text
}

/// Returns an address that clients on this machine can use: an unspecified one stands for all.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn openapi(example: &Value) -> Value {
        let content = json!({ "application/json": { "example": example } });
        let post = json!({ "post": { "requestBody": { "content": content } } });
        json!({ "paths": { "/api/models": {}, "/api/models/area_model/prediction": post } })
    }

    #[test]
    fn the_next_step_is_a_command_that_works_in_a_shell() {
        let address = "0.0.0.0:8000".parse().unwrap();
        let text = next_step(&openapi(&json!({ "unit": "o'clock" })), address, true);
        assert_eq!(
            text,
            r#"
Documentation: http://127.0.0.1:8000/docs
A prediction:
  curl http://127.0.0.1:8000/api/models/area_model/prediction \
    -H 'content-type: application/json' -H 'x-api-key: ...' \
    -d '{"unit":"o'\''clock"}'
"#
        );
    }

    #[test]
    fn a_long_example_is_left_out() {
        let text =
            next_step(&openapi(&json!(["x".repeat(100)])), ([127, 0, 0, 1], 80).into(), false);
        assert!(text.ends_with("    -d @input.json\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= COLUMNS), "{text}");
    }

    #[test]
    fn a_service_without_models_has_its_documentation() {
        let text = next_step(&json!({ "paths": {} }), ([127, 0, 0, 1], 80).into(), false);
        assert_eq!(text, "\nDocumentation: http://127.0.0.1:80/docs\n");
    }
}
