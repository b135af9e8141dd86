//! The model predicts what scikit-learn predicts, alone and behind the service.

#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use ml_model_core::{MLModel, Request};
use onnx::{Apartment, RentModel};
use serde::Deserialize;
use serde_json::Value;

/// A row of `model/expected.json`.
#[derive(Deserialize)]
struct Expected {
    input: Apartment,
    rent: f64,
}

fn expected() -> Vec<Expected> {
    serde_json::from_str(include_str!("../model/expected.json")).unwrap()
}

/// scikit-learn computes with 64 bits and the pipeline with 32, of which 24 are the digits.
fn assert_close(rent: f64, expected: f64) {
    let tolerance = expected * 16.0 * f64::from(f32::EPSILON);
    assert!((rent - expected).abs() <= tolerance, "{rent} instead of {expected}");
}

#[test]
fn predictions_are_those_of_scikit_learn() {
    let (model, rows) = (RentModel::load().unwrap(), expected());
    assert_eq!(rows.len(), 50);
    for row in &rows {
        assert_close(model.predict(row.input.clone()).unwrap().rent.into(), row.rent);
    }
    assert!(model.takes_batches());
    let batch = rows.iter().map(|row| Request::new(row.input.clone())).collect();
    let predictions = model.call_batch(batch);
    assert_eq!(predictions.len(), 50);
    for (prediction, row) in predictions.into_iter().zip(&rows) {
        assert_close(prediction.unwrap().rent.into(), row.rent);
    }
}

/// Ends the process when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn the_service_predicts_what_scikit_learn_predicts() {
    let service = Command::new(env!("CARGO_BIN_EXE_onnx"))
        .args(["--address", "127.0.0.1:0"])
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut service = Killed(service);
    let mut log = BufReader::new(service.0.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let listening = log.find(|record| record.get("address").is_some()).unwrap();
    assert!(log.any(|record| record["message"] == "All models are loaded."));

    let row = &expected()[0];
    let body = serde_json::to_string(&row.input).unwrap();
    let mut stream = TcpStream::connect(listening["address"].as_str().unwrap()).unwrap();
    write!(
        stream,
        "POST /api/models/rent_model/prediction HTTP/1.1\r\nhost: rent\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();

    let (head, answer) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{response}");
    let answer: Value = answer.parse().unwrap();
    assert_close(answer["rent"].as_f64().unwrap(), row.rent);
    let created = log.find(|record| record["message"] == "Prediction created.").unwrap();
    assert_eq!(
        (&created["prediction_id"], &created["rent"]),
        (&answer["prediction_id"], &answer["rent"])
    );
}
