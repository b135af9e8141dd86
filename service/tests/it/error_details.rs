//! Details of failures inside the service, in answers to clients.

use std::io;
use std::sync::Arc;

use crate::common::{Running, log, records};
use ml_model_core::{Infer, MLModel, Rejection, RejectionKind};
use ml_model_service::Service;

/// A model whose errors have a password in their sources.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct Leaking;

#[derive(Debug, thiserror::Error)]
#[error("the features are not available")]
struct Unavailable(#[source] io::Error);

impl Infer for Leaking {
    type Input = bool;
    type Output = bool;
    type Error = Unavailable;

    fn infer(&self, _: &bool) -> Result<bool, Unavailable> {
        Err(Unavailable(io::Error::other("postgres://svc:hunter2@db")))
    }
}

const KEY: &str = "the-only-key-0123456789";

/// Returns the answers to a prediction and to a batch.
fn answers(yaml: &str, id: &str) -> [String; 2] {
    let service = Service::new("Test").model(|| Leaking);
    let service = Running::serve(service, yaml, Arc::default());
    service.wait_until("/api/health/ready", 200);
    [("prediction", "true"), ("predictions", "[true]")].map(|(path, body)| {
        let response = service.send(format!(
            "POST /api/models/leaking/{path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: application/json\r\nx-api-key: {KEY}\r\nx-prediction-id: {id}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(response.status, if path == "prediction" { 500 } else { 200 }, "{response:?}");
        response.body
    })
}

#[test]
fn a_local_service_without_keys_shows_the_error_of_the_model() {
    for answer in answers("", "local") {
        assert!(answer.contains("the features are not available: postgres://svc"), "{answer}");
    }
}

#[test]
fn other_services_show_a_general_message_and_the_id() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), KEY).unwrap();
    let keys = format!("server: {{api_keys: {{file: {:?}}}}}", file.path().to_str().unwrap());
    for (yaml, id) in [(&*keys, "keys"), ("server: {show_error_details: false}", "setting")] {
        for answer in answers(yaml, id) {
            let expected = r#""type":"ServiceError","messages":["the model failed; the log contains the reason"]"#;
            assert!(answer.contains(expected), "{answer}");
            assert!(answer.contains(r#""prediction_id":""#), "{answer}");
            assert!(!answer.contains("hunter2") && !answer.contains("features"), "{answer}");
        }
        let records = records(id);
        let error_info = records[1]["error_info"].as_str().unwrap();
        assert!(error_info.contains("hunter2"), "{error_info}");
    }
}

/// Knows no customer.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct Picky;

impl Infer for Picky {
    type Input = u32;
    type Output = bool;
    type Error = Rejection;

    fn infer(&self, customer: &u32) -> Result<bool, Rejection> {
        let reason = format!("there is no customer {customer}");
        Err(Rejection::new(RejectionKind::NotFound, "UnknownCustomerError", reason))
    }
}

#[test]
fn a_model_rejects_a_request_with_a_status_and_a_type() {
    let service = Service::new("Test").model(|| Picky);
    let service = Running::serve(service, "", Arc::default());
    service.wait_until("/api/health/ready", 200);
    let predict = |path: &str, body: &[u8]| {
        service.post(&format!("/api/models/picky/{path}"), "application/json", body)
    };
    let response = predict("prediction", b"7");
    assert_eq!(response.status, 404);
    let json = response.json();
    assert_eq!(json["type"], "UnknownCustomerError");
    assert_eq!(json["messages"], serde_json::json!(["there is no customer 7"]));
    let records = records(json["prediction_id"].as_str().unwrap());
    assert_eq!(records[1]["error_info"], "there is no customer 7");

    let rows = predict("predictions", b"[7]");
    assert_eq!(rows.status, 200);
    assert_eq!(rows.json()["results"][0]["error"]["type"], "UnknownCustomerError");
}

#[test]
fn readiness_refers_to_the_log_for_the_reason() {
    let load = || Err::<Leaking, _>(io::Error::other("no forest at postgres://svc:hunter3@db"));
    let service = Service::new("Test").model(load);
    let service = Running::serve(service, "server: {show_error_details: false}", Arc::default());
    service.wait_until("/api/health", 503);
    let expected = r#"{"readiness_status":"REFUSING_TRAFFIC","reason":"the models could not be loaded; the log contains the reason"}"#;
    assert_eq!(service.get("/api/health/ready").body, expected);
    assert!(log().iter().any(|record| record.to_string().contains("hunter3")));
}
