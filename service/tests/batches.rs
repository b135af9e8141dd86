//! Many rows in one request.

#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

mod common;

use common::{Running, records};
use serde_json::{Value, json};

#[test]
fn every_row_has_its_result_and_its_records() {
    let service = Running::start();
    let rows = json!([
        {"age": 25, "bmi": 20, "prediction_id": "batch-row-0"},
        {"age": 99, "bmi": 20, "prediction_id": "batch-row-1"},
        {"age": 40, "bmi": 20, "prediction_id": "batch-row-2"},
        {"age": 50, "bmi": 20, "prediction_id": "batch-row-3"},
        "no object",
        {"age": 30, "bmi": 20},
    ]);
    let response = service.predict_rows(&rows.to_string());
    assert_eq!(response.status, 200, "{response:?}");
    let answer = response.json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 6);
    assert_eq!(
        results[0],
        json!({"prediction": {"charges": 250.0, "prediction_id": "batch-row-0"}})
    );
    assert_eq!(results[1]["error"]["type"], "ValidationError");
    assert!(results[1]["error"]["messages"][0].as_str().unwrap().starts_with("age: 99"));
    assert_eq!(results[1]["error"]["prediction_id"], "batch-row-1");
    assert_eq!(results[2]["error"]["messages"], json!(["the model failed: the forest is on fire"]));
    assert_eq!(results[3]["error"]["messages"], json!(["the model panicked"]));
    assert_eq!(results[4]["error"]["type"], "ValidationError");
    assert_eq!(results[5]["prediction"]["charges"], 300.0);

    let batch_id = &answer["batch_id"];
    let ids = (0..4).map(|row| format!("batch-row-{row}"));
    let last = results[5]["prediction"]["prediction_id"].as_str().unwrap().to_owned();
    for (row, id) in [0, 1, 2, 3, 5].into_iter().zip(ids.chain([last])) {
        let records = records(&id);
        assert_eq!(records.len(), 2, "{id}: {records:?}");
        for record in &records {
            assert_eq!((&record["batch_id"], &record["row"]), (batch_id, &row.into()));
        }
        assert_eq!(records[0]["message"], "Prediction requested.");
        let created = records[1]["message"] == "Prediction created.";
        assert_eq!(created, [0, 5].contains(&row));
    }
}

#[test]
fn what_is_no_batch_is_refused_as_a_whole() {
    let service = Running::configured("server: {batch_limit_rows: 2}");
    let refused = |body: &str| {
        let response = service.predict_rows(body);
        (response.status, response.error().1.concat())
    };
    assert_eq!(refused("{}"), (400, "expected a list of inputs, `[{...}, {...}]`".to_owned()));
    assert_eq!(refused("[").0, 400);
    assert_eq!(
        refused("[1, 2, 3]"),
        (413, "a batch may have at most 2 rows, this one has 3".to_owned())
    );
    let none = service.predict_rows("[]");
    assert_eq!((none.status, &none.json()["results"]), (200, &Value::Array(Vec::new())));
    let unknown = service.post("/api/models/x/predictions", "application/json", b"[]");
    assert_eq!(unknown.status, 404);
}
