//! Collector that receives OTLP over HTTP, and keeps all requests.
#![allow(unreachable_pub, dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value},
    logs::v1::LogRecord,
    trace::v1::Span,
};
use serde_json::Value;

#[derive(Clone)]
pub struct Collector {
    address: String,
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    logs: Vec<ExportLogsServiceRequest>,
    traces: Vec<ExportTraceServiceRequest>,
    /// Number of requests, answered or not.
    requests: usize,
    stalls: bool,
    status: u16,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = State { status: 200, ..State::default() };
        let collector = Self { address, shared: Arc::new((Mutex::new(state), Condvar::new())) };
        let serving = collector.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (serving, stream) = (serving.clone(), stream.unwrap());
                thread::spawn(move || serving.serve(&stream));
            }
        });
        collector
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Delays all responses until [`go_on`](Self::go_on).
    pub fn stall(&self) {
        self.shared.0.lock().unwrap().stalls = true;
    }

    pub fn go_on(&self) {
        self.shared.0.lock().unwrap().stalls = false;
        self.shared.1.notify_all();
    }

    /// Refuses all requests with this status.
    pub fn refuse(&self, status: u16) {
        self.shared.0.lock().unwrap().status = status;
    }

    /// Waits for a request.
    pub fn wait_for_request(&self) {
        let state = self.shared.0.lock().unwrap();
        drop(self.shared.1.wait_while(state, |state| state.requests == 0).unwrap());
    }

    /// Returns the records with their targets, sorted by time.
    pub fn records(&self) -> Vec<(String, LogRecord)> {
        let state = self.shared.0.lock().unwrap();
        let scopes = state.logs.iter().flat_map(|request| &request.resource_logs);
        let scopes = scopes.flat_map(|resource| &resource.scope_logs);
        let of = |scope: &opentelemetry_proto::tonic::logs::v1::ScopeLogs| {
            let name = scope.scope.as_ref().unwrap().name.clone();
            scope.log_records.clone().into_iter().map(move |record| (name.clone(), record))
        };
        let mut records: Vec<_> = scopes.flat_map(of).collect();
        records.sort_by_key(|(_, record)| record.time_unix_nano);
        records
    }

    pub fn spans(&self) -> Vec<Span> {
        let state = self.shared.0.lock().unwrap();
        let scopes = state.traces.iter().flat_map(|request| &request.resource_spans);
        let scopes = scopes.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Returns the only span of this name.
    pub fn span(&self, name: &str) -> Span {
        let mut spans = self.spans();
        spans.retain(|span| span.name == name);
        let [span] = <[Span; 1]>::try_from(spans).unwrap();
        span
    }

    /// Returns the attributes of the resource of the first records.
    pub fn resource(&self) -> Vec<(String, Value)> {
        let state = self.shared.0.lock().unwrap();
        fields(&state.logs[0].resource_logs[0].resource.as_ref().unwrap().attributes)
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((path, body)) = request(&mut reader) {
            let (lock, changed) = &*self.shared;
            let mut state = lock.lock().unwrap();
            state.requests += 1;
            changed.notify_all();
            state = changed.wait_while(state, |state| state.stalls).unwrap();
            let status = state.status;
            if status == 200 {
                match path.as_str() {
                    "/v1/logs" => state.logs.push(decoded(&body)),
                    "/v1/traces" => state.traces.push(decoded(&body)),
                    other => panic!("unknown path {other}"),
                }
            }
            drop(state);
            let answer = format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\n\r\n");
            if (&mut &*stream).write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn decoded<M: prost::Message + Default>(body: &[u8]) -> M {
    M::decode(body).unwrap()
}

/// Reads the path and the body of the next request.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let mut length = 0;
    let mut is_protobuf = false;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        match line.split_once(": ") {
            None => break,
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("content-type", value)) => is_protobuf = value == "application/x-protobuf",
            Some(_) => {}
        }
    }
    assert!(is_protobuf);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}

/// Converts attributes to JSON.
pub fn fields(attributes: &[KeyValue]) -> Vec<(String, Value)> {
    attributes.iter().map(|field| (field.key.clone(), value(field.value.as_ref()))).collect()
}

pub fn value(value: Option<&AnyValue>) -> Value {
    match value.and_then(|value| value.value.as_ref()) {
        None => Value::Null,
        Some(any_value::Value::BoolValue(value)) => (*value).into(),
        Some(any_value::Value::IntValue(value)) => (*value).into(),
        Some(any_value::Value::DoubleValue(value)) => (*value).into(),
        Some(any_value::Value::StringValue(value)) => value.as_str().into(),
        Some(other) => panic!("no field is {other:?}"),
    }
}

/// Converts bytes to hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
