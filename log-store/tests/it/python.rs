//! Logs of Python services, recorded from `rest-model-service` with its published logging decorators.
//! `tests/python/record.py` records them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Folder, Server};

const INVALID: &str = "Field 'body, age' has error 'int_parsing', Input should be a valid integer, \
                       unable to parse string as an integer.";

/// Starts the program with a recording, and waits until it is read.
fn served(name: &str) -> (Folder, Server) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let folder = Folder::new();
    let log = folder.path("app.log");
    fs::copy(cases.join(name), &log).unwrap();
    let lines = fs::read_to_string(&log).unwrap().lines().count() as u64;
    let server = Server::start(&folder, &[log.to_str().unwrap()]);
    server.wait(|health| {
        health["records"].as_u64().unwrap() + health["rejected"].as_u64().unwrap() == lines
    });
    (folder, server)
}

/// The predictions of a recording: status, inputs, outputs and error, the oldest first.
fn predictions(server: &Server) -> Vec<Value> {
    let found = server.search("model=insurance_charges_model");
    let mut found: Vec<_> = found
        .iter()
        .map(|found| {
            json!([found["status"], found["inputs"], found["outputs"], found["error_info"]])
        })
        .collect();
    found.reverse();
    found
}

fn success(age: u32, bmi: f64, charges: f64) -> Value {
    json!(["success", { "age": age, "bmi": bmi }, { "charges": charges }, null])
}

/// What the services were asked, with the records of each prediction joined.
fn joined() -> Vec<Value> {
    vec![
        success(25, 21.0, 1173.75),
        success(33, 28.5, 1558.125),
        json!(["error", { "age": 17, "bmi": 30.25 }, {}, "no tree for age 17"]),
        json!(["error", {}, {}, INVALID]),
        // At the same time.
        success(64, 30.0, 2737.5),
        success(62, 30.0, 2662.5),
        success(63, 30.0, 2700.0),
        success(45, 24.5, 1963.125),
    ]
}

#[test]
fn predictions_with_ids_are_shown_like_those_of_this_project() {
    let (_folder, server) = served("python-ids.log");
    assert_eq!(predictions(&server), joined());
    let found = server.get("/api/predictions/order-4711");
    for (key, expected) in [
        ("model", json!("insurance_charges_model")),
        ("version", json!("0.1.0")),
        ("instance", json!("insurance-0")),
        ("status", json!("success")),
        ("requested_at", json!("2026-11-28T17:55:55.034Z")),
        ("answered_at", json!("2026-11-28T17:55:55.035Z")),
        ("inputs", json!({ "age": 33, "bmi": 28.5 })),
        ("outputs", json!({ "charges": 1558.125 })),
    ] {
        assert_eq!(found[key], expected, "{key}");
    }
    let messages: Vec<_> =
        found["records"].as_array().unwrap().iter().map(|record| &record["message"]).collect();
    assert_eq!(messages, ["Prediction requested.", "Prediction created."]);
    // The id that the service made is logged with the answer alone.
    let made = server.search("age=25");
    assert_eq!(made[0]["prediction_id"], "8555313e-8e9d-4f22-84dd-d255c9bc6f96");
    let range = "from=2026-11-28&to=2026-11-28";
    let totals = server.get(&format!("/api/overview?{range}"))["totals"].clone();
    assert_eq!(
        (&totals["success"], &totals["error"], &totals["pending"]),
        (&json!(6), &json!(2), &json!(0))
    );
    let failures = server.get(&format!("/api/failures?{range}"));
    let causes: Vec<_> =
        failures["failures"].as_array().unwrap().iter().map(|failure| &failure["cause"]).collect();
    assert_eq!(causes, [INVALID, "no tree for age #"]);
    // The traceback is a record of its own, the lines of the server are none.
    let traceback = server.get("/api/records?search=ValueError");
    assert_eq!(traceback["records"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/health")["rejected"], 17);
}

#[test]
fn predictions_without_ids_are_joined_by_thread() {
    let (_folder, server) = served("python-threads.log");
    assert_eq!(predictions(&server), joined());
}

#[test]
fn predictions_without_ids_and_threads_are_joined_where_that_is_certain() {
    let (_folder, server) = served("python-plain.log");
    let mut expected = joined();
    let simultaneous: Vec<_> = expected.drain(4..7).collect();
    let requests = simultaneous.iter().map(|found| json!(["pending", found[1], {}, null]));
    // In the order in which the predictions ended.
    let answers =
        [1, 0, 2].map(|index| json!(["success", {}, simultaneous[index][2].clone(), null]));
    expected.splice(4..4, requests.chain(answers));
    assert_eq!(predictions(&server), expected);
}
