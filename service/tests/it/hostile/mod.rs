//! Broken, slow and malicious clients. Each receives a clear answer, predictions are recorded, and the next
//! client is served normally.
//!
//! | module | mistakes |
//! |---|---|
//! | `bodies` | invalid or unusual JSON |
//! | `meaning` | one body in several forms |
//! | `totals` | many mistakes in short bodies |
//! | `heads` | malformed or unusual HTTP, unknown paths |
//! | `connections` | timing of bytes, broken connections |
//! | `limits` | beyond the limits: heads, bodies, connections, unread answers |

mod bodies;
mod connections;
mod heads;
mod limits;
mod meaning;
mod totals;

use std::io::Write;

use crate::common::{DEADLINE, Response, Running, records};

const PREDICTION: &str = "/api/models/charges_model/prediction";
const GOOD: &str = r#"{"age": 25, "bmi": 21.5}"#;

/// Sends bytes unchanged and reads to the end of the connection.
fn exchange(service: &Running, request: impl AsRef<[u8]>) -> Response {
    let mut stream = service.connect();
    // The service may answer and close before it has read everything.
    let _answered_early = stream.write_all(request.as_ref());
    Response::read(stream)
}

/// Makes a request for a prediction with these header lines.
fn post(headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!(
        "POST {PREDICTION} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n{headers}\r\n"
    );
    [head.as_bytes(), body.as_ref()].concat()
}

fn post_body(body: impl AsRef<[u8]>) -> Vec<u8> {
    let length = body.as_ref().len();
    post(&format!("connection: close\r\ncontent-length: {length}\r\n"), body)
}

fn is_alive(service: &Running) {
    let response = exchange(service, post_body(GOOD));
    assert_eq!(response.status, 200, "the next client: {response:?}");
    let id = response.json()["prediction_id"].as_str().unwrap().to_owned();
    assert_eq!(records(&id).len(), 2);
}
