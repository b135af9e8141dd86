//! The REST API over a real socket.

use crate::common::{Running, records};
use serde_json::{Value, json};

#[test]
fn a_prediction_is_answered_and_recorded_under_its_id() {
    let service = Running::start();
    let response = service.predict(r#"{"age": 25, "bmi": 21.5}"#);
    assert_eq!(response.status, 200);
    let answer = response.json();
    assert_eq!(answer["charges"], 250.0);
    let id = answer["prediction_id"].as_str().unwrap();
    assert_eq!(response.body, format!(r#"{{"charges":250.0,"prediction_id":"{id}"}}"#));

    let [requested, created] = records(id).try_into().unwrap();
    assert_eq!(requested["message"], "Prediction requested.");
    assert_eq!(requested["age"], 25);
    assert_eq!(requested["bmi"], 21.5);
    assert_eq!(created["message"], "Prediction created.");
    assert_eq!(created["status"], "success");
    assert_eq!(created["charges"], 250.0);
    let keys: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
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
            "status",
            "duration_ms",
            "charges"
        ]
    );
}

#[test]
fn a_clients_id_comes_back() {
    let service = Running::start();
    let response = service.predict(r#"{"prediction_id": "order-7", "age": 25, "bmi": 21.5}"#);
    assert_eq!(response.json()["prediction_id"], "order-7");
    assert_eq!(records("order-7").len(), 2);
}

#[test]
fn a_bad_id_is_a_400_that_names_it() {
    let service = Running::start();
    let response = service.predict(r#"{"prediction_id": "order 7", "age": 25, "bmi": 21.5}"#);
    assert_eq!(response.status, 400);
    let (kind, messages) = response.error();
    assert_eq!(kind, "ValidationError");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].starts_with("prediction_id: "), "{messages:?}");
    let id = response.json()["prediction_id"].as_str().unwrap().to_owned();
    assert_eq!(records(&id).len(), 2, "recorded under a new id");
}

#[test]
fn all_violations_are_reported_at_once_and_recorded() {
    let service = Running::start();
    let body = r#"{"prediction_id": "many", "age": 17, "sex": "other", "address": {"zip": "1"}, "size": 3}"#;
    let response = service.predict(body);
    assert_eq!(response.status, 400);
    assert_eq!(response.json()["prediction_id"], "many");
    let (kind, mut messages) = response.error();
    messages.sort();
    assert_eq!(kind, "ValidationError");
    assert_eq!(
        messages,
        [
            r#"address.zip: "1" is shorter than 4 characters"#,
            "age: 17 is less than the minimum of 18",
            "bmi: is required",
            r#"sex: "other" is none of "male", "female", null"#,
            "size: is not known to this model",
        ]
    );
    let [requested, exception] = records("many").try_into().unwrap();
    // The record has the readable fields.
    assert_eq!((&requested["age"], &requested["bmi"]), (&json!(17), &Value::Null));
    assert_eq!(exception["message"], "Prediction exception.");
    assert_eq!(exception["levelname"], "ERROR");
    let error_info = exception["error_info"].as_str().unwrap();
    for message in messages {
        assert!(error_info.contains(&message), "{message} in {error_info}");
    }
}

#[test]
fn bodies_that_are_no_input_are_400() {
    let service = Running::start();
    let long = "x".repeat(200);
    for (body, expected) in [
        ("", "the body is empty, expected JSON"),
        ("{", "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        (r#"{"age": 25, "bmi": NaN}"#, "the body is not JSON: expected value at line 1 column 20"),
        ("[]", "[] is not of type object"),
        ("null", "null is not of type object"),
        ("7", "7 is not of type object"),
        (&format!("\"{long}\""), &format!("\"{}… is not of type object", &long[..79])),
        (r#"{"age": "25", "bmi": 20}"#, r#"age: "25" is not of type integer"#),
        (r#"{"age": 25.5, "bmi": 20}"#, "age: 25.5 is not of type integer"),
        (
            r#"{"age": 25, "bmi": 1e400}"#,
            "the body is not JSON: number out of range at line 1 column 24",
        ),
        (
            r#"{"age": 99999999999999999999, "bmi": 20}"#,
            "age: 1e+20 is greater than the maximum of 65",
        ),
    ] {
        let response = service.predict(body);
        assert_eq!(response.status, 400, "{body}");
        let (kind, messages) = response.error();
        assert_eq!(kind, "ValidationError");
        assert_eq!(messages, [expected], "{body}");
        let id = response.json()["prediction_id"].as_str().unwrap().to_owned();
        assert_eq!(records(&id).len(), 2, "{body}");
    }
    assert_eq!(service.predict(r#"{"age": 25.0, "bmi": 20}"#).status, 200);
}

#[test]
fn invalid_utf8_and_deep_nesting_are_400() {
    let service = Running::start();
    let path = "/api/models/charges_model/prediction";
    let bad = service.post(path, "application/json", b"{\"age\": \"\xff\"}");
    assert_eq!((bad.status, bad.error().0.as_str()), (400, "ValidationError"));
    let deep = "[".repeat(100_000);
    let response = service.post(path, "application/json", deep.as_bytes());
    assert_eq!(response.status, 400);
    assert!(response.error().1[0].contains("recursion limit"), "{response:?}");
}

#[test]
fn a_wrong_content_type_is_415() {
    let service = Running::start();
    let path = "/api/models/charges_model/prediction";
    let body = br#"{"age": 25, "bmi": 21.5}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let response = service.post(path, content_type, body);
        assert_eq!(response.status, 415, "{content_type}");
        let message = &response.error().1[0];
        assert!(
            message.contains(content_type) && message.contains("application/json"),
            "{message}"
        );
    }
    for content_type in
        ["application/json; charset=utf-8", "Application/JSON", "application/x+json"]
    {
        assert_eq!(service.post(path, content_type, body).status, 200, "{content_type}");
    }
    let without = service.send(format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}"
    ));
    assert_eq!(without.status, 415);
}

#[test]
fn an_oversized_body_is_413() {
    let service = Running::start();
    let body = vec![b' '; 1024 * 1024 + 1];
    let response = service.post("/api/models/charges_model/prediction", "application/json", &body);
    assert_eq!(response.status, 413);
    assert_eq!(response.error().1, ["a body may have at most 1048576 bytes"]);
    assert_eq!(service.predict(r#"{"age": 25, "bmi": 21.5}"#).status, 200);
}

#[test]
fn unknown_models_and_paths_are_404() {
    let service = Running::start();
    let unknown = service.post("/api/models/other/prediction", "application/json", b"{}");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.error().1, ["no model is named `other`; the models are: charges_model"]);
    assert_eq!(service.get("/api/models/other/metadata").status, 404);
    let nothing = service.get("/api/nothing");
    assert_eq!((nothing.status, nothing.error().0.as_str()), (404, "NotFoundError"));
}

#[test]
fn a_wrong_method_is_405() {
    let service = Running::start();
    let response = service.get("/api/models/charges_model/prediction");
    assert_eq!(response.status, 405);
    assert_eq!(response.error().0, "MethodNotAllowedError");
    assert!(response.head.contains("allow: post"), "{response:?}");
}

#[test]
fn a_failing_model_is_500_with_the_id() {
    let service = Running::start();
    let response = service.predict(r#"{"prediction_id": "fire", "age": 40, "bmi": 20}"#);
    assert_eq!(response.status, 500);
    assert_eq!(
        response.json(),
        json!({
            "type": "ServiceError",
            "messages": ["the forest is on fire"],
            "prediction_id": "fire",
        })
    );
    let [_, exception] = records("fire").try_into().unwrap();
    assert_eq!(exception["error_info"], "the forest is on fire");
}

#[test]
fn a_panicking_model_is_500_and_the_service_lives() {
    let service = Running::start();
    let response = service.predict(r#"{"prediction_id": "boom", "age": 50, "bmi": 20}"#);
    assert_eq!(response.status, 500);
    assert_eq!(response.json()["prediction_id"], "boom");
    assert_eq!(response.error().1, ["the model panicked"]);
    let [_, exception] = records("boom").try_into().unwrap();
    assert_eq!(exception["error_info"], "panic: fifty");
    assert_eq!(service.predict(r#"{"age": 25, "bmi": 21.5}"#).status, 200);
}

#[test]
fn models_are_listed_with_their_metadata() {
    let service = Running::start();
    let details = json!({
        "display_name": "Charges Model",
        "qualified_name": "charges_model",
        "description":
            "Charges ten times the age; fails at 40, panics at 50, waits for the gate at 60.",
        "version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(service.get("/api/models").json(), json!({ "models": [details] }));

    let mut metadata = service.get("/api/models/charges_model/metadata").json();
    let metadata = metadata.as_object_mut().unwrap();
    let input = metadata.remove("input_schema").unwrap();
    let output = metadata.remove("output_schema").unwrap();
    assert_eq!(Value::Object(metadata.clone()), details);
    assert_eq!(input["properties"]["age"]["minimum"], 18);
    assert!(input["properties"].get("prediction_id").is_some());
    assert_eq!(output["required"], json!(["charges", "prediction_id"]));
}
