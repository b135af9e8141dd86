//! The service as a running program: both models, the fallback, and what the log may show.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// The service as a child process, with all that it has written to standard output.
struct Service {
    process: Child,
    output: BufReader<ChildStdout>,
    written: String,
    address: String,
}

impl Service {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_credit-risk"));
        command
            .env_remove("RUST_LOG")
            .env("REST_CONFIG", concat!(env!("CARGO_MANIFEST_DIR"), "/rest_config.yaml"))
            .env("ML_LOG_HASH_KEY", "07".repeat(32))
            .env("ML_SERVICE_ADDRESS", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut service = Self { process, output, written: String::new(), address: String::new() };
        loop {
            let start = service.written.len();
            assert_ne!(service.output.read_line(&mut service.written).unwrap(), 0, "it has ended");
            let record: Value = service.written[start..].parse().unwrap();
            if let Some(address) = record["address"].as_str() {
                service.address = address.to_owned();
            }
            if record["message"] == "All models are loaded." {
                return service;
            }
        }
    }

    /// Sends a request and returns the status and the body.
    fn send(&self, what: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{what} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn predict(&self, model: &str, application: &Value) -> (u16, Value) {
        let what = format!("POST /api/models/{model}/prediction");
        let (status, body) = self.send(&what, &application.to_string());
        (status, body.parse().unwrap())
    }

    /// Stops the service and returns all that it has written to standard output, and to standard error.
    fn stop(mut self) -> (String, String) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        let mut written = std::mem::take(&mut self.written);
        self.output.read_to_string(&mut written).unwrap();
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert!(self.process.wait().unwrap().success());
        (written, errors)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The process has ended already if the test succeeded.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

fn records(log: &str) -> Vec<Value> {
    log.lines().map(|line| line.parse().unwrap()).collect()
}

/// Returns the first loan of the data, with these members instead.
fn application(changes: &Value) -> Value {
    let mut application = json!({
        "customer_id": "c-7712-0934", "name": "Zebedee Quux", "age": 67,
        "amount": 1169, "duration": 6, "installment_rate": 4,
        "checking_account": "overdrawn", "credit_history": "critical",
        "purpose": "radio_or_television", "savings": "unknown_or_none",
        "employment": "from7_years", "guarantee": "none", "property": "real_estate",
        "other_plans": "none", "housing": "own",
    });
    let members = changes.as_object().unwrap().clone();
    application.as_object_mut().unwrap().extend(members);
    application
}

#[test]
fn both_models_are_listed_and_predict() {
    let service = Service::start();
    let (status, models) = service.send("GET /api/models", "");
    assert_eq!(status, 200);
    for model in ["credit_scorecard", "credit_rules"] {
        assert!(models.contains(&format!("\"qualified_name\":\"{model}\"")), "{models}");
    }
    let first = application(&json!({}));
    let (status, decision) = service.predict("credit_scorecard", &first);
    assert_eq!(status, 200, "{decision}");
    assert_eq!(decision["class"], "grant");
    assert_eq!(decision["decided_by"], "scorecard");
    let (status, decision) = service.predict("credit_rules", &first);
    assert_eq!(status, 200, "{decision}");
    assert_eq!(decision["default_probability"], 0.3);
    assert_eq!((&decision["class"], &decision["decided_by"]), (&"refuse".into(), &"rules".into()));
    service.stop();
}

#[test]
fn a_loan_outside_of_the_data_is_decided_by_the_rules_under_one_id() {
    let service = Service::start();
    let (status, decision) =
        service.predict("credit_scorecard", &application(&json!({ "amount": 20_000 })));
    assert_eq!(status, 200, "{decision}");
    assert_eq!(decision["decided_by"], "rules");
    let (log, _) = service.stop();
    let mut records = records(&log);
    records.retain(|record| record["prediction_id"] == decision["prediction_id"]);
    let lines: Vec<_> =
        records.iter().map(|record| (&record["name"], &record["message"])).collect();
    let (scorecard, rules) = ("credit_scorecard_logger".into(), "credit_rules_logger".into());
    assert_eq!(
        lines,
        [
            (&scorecard, &"Prediction requested.".into()),
            (&"credit_risk::decorators".into(), &"Falling back.".into()),
            (&rules, &"Prediction requested.".into()),
            (&rules, &"Prediction created.".into()),
            (&scorecard, &"Prediction created.".into()),
        ]
    );
    assert_eq!(records[1]["error_info"], "the data has no loan above 18424 DM: 20000 DM");
}

#[test]
fn a_probability_between_the_limits_is_for_review() {
    let service = Service::start();
    // 19 points less than the first loan.
    let between = application(&json!({ "purpose": "other", "savings": "below100" }));
    let (_, decision) = service.predict("credit_scorecard", &between);
    assert_eq!(decision["class"], "review", "{decision}");
    service.stop();
}

#[test]
fn the_readme_shows_the_answer() {
    let readme = include_str!("../README.md");
    let between = |start: &str, end: &str| {
        let (_, rest) = readme.split_once(start).unwrap();
        rest.split_once(end).unwrap().0.parse::<Value>().unwrap()
    };
    let service = Service::start();
    let (_, mut answer) = service.predict("credit_scorecard", &between("-d '", "'\n```"));
    let mut shown = between("```json\n", "```");
    for answer in [&mut answer, &mut shown] {
        assert!(answer["prediction_id"].take().is_string());
    }
    assert_eq!(answer, shown);
    service.stop();
}

#[test]
fn no_sensitive_value_is_written() {
    let service = Service::start();
    let decided = application(&json!({}));
    let refused = application(&json!({ "age": 17, "savings": "gold_4711", "duration": 0 }));
    let torn = decided.to_string().replace("critical", "c-7712-0934\\");
    let mut written = String::new();
    for model in ["credit_scorecard", "credit_rules"] {
        assert_eq!(service.predict(model, &decided).0, 200);
        let (status, answer) = service.predict(model, &refused);
        assert_eq!(status, 400);
        assert!(answer["messages"].to_string().contains("duration"), "{answer}");
        written += &answer.to_string();
        let what = format!("POST /api/models/{model}/prediction");
        written += &service.send(&what, &torn).1;
    }
    written += &service.send("GET /metrics", "").1;
    written += &service.send("GET /openapi.json", "").1;
    let (log, errors) = service.stop();
    let records = records(&log);
    let of_scorecard = records.iter().find(|record| record["name"] == "credit_scorecard_logger");
    assert_eq!(of_scorecard.unwrap()["age"], 60);
    assert_eq!(of_scorecard.unwrap()["amount"], 1000);
    assert_eq!(of_scorecard.unwrap()["savings"], "[REDACTED]");
    assert_eq!(of_scorecard.unwrap()["customer_id"].as_str().unwrap().len(), 32);
    written += &log;
    written += &errors;
    for value in [
        "c-7712-0934",
        "Zebedee",
        "\"age\":67",
        "\"age\":17",
        "gold_4711",
        "\"savings\":\"unknown_or_none\"",
    ] {
        assert!(!written.contains(value), "{value} in {written}");
    }
}
