//! The demo with the configuration files of Python services, and with mistaken ones.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

mod common;

use std::path::{Path, PathBuf};

use common::{Demo, PUBLISHED, command};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn keys(record: &Value) -> Vec<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The two records of one prediction by the demo with this configuration.
fn records(name: &str, answer_has_id: bool) -> [Value; 2] {
    let path = fixture(name);
    let mut demo = Demo::start_with(&[
        ("REST_CONFIG", path.to_str().unwrap()),
        ("NODE_IP", "10.0.0.7"),
        ("POD_NAME", "pod-1"),
    ]);
    let (status, answer) = demo.predict(PUBLISHED);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer.get("prediction_id").is_some(), answer_has_id, "{answer}");
    let requested = demo.record_with(|record| record["message"] == "Prediction requested.");
    let created = demo.record_with(|record| record["message"] == "Prediction created.");
    for record in [&requested, &created] {
        assert_eq!(record["pathname"], path.to_str().unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        let line = text.lines().nth(record["lineno"].as_u64().unwrap() as usize - 1).unwrap();
        assert!(line.contains("LoggingDecorator") || line.contains("- logging:"), "{line}");
    }
    [requested, created]
}

const HEAD: [&str; 3] = ["action", "model_qualified_name", "model_version"];
const OUTCOME: [&str; 2] = ["status", "duration_ms"];

#[test]
fn the_logging_decorator_without_fields() {
    let [requested, created] = records("1-logging.yaml", false);
    let context = ["asctime", "node_ip", "name", "pathname", "lineno", "levelname", "message"];
    assert_eq!(keys(&requested), [&context[..], &HEAD].concat());
    assert_eq!(keys(&created), [&context[..], &HEAD, &OUTCOME].concat());
    assert_eq!(requested["node_ip"], "10.0.0.7");
}

#[test]
fn the_logging_decorator_with_fields() {
    let [requested, created] = records("2-fields.yaml", false);
    let context = [
        "asctime",
        "hostname",
        "node_ip",
        "process",
        "thread",
        "pathname",
        "lineno",
        "levelname",
        "message",
    ];
    assert_eq!(keys(&requested), [&context[..], &HEAD, &["age", "bmi"]].concat());
    assert_eq!(keys(&created), [&context[..], &HEAD, &OUTCOME, &["charges"]].concat());
    assert_eq!((&requested["age"], requested["bmi"].to_string()), (&65.into(), "50.0".to_owned()));
}

#[test]
fn the_prediction_id_and_logging_decorators_in_both_spellings() {
    for name in ["3-prediction-id.yaml", "short.yaml"] {
        let [requested, created] = records(name, true);
        let context = [
            "asctime",
            "hostname",
            "pod_name",
            "node_name",
            "process",
            "thread",
            "pathname",
            "lineno",
            "levelname",
            "message",
        ];
        let id = ["prediction_id"];
        assert_eq!(keys(&requested), [&context[..], &HEAD, &id, &["age", "bmi"]].concat());
        assert_eq!(keys(&created), [&context[..], &HEAD, &id, &OUTCOME, &["charges"]].concat());
        assert_eq!(requested["prediction_id"], created["prediction_id"]);
        assert_eq!(
            (&requested["pod_name"], &requested["node_name"]),
            (&"pod-1".into(), &"N/A".into())
        );
    }
}

#[test]
fn the_elastic_common_schema_with_the_trace_of_the_request() {
    let path = fixture("ecs.yaml");
    let mut demo = Demo::start_with(&[("REST_CONFIG", path.to_str().unwrap())]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n");
    let (status, answer) = demo.predict_with(&header, PUBLISHED);
    assert_eq!(status, 200, "{answer}");
    let created = demo.record_with(|record| record["message"] == "Prediction created.");
    assert_eq!(created["trace.id"], trace);
    assert_eq!(created["span.id"], "00f067aa0ba902b7");
    assert_eq!(created["service.name"], "insurance");
    assert_eq!(created["prediction_id"], answer["prediction_id"]);
    assert_eq!(created["log.logger"], "insurance_charges_model_logger");
    assert!(created["event.duration"].is_u64(), "{created}");
    assert!(created.get("duration_ms").is_none() && created.get("trace_id").is_none(), "{created}");
}

#[test]
fn every_mistake_is_reported_at_once_and_nothing_is_opened() {
    let path = fixture("mistakes.yaml");
    for arguments in [&["check-config"][..], &[]] {
        let output =
            command().args(arguments).env("REST_CONFIG", &path).env("PORT", "0").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!errors.contains("not-to-be-shown"), "{errors}");
        let shown = errors.replace(path.to_str().unwrap(), "mistakes.yaml");
        expect_test::expect_file!["fixtures/mistakes.stderr"].assert_eq(&shown);
    }
}

#[test]
fn a_valid_file_is_said_to_be_so() {
    let output = command()
        .arg("check-config")
        .args(["--configuration_file".as_ref(), fixture("short.yaml").as_os_str()])
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("short.yaml is valid: Insurance Charges Model Service, 1 model(s)"),
        "{said}"
    );
    assert!(said.contains("insurance_charges_model: 2 configured decorator(s)"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_an_error_that_names_it() {
    let output = command().env("REST_CONFIG", "nowhere.yaml").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("nowhere.yaml"), "{error}");
}

#[test]
fn the_environment_overrides_scalars() {
    let path = fixture("short.yaml");
    let demo = Demo::start_with(&[
        ("REST_CONFIG", path.to_str().unwrap()),
        ("ML_SERVICE__MODELS__0__CREATE_ENDPOINT", "false"),
    ]);
    assert_eq!(demo.predict(PUBLISHED).0, 404);

    let output = command()
        .arg("check-config")
        .env("REST_CONFIG", &path)
        .env("ML_SERVICE__MODELS__0__CREATE_ENDPONT", "false")
        .env("ML_SERVICE__SERVER__BODY_LIMIT_BYTES", "hunter2")
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert!(errors.contains("ML_SERVICE__MODELS__0__CREATE_ENDPONT"), "{errors}");
    assert!(errors.contains("did you mean `create_endpoint`?"), "{errors}");
    assert!(!errors.contains("hunter2"), "{errors}");
}
