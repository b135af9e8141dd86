//! The demo as its users run it: the program, a socket, signals and standard output.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

struct Demo {
    process: Child,
    log: BufReader<ChildStdout>,
    address: String,
}

impl Demo {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_insurance-charges"))
            .args(["--address", "127.0.0.1:0"])
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stdout.take().unwrap());
        let mut demo = Self { process, log, address: String::new() };
        let listening = demo.record_with(|record| record.get("address").is_some());
        demo.address = listening["address"].as_str().unwrap().to_owned();
        demo.record_with(|record| record["message"] == "All models are loaded.");
        demo
    }

    /// The next record that fits; those before it are passed over.
    fn record_with(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "the log has ended");
            let record: Value = line.parse().unwrap();
            if fits(&record) {
                return record;
            }
        }
    }

    /// Status and body.
    fn predict(&self, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST /api/models/insurance_charges_model/prediction HTTP/1.1\r\nhost: demo\r\n\
             connection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.parse().unwrap())
    }

    /// Sends a signal and returns the rest of the log once the program has ended well.
    fn stop(mut self, signal: &str) -> Vec<Value> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        assert!(self.process.wait().unwrap().success());
        rest.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already if the test went well.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

const PUBLISHED: &str =
    r#"{"age":65,"sex":"male","bmi":50,"children":5,"smoker":true,"region":"southwest"}"#;

#[test]
fn a_prediction_leaves_two_records_with_its_id_on_standard_output() {
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
fn two_wrong_fields_are_one_answer_that_names_both() {
    let demo = Demo::start();
    let body = PUBLISHED.replace("65", "66").replace("male", "none");
    let (status, answer) = demo.predict(&body);
    assert_eq!(status, 400);
    let messages = answer["messages"].to_string();
    assert!(messages.contains("age: 66") && messages.contains("sex: "), "{messages}");
    demo.stop("TERM");
}

#[test]
fn every_signal_that_asks_to_stop_is_followed() {
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
fn a_port_in_use_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_insurance-charges"))
        .env("ML_SERVICE_ADDRESS", &address)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    let expected = format!("error: cannot listen on {address}: choose another address");
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("in use"), "{error}");
}

#[test]
fn a_bad_address_is_a_clear_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_insurance-charges"))
        .args(["--address", "localhost"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("invalid value 'localhost' for '--address <IP:PORT>'"), "{error}");
}
