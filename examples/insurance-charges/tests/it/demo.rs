//! The demo as a child process, with its socket and its standard output.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Returns the command of the demo, without the variables of this process that configure it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_insurance-charges"));
    for (name, _) in std::env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| name.starts_with("ML_SERVICE"));
        if is_ours || name == "RUST_LOG" || name == "REST_CONFIG" {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) struct Demo {
    pub(crate) process: Child,
    log: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Demo {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the demo with these environment variables.
    pub(crate) fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_by(variables, |_| ())
    }

    /// Starts the demo with these environment variables and with other changes to its command.
    pub(crate) fn start_by(variables: &[(&str, &str)], change: impl FnOnce(&mut Command)) -> Self {
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

    /// Returns the next record that fits and skips those before it.
    pub(crate) fn record_with(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "the log has ended");
            let record: Value = line.parse().unwrap();
            if fits(&record) {
                return record;
            }
        }
    }

    /// Requests a prediction and returns status and body.
    pub(crate) fn predict(&self, body: &str) -> (u16, Value) {
        self.predict_with("", body)
    }

    /// Requests a prediction with more headers, each with its line break.
    pub(crate) fn predict_with(&self, headers: &str, body: &str) -> (u16, Value) {
        self.send("POST /api/models/insurance_charges_model/prediction", headers, body)
    }

    /// Sends JSON and returns status and body.
    pub(crate) fn send(&self, what: &str, headers: &str, body: &str) -> (u16, Value) {
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

    /// Requests a path and returns the body.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Requests the metrics until they contain this line.
    pub(crate) fn wait_for_metric(&self, line: &str) {
        let started = std::time::Instant::now();
        while !self.get("/metrics").contains(line) {
            assert!(started.elapsed().as_secs() < 30, "no {line} in {}", self.get("/metrics"));
            std::thread::yield_now();
        }
    }

    /// Closes the pipe of the demo's standard output.
    pub(crate) fn close_log(&mut self) {
        let (nothing, _) = std::io::pipe().unwrap();
        self.log = BufReader::new(ChildStdout::from(OwnedFd::from(nothing)));
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// Sends a signal, waits for a successful end and returns the rest of the log.
    pub(crate) fn stop(mut self, signal: &str) -> Vec<Value> {
        self.signal(signal);
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        assert!(self.process.wait().unwrap().success());
        rest.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // The process has ended already if the test succeeded.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// Input of a published example.
pub(crate) const PUBLISHED: &str =
    r#"{"age":65,"sex":"male","bmi":50,"children":5,"smoker":true,"region":"southwest"}"#;
