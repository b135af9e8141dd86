//! A service on a port that the system picks, and a client that writes HTTP by hand, valid or not.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, Once, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use ml_model_service::{Document, Service};
use serde_json::Value;
use tokio::sync::oneshot;

mod model;

pub use model::*;

/// Repeats a query until it returns a value.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "still not: {what}");
        std::thread::yield_now();
    }
}

/// A running service.
pub struct Running {
    pub address: SocketAddr,
    pub gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    ended: mpsc::Receiver<()>,
}

impl Running {
    /// Starts a service with [`ChargesModel`] and waits until it is loaded.
    pub fn start() -> Self {
        Self::configured("")
    }

    /// Starts it with a configuration.
    pub fn configured(yaml: &str) -> Self {
        Self::on_workers(4, yaml)
    }

    /// Starts it on a runtime with a number of workers.
    pub fn on_workers(workers: usize, yaml: &str) -> Self {
        let gate = Arc::new(Gate::default());
        let model = ChargesModel { gate: gate.clone() };
        let service = Service::new("Test <Service>").model(move || model);
        let running = Self::serve_on(workers, service, yaml, gate);
        running.wait_until("/api/health/ready", 200);
        running
    }

    pub fn serve(service: Service, yaml: &str, gate: Arc<Gate>) -> Self {
        Self::serve_on(4, service, yaml, gate)
    }

    fn serve_on(workers: usize, service: Service, yaml: &str, gate: Arc<Gate>) -> Self {
        install_log();
        let document = Document::parse("test.yaml", yaml).unwrap();
        let service = service.configured(&document).unwrap_or_else(|problems| panic!("{problems}"));
        let (stop, stopped) = oneshot::channel();
        let (send_address, address) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(workers)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                send_address.send(listener.local_addr().unwrap()).unwrap();
                let shutdown = async { drop(stopped.await) };
                service.serve(listener, shutdown).await.unwrap();
            });
            drop(runtime);
            // The test may have ended.
            let _waiting = end.send(());
        });
        let address = address.recv_timeout(DEADLINE).unwrap();
        Self { address, gate, stop: Some(stop), thread: Some(thread), ended }
    }

    /// Repeats a request until the answer has the status.
    pub fn wait_until(&self, path: &str, status: u16) -> Response {
        eventually(&format!("{status} at {path}"), || {
            Some(self.get(path)).filter(|response| response.status == status)
        })
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"))
    }

    pub fn predict(&self, body: &str) -> Response {
        self.post("/api/models/charges_model/prediction", "application/json", body.as_bytes())
    }

    /// Predicts with further lines in the head, each terminated by `\r\n`.
    pub fn predict_with(&self, headers: &str, body: &str) -> Response {
        self.send(format!(
            "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\n\
             connection: close\r\ncontent-type: application/json\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Predicts the rows of a batch.
    pub fn predict_rows(&self, body: &str) -> Response {
        self.post("/api/models/charges_model/predictions", "application/json", body.as_bytes())
    }

    pub fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Response {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.send([head.as_bytes(), body].concat())
    }

    /// Sends bytes unchanged and reads the answer to its end.
    pub fn send(&self, request: impl AsRef<[u8]>) -> Response {
        let mut stream = self.connect();
        // The service may answer and close before it has read everything.
        let _answered_early = stream.write_all(request.as_ref());
        Response::read(stream)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Waits until the port is closed.
    pub fn wait_for_closed_port(&self) {
        eventually("the port is closed", || TcpStream::connect(self.address).err());
    }

    /// Begins the shutdown.
    pub fn ask_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _stopped_already = stop.send(());
        }
    }

    /// Waits until the service has stopped.
    pub fn join(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            let ended = self.ended.recv_timeout(DEADLINE);
            assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "the service does not stop");
            thread.join().expect("the service does not panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.gate.open();
        self.ask_to_stop();
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Response {
    pub fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A reset after the answer is no error.
        let _reset = stream.read_to_end(&mut bytes);
        Self::parse(&String::from_utf8(bytes).unwrap())
    }

    /// Reads one answer, by its length, from a connection that may stay open; `None` if the connection
    /// ends before.
    pub fn read_one(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        loop {
            let mut part = [0; 4096];
            let length = stream.read(&mut part).ok().filter(|length| *length > 0)?;
            bytes.extend_from_slice(&part[..length]);
            let response = Self::parse(std::str::from_utf8(&bytes).unwrap());
            let length = response.head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
            if length.is_some_and(|length: usize| response.body.len() == length) {
                return Some(response);
            }
        }
    }

    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Returns whether the answer closes the connection.
    pub fn closes(&self) -> bool {
        self.head.contains("connection: close")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Returns type and messages of an error.
    pub fn error(&self) -> (String, Vec<String>) {
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        let json = self.json();
        let messages = serde_json::from_value(json["messages"].clone()).unwrap();
        (json["type"].as_str().unwrap().to_owned(), messages)
    }
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Memory;

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Installs the log of the process: services answer requests on threads of their own.
fn install_log() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let logging = ml_logging::builder()
            .writer(|| Memory)
            .level("info,ml_model_service=debug")
            .environment(|_| None)
            .init()
            .unwrap();
        std::mem::forget(logging);
    });
}

/// Returns all records so far.
pub fn log() -> Vec<Value> {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    String::from_utf8(log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .collect()
}

/// Returns the records of one prediction.
pub fn records(prediction_id: &str) -> Vec<Value> {
    log().into_iter().filter(|record| record["prediction_id"] == prediction_id).collect()
}
