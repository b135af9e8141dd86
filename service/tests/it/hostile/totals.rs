//! Short bodies with many mistakes make short answers and records.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use crate::common::{Running, log};
use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A hundred required fields, each with a hundred valid values.
#[derive(Serialize, Deserialize)]
struct Wide(Map<String, Value>);

impl JsonSchema for Wide {
    fn schema_name() -> Cow<'static, str> {
        "Wide".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = (0..100).map(|number| format!("field_{number}")).collect();
        let choices: Vec<_> = (0..100).map(|number| format!("choice_{number}")).collect();
        let field = |name: &String| (name.clone(), json!({"enum": choices}));
        let fields: Map<_, _> = names.iter().map(field).collect();
        json_schema!({"type": "object", "properties": fields, "required": names})
    }
}

/// Returns a constant.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct WideModel;

impl Infer for WideModel {
    type Input = Wide;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, _input: &Wide) -> Result<f64, Infallible> {
        Ok(1.0)
    }
}

/// A type that serde refuses with a long message.
#[derive(Serialize, Deserialize)]
struct Verbose(#[serde(deserialize_with = "verbose")] f64);

fn verbose<'de, D: serde::Deserializer<'de>>(_deserializer: D) -> Result<f64, D::Error> {
    Err(serde::de::Error::custom("no ".repeat(300)))
}

impl JsonSchema for Verbose {
    fn schema_name() -> Cow<'static, str> {
        "Verbose".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// Never receives an input.
#[derive(MLModel)]
#[decorate(prediction_id)]
struct VerboseModel;

impl Infer for VerboseModel {
    type Input = Verbose;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, _input: &Verbose) -> Result<f64, Infallible> {
        Ok(1.0)
    }
}

fn start() -> Running {
    let service = Service::new("Test").model(|| WideModel).model(|| VerboseModel);
    let running = Running::serve(service, "", Arc::default());
    running.wait_until("/api/health/ready", 200);
    running
}

#[test]
fn the_mistakes_of_all_rows_are_limited_together() {
    let service = start();
    let wrong: Map<_, _> = (0..10).map(|number| (format!("field_{number}"), json!("x"))).collect();
    for (row, mistakes) in [(json!({}), 100), (Value::from(wrong), 100), (json!([]), 1)] {
        let rows = Value::from(vec![row.clone(); 1000]).to_string();
        let path = "/api/models/wide_model/predictions";
        let response = service.post(path, "application/json", rows.as_bytes());
        assert_eq!(response.status, 200);
        // A row takes about 200 bytes without its messages.
        assert!(response.body.len() < 64 * 1024 + 300 * 1000, "{} bytes", response.body.len());

        let answer = response.json();
        let messages = |row: &Value| row["error"]["messages"].as_array().unwrap().clone();
        let results: Vec<_> = answer["results"].as_array().unwrap().iter().map(messages).collect();
        assert_eq!(results.len(), 1000);
        assert_eq!(results[0].len(), mistakes, "the first row has all its messages");
        let text =
            |messages: &[Value]| -> String { messages.iter().filter_map(Value::as_str).collect() };
        let last = text(&results[999]);
        if mistakes > 1 {
            assert_eq!(
                last,
                format!("{mistakes} messages left out, others fill the answer: send the row alone")
            );
        } else {
            assert_eq!(last, text(&results[0]));
        }

        let records = log().into_iter();
        let records: Vec<_> =
            records.filter(|record| record["batch_id"] == answer["batch_id"]).collect();
        assert_eq!(records.len(), 2000);
        let error_info = records.iter().filter_map(|record| record["error_info"].as_str());
        let length: usize = error_info.map(str::len).sum();
        assert!(length < 64 * 1024 + 100 * 1000, "{length} bytes");
    }
}

#[test]
fn long_refusals_of_the_model_are_limited_together() {
    let service = start();
    let rows = Value::from(vec![1; 1000]).to_string();
    let path = "/api/models/verbose_model/predictions";
    let response = service.post(path, "application/json", rows.as_bytes());
    assert_eq!(response.status, 200);
    assert!(response.body.len() < 64 * 1024 + 300 * 1000, "{} bytes", response.body.len());
    let last = &response.json()["results"][999]["error"];
    assert_eq!(last["type"], "SchemaValidationError");
    let message = "1 message left out, others fill the answer: send the row alone";
    assert_eq!(last["messages"], json!([message]));
}
