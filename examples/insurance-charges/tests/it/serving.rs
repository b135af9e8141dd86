//! The demo as a running program: predictions, signals and the levels of its log.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::demo::{Demo, PUBLISHED, command};

#[test]
fn a_prediction_writes_two_records_with_its_id() {
    let mut demo = Demo::start();
    let (status, answer) = demo.predict(PUBLISHED);
    assert_eq!(status, 200);
    assert!(answer["charges"].as_f64().unwrap() > 10_000.0);
    let id = answer["prediction_id"].clone();

    let requested = demo.record_with(|record| record["prediction_id"] == id);
    let created = demo.record_with(|record| record["prediction_id"] == id);
    let keys = |record: &Value| record.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let context = [
        "asctime",
        "hostname",
        "process",
        "thread",
        "name",
        "pathname",
        "lineno",
        "levelname",
        "message",
        "action",
        "model_qualified_name",
        "model_version",
        "prediction_id",
    ];
    assert_eq!(keys(&requested), [&context[..], &["age", "bmi"]].concat());
    assert_eq!(keys(&created), [&context[..], &["status", "duration_ms", "charges"]].concat());
    assert_eq!(requested["name"], "insurance_charges_model_logger");
    assert!(requested["pathname"].as_str().unwrap().ends_with("insurance-charges/src/model.rs"));
    assert_eq!((&requested["age"], &requested["bmi"]), (&65.into(), &50.0.into()));
    assert_eq!(created["charges"], answer["charges"]);
}

#[test]
fn two_wrong_fields_are_reported_together() {
    let demo = Demo::start();
    let body = PUBLISHED.replace("65", "66").replace("male", "none");
    let (status, answer) = demo.predict(&body);
    assert_eq!(status, 400);
    let messages = answer["messages"].to_string();
    assert!(messages.contains("age: 66") && messages.contains("sex: "), "{messages}");
    demo.stop("TERM");
}

#[test]
fn both_termination_signals_stop_the_program() {
    for signal in ["TERM", "INT"] {
        let demo = Demo::start();
        assert_eq!(demo.predict(PUBLISHED).0, 200);
        let rest = demo.stop(signal);
        assert_eq!(rest.last().unwrap()["message"], "Stopped.");
        let created =
            rest.iter().filter(|record| record["message"] == "Prediction created.").count();
        assert_eq!(created, 1);
    }
}

#[test]
fn every_change_of_levels_is_logged() {
    let variables = [
        ("ADMIN_KEYS", "an-admin-key-0123456789"),
        ("ML_SERVICE__SERVER__ADMIN_KEYS__ENVIRONMENT", "ADMIN_KEYS"),
    ];
    let demo = Demo::start_with(&variables);
    let ask = |method: &str, body: &str| {
        let key = "x-api-key: an-admin-key-0123456789\r\n";
        let (status, _) = demo.send(&format!("{method} /api/log/levels"), key, body);
        assert_eq!(status, 200);
    };
    for levels in ["error", "off", "ml_model_service=off", "off,ml_model_service::levels=error"] {
        let body = json!({ "levels": levels }).to_string();
        // The second request changes nothing.
        ask("PUT", &body);
        ask("PUT", &body);
    }
    ask("DELETE", "");
    let changes: Vec<_> = demo
        .stop("TERM")
        .into_iter()
        .filter(|record| record.get("previous_levels").is_some())
        .map(|record| json!([record["levelname"], record["previous_levels"], record["levels"]]))
        .collect();
    assert_eq!(
        changes,
        [
            json!(["WARNING", "info", "error"]),
            json!(["WARNING", "error", "off"]),
            json!(["WARNING", "off", "ml_model_service=off"]),
            json!(["WARNING", "ml_model_service=off", "off,ml_model_service::levels=error"]),
            json!(["WARNING", "off,ml_model_service::levels=error", "info"]),
        ]
    );
}

#[test]
fn a_port_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command().env("ML_SERVICE_ADDRESS", &address).output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    let expected = format!("error: cannot listen on {address}: choose another address");
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("in use"), "{error}");
}

#[test]
fn a_bad_address_is_an_error() {
    let output = command().args(["--address", "localhost"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("invalid value 'localhost' for '--address <IP:PORT>'"), "{error}");
}
