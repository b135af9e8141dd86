//! The demo as its users run it: the program, a socket, signals and standard output.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The program, to be run without what this environment says.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_insurance-charges"));
    for (name, _) in std::env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| name.starts_with("ML_SERVICE"));
        if is_ours || name == "RUST_LOG" || name == "REST_CONFIG" {
            command.env_remove(name);
        }
    }
    command
}

pub struct Demo {
    pub process: Child,
    log: BufReader<ChildStdout>,
    pub address: String,
}

impl Demo {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The demo with these environment variables.
    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_by(variables, |_| ())
    }

    /// The demo with these environment variables, and with what else is done to its command.
    pub fn start_by(variables: &[(&str, &str)], change: impl FnOnce(&mut Command)) -> Self {
        let mut command = command();
        command.args(["--address", "127.0.0.1:0"]).envs(variables.iter().copied());
        command.stdout(Stdio::piped());
        change(&mut command);
        let mut process = command.spawn().unwrap();
        let log = BufReader::new(process.stdout.take().unwrap());
        let mut demo = Self { process, log, address: String::new() };
        let listening = demo.record_with(|record| record.get("address").is_some());
        demo.address = listening["address"].as_str().unwrap().to_owned();
        demo.record_with(|record| record["message"] == "All models are loaded.");
        demo
    }

    /// The next record that fits; those before it are passed over.
    pub fn record_with(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
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
    pub fn predict(&self, body: &str) -> (u16, Value) {
        self.predict_with("", body)
    }

    /// The same with more headers, each with its line break.
    pub fn predict_with(&self, headers: &str, body: &str) -> (u16, Value) {
        self.send("POST /api/models/insurance_charges_model/prediction", headers, body)
    }

    /// Sends JSON, and gets JSON.
    pub fn send(&self, what: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{what} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\
             content-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.parse().unwrap())
    }

    /// The body of an answer.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Asks for the metrics until this line is among them.
    pub fn wait_for_metric(&self, line: &str) {
        let started = std::time::Instant::now();
        while !self.get("/metrics").contains(line) {
            assert!(started.elapsed().as_secs() < 30, "no {line} in {}", self.get("/metrics"));
            std::thread::yield_now();
        }
    }

    /// Goes away as the reader of its standard output.
    pub fn close_log(&mut self) {
        let (nothing, _) = std::io::pipe().unwrap();
        self.log = BufReader::new(ChildStdout::from(OwnedFd::from(nothing)));
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// Sends a signal and returns the rest of the log once the program has ended well.
    pub fn stop(mut self, signal: &str) -> Vec<Value> {
        self.signal(signal);
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

/// The published example.
pub const PUBLISHED: &str =
    r#"{"age":65,"sex":"male","bmi":50,"children":5,"smoker":true,"region":"southwest"}"#;
