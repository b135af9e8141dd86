//! Many rows in one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Input, Output, Running, records};
use ml_model_core::{Context, Infer, MLModel};
use ml_model_service::Service;
use serde_json::{Value, json};

/// Charges ten times the age, for all rows of a batch at once; fails at 40, and as a whole at 50.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"], output_fields = ["charges"]))]
struct WholeModel {
    batches: Arc<AtomicUsize>,
}

impl Infer for WholeModel {
    type Input = Input;
    type Output = Output;
    type Error = std::io::Error;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        if input.age == 40 {
            return Err(std::io::Error::other("the forest is on fire"));
        }
        Ok(Output { charges: f64::from(input.age) * 10.0 })
    }

    const TAKES_BATCHES: bool = true;

    fn infer_batch(&self, rows: &[(Input, Context)]) -> Vec<Result<Output, Self::Error>> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        assert!(rows.iter().all(|(input, _)| input.age != 50), "fifty");
        rows.iter().map(|(input, _)| self.infer(input)).collect()
    }
}

#[test]
fn a_model_that_takes_batches_receives_them_as_a_whole() {
    let batches = Arc::new(AtomicUsize::new(0));
    let model = WholeModel { batches: batches.clone() };
    let service = Service::new("Test").model(move || model);
    let service = Running::serve(service, "", Arc::default());
    service.wait_until("/api/health/ready", 200);
    let predict = |rows: Value| {
        let path = "/api/models/whole_model/predictions";
        let response = service.post(path, "application/json", rows.to_string().as_bytes());
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    };
    let row = |age: u8, id: &str| json!({"age": age, "bmi": 20, "prediction_id": id});

    let answer = predict(json!([
        row(25, "whole-0"),
        row(99, "whole-1"),
        row(40, "whole-2"),
        row(30, "whole-3")
    ]));
    let results = answer["results"].as_array().unwrap();
    let prediction =
        |charges: f64, id: &str| json!({"prediction": {"charges": charges, "prediction_id": id}});
    assert_eq!(results[0], prediction(250.0, "whole-0"));
    assert_eq!(results[1]["error"]["type"], "ValidationError");
    assert_eq!(records("whole-1")[0]["age"], 99);
    assert_eq!(results[2]["error"]["messages"], json!(["the forest is on fire"]));
    assert_eq!(results[3], prediction(300.0, "whole-3"));
    assert_eq!(batches.load(Ordering::Relaxed), 1);
    for number in 0..4 {
        let records = records(&format!("whole-{number}"));
        assert_eq!(records.len(), 2, "{records:?}");
        assert!(records.iter().all(|record| record["row"] == number));
        assert!(records.iter().all(|record| record["batch_id"] == answer["batch_id"]));
        let is_created = records[1]["message"] == "Prediction created.";
        assert_eq!(is_created, [0, 3].contains(&number));
    }

    // A panic fails all rows that the model has received.
    let answer = predict(json!([row(25, "whole-4"), row(50, "whole-5"), row(17, "whole-6")]));
    let results = answer["results"].as_array().unwrap();
    for (result, (id, message)) in results.iter().zip([
        ("whole-4", "the model panicked"),
        ("whole-5", "the model panicked"),
        ("whole-6", "age: 17 is less than the minimum of 18"),
    ]) {
        assert_eq!(result["error"]["messages"], json!([message]));
        assert_eq!(result["error"]["prediction_id"], id);
        assert_eq!(records(id)[1]["message"], "Prediction exception.");
    }
    assert_eq!(predict(json!([]))["results"], json!([]));
    assert_eq!(batches.load(Ordering::Relaxed), 2);
}

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
    assert_eq!(results[2]["error"]["messages"], json!(["the forest is on fire"]));
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
