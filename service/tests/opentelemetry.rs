//! A service that runs as a program and exports: its records, its spans, and its end. This test is
//! that program, too.

#![allow(clippy::unwrap_used, reason = "all of this is a test")]

#[path = "../../ml-logging/tests/it/support/collector.rs"]
mod collector;
#[path = "it/common/mod.rs"]
mod common;

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use collector::{Collector, fields, hex, value};
use common::{ChargesModel, Response, eventually};
use ml_model_service::Service;
use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode};
use serde_json::{Value, json};

const PROGRAM: &str = "OPENTELEMETRY_TEST_PROGRAM";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn service() -> Service {
    Service::new("Exported Service").model(|| ChargesModel { gate: std::sync::Arc::default() })
}

/// Runs the program, sends one request for each of these ages, and ends it. Returns its records.
fn run(collector: &Collector, requests: &[(u8, &str)]) -> (ExitStatus, Vec<Value>) {
    let mut program = Command::new(env::current_exe().unwrap())
        .args(["--address", "127.0.0.1:0"])
        .env(PROGRAM, "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address())
        .env("OTEL_SERVICE_NAME", "exported-service")
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(program.stdout.take().unwrap());
    let mut records: Vec<Value> = Vec::new();
    let address = loop {
        let mut line = String::new();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "it ends before it listens");
        let record: Value = line.parse().unwrap();
        let address = record["address"].as_str().map(str::to_owned);
        records.push(record);
        if let Some(address) = address {
            break address;
        }
    };
    let send = |request: String| {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Response::read(stream)
    };
    let ready = "GET /api/health/ready HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    eventually("it is ready", || (send(ready.to_owned()).status == 200).then_some(()));
    for (age, headers) in requests {
        let body = format!(r#"{{"age": {age}, "bmi": 20}}"#);
        send(format!(
            "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        ));
    }
    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    records.extend(rest.lines().map(|line| line.parse::<Value>().unwrap()));
    (program.wait().unwrap(), records)
}

fn records_and_spans_of_predictions_are_exported_and_join_up() {
    let collector = Collector::start();
    let from_caller = format!("traceparent: 00-{TRACE}-{CALLER}-01\r\n");
    let (status, lines) = run(&collector, &[(25, &from_caller), (40, &from_caller), (30, "")]);
    assert!(status.success());

    // Each line, field by field, in the order of the lines within a target.
    let mut exported = collector.records();
    assert_eq!(exported.len(), lines.len());
    let natively = ["asctime", "name", "levelname", "message", "trace_id", "span_id"];
    for line in &lines {
        let members = line.as_object().unwrap();
        let expected: Vec<_> = members
            .iter()
            .filter(|(key, value)| !natively.contains(&key.as_str()) && !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let is_it = |(target, record): &(String, _)| {
            let record: &opentelemetry_proto::tonic::logs::v1::LogRecord = record;
            line["name"] == **target
                && line["message"] == value(record.body.as_ref())
                && line["levelname"] == *record.severity_text
                && line.get("trace_id").is_none_or(|id| *id == hex(&record.trace_id))
                && line.get("span_id").is_none_or(|id| *id == hex(&record.span_id))
                && fields(&record.attributes) == expected
        };
        let position = exported.iter().position(is_it);
        exported.remove(position.unwrap_or_else(|| panic!("{line} is not among {exported:?}")));
    }
    let resource = collector.resource();
    assert!(resource.contains(&("service.name".into(), json!("exported-service"))), "{resource:?}");

    let spans = collector.spans();
    let requests: Vec<_> = spans.iter().filter(|span| span.name == "request").collect();
    let predictions: Vec<_> = spans.iter().filter(|span| span.name == "prediction").collect();
    assert_eq!((requests.len(), predictions.len(), spans.len()), (2, 3, 5));
    for request in &requests {
        assert_eq!(hex(&request.trace_id), TRACE);
        assert_eq!(hex(&request.parent_span_id), CALLER);
        assert_eq!(request.kind, SpanKind::Server as i32);
    }
    for (age, charges) in [(25, Some(250.0)), (40, None), (30, Some(300.0))] {
        let requested = lines.iter().find(|line| line["age"] == age).unwrap();
        let id = &requested["prediction_id"];
        let own = lines.iter().filter(|line| line["prediction_id"] == *id);
        let own: Vec<_> = own.collect();
        let is_it = |field: &(String, Value)| field.0 == "prediction_id" && field.1 == *id;
        let span = predictions.iter().find(|span| fields(&span.attributes).iter().any(is_it));
        let span = span.unwrap();
        assert_eq!(own.len(), 2);
        for line in &own {
            assert_eq!(line["trace_id"], hex(&span.trace_id));
            assert_eq!(line["span_id"], hex(&span.span_id));
        }
        let code = span.status.clone().unwrap_or_default().code();
        match charges {
            Some(charges) => {
                assert_eq!(own[1]["charges"], charges);
                assert_eq!(code, StatusCode::Unset);
            }
            None => {
                assert_eq!(code, StatusCode::Error);
                assert_eq!(own[1]["error_info"], span.status.as_ref().unwrap().message);
            }
        }
        if age == 30 {
            assert!(span.parent_span_id.is_empty());
        } else {
            let parent = requests.iter().find(|request| request.span_id == span.parent_span_id);
            assert_eq!(hex(&parent.unwrap().trace_id), TRACE);
        }
    }
}

/// Without the export of spans the ids are those of the client.
fn a_caller_that_does_not_sample_is_heeded() {
    let collector = Collector::start();
    let headers = format!("traceparent: 00-{TRACE}-{CALLER}-00\r\n");
    let (status, lines) = run(&collector, &[(25, &headers)]);
    assert!(status.success());
    assert!(collector.spans().is_empty());
    let requested = lines.iter().find(|line| line["age"] == 25).unwrap();
    assert_eq!((&requested["trace_id"], &requested["span_id"]), (&json!(TRACE), &json!(CALLER)));
}

fn main() -> ExitCode {
    if env::var_os(PROGRAM).is_some() {
        return service().main();
    }
    records_and_spans_of_predictions_are_exported_and_join_up();
    a_caller_that_does_not_sample_is_heeded();
    println!("opentelemetry: 2 tests passed");
    ExitCode::SUCCESS
}
