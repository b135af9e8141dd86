//! The levels of the log over a real socket.

use std::io::Write as _;
use std::sync::Arc;

use crate::common::{Gate, Response, Running};
use ml_logging::Logging;
use ml_model_service::Service;
use serde_json::{Value, json};
use tracing::Dispatch;

const KEY: &str = "an-admin-key-0123456789";
const API_KEY: &str = "an-api-key-0123456789";

/// A service with keys, and with a log of its own whose levels it can set.
struct Logged {
    service: Running,
    dispatch: Dispatch,
    logging: Arc<Logging>,
    _keys: [tempfile::NamedTempFile; 2],
}

impl Logged {
    fn start() -> Self {
        let keys = [KEY, API_KEY].map(|key| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            writeln!(file, "{key}").unwrap();
            file
        });
        let [admin_keys, api_keys] = keys.each_ref().map(|file| file.path().to_str().unwrap());
        let builder = ml_logging::builder().environment(|_| None).level("info,db=off");
        let (subscriber, logging) = builder.writer(std::io::sink).build().unwrap();
        let logging = Arc::new(logging);
        let service = Service::new("Test").logging(logging.clone());
        let yaml = format!(
            "server: {{admin_keys: {{file: {admin_keys:?}}}, api_keys: {{file: {api_keys:?}}}}}"
        );
        let service = Running::serve(service, &yaml, Arc::new(Gate::default()));
        Self { service, dispatch: Dispatch::new(subscriber), logging, _keys: keys }
    }

    fn ask(&self, method: &str, headers: &str, body: &str) -> Response {
        self.service.send(format!(
            "{method} /api/log/levels HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn ask_with_key(&self, method: &str, body: &str) -> Response {
        let headers = format!("X-API-Key: {KEY}\r\ncontent-type: application/json\r\n");
        self.ask(method, &headers, body)
    }

    fn has_debug(&self) -> bool {
        tracing::dispatcher::with_default(
            &self.dispatch,
            || tracing::enabled!(target: "payments", tracing::Level::DEBUG),
        )
    }
}

fn levels(now: &str) -> Value {
    json!({ "levels": now, "initial_levels": "info,db=off" })
}

#[test]
fn they_are_shown_set_and_set_back() {
    let logged = Logged::start();
    let ask = |method: &str, body: &str| {
        let response = logged.ask_with_key(method, body);
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    };
    assert_eq!(ask("GET", ""), levels("info,db=off"));
    assert!(!logged.has_debug());
    assert_eq!(
        ask("PUT", r#"{"levels": "payments=DEBUG, warning"}"#),
        levels("warn,payments=debug")
    );
    assert_eq!(ask("GET", ""), levels("warn,payments=debug"));
    assert_eq!(logged.logging.levels().to_string(), "warn,payments=debug");
    assert!(logged.has_debug());
    assert_eq!(ask("DELETE", ""), levels("info,db=off"));
    assert!(!logged.has_debug());
}

#[test]
fn an_admin_key_is_needed_and_good_for_nothing_else() {
    let logged = Logged::start();
    let body = r#"{"levels": "off"}"#;
    for headers in [
        String::new(),
        format!("X-API-Key: {API_KEY}\r\n"),
        format!("Authorization: Bearer {API_KEY}\r\n"),
        format!("Authorization: Bearer {KEY}0\r\n"),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let response = logged.ask(method, &headers, body);
            assert_eq!(response.status, 401, "{method} {headers}");
            assert!(response.head.contains("www-authenticate: bearer"), "{response:?}");
            let (error, messages) = response.error();
            assert_eq!(error, "UnauthorizedError");
            assert!(messages[0].starts_with("an admin key is needed"), "{messages:?}");
        }
    }
    assert_eq!(logged.logging.levels(), logged.logging.initial_levels());

    let headers = format!("Authorization: Bearer {KEY}\r\n");
    assert_eq!(logged.ask("GET", &headers, "").status, 200);
    assert_eq!(logged.service.predict_with(&headers, "{}").status, 401);
}

#[test]
fn mistakes_change_nothing() {
    let logged = Logged::start();
    for (body, message) in [
        ("{", "EOF while parsing an object at line 1 column 1; write for example {\"levels\":"),
        ("{}", "missing field `levels` at line 1 column 2; write for"),
        (r#"{"level": "info"}"#, "unknown field `level`, expected `levels` at line 1"),
        (r#"{"levels": {"db": "info"}}"#, "invalid type: map, expected a string at line 1"),
        (
            r#"{"levels": ""}"#,
            "levels: directive ``: there is no level; write `off` to log nothing",
        ),
        (
            r#"{"levels": "info,db=inof"}"#,
            "levels: directive `db=inof`: `inof` is not a level; did you mean `info`?",
        ),
        (r#"{"levels": "hyper"}"#, "levels: directive `hyper`: `hyper` is not a level; if it is a"),
    ] {
        let response = logged.ask_with_key("PUT", body);
        let (error, messages) = response.error();
        assert_eq!((response.status, &*error, messages.len()), (400, "ValidationError", 1));
        assert!(messages[0].starts_with(message), "{messages:?}");
    }
    let long = format!(r#"{{"levels": "{}"}}"#, "x=info,".repeat(1_000));
    let (_, messages) = logged.ask_with_key("PUT", &long).error();
    assert_eq!(messages, ["levels: is longer than 4096 characters"]);
    let long = format!(r#"{{"levels": "{}"}}"#, "x".repeat(4_000));
    assert!(logged.ask_with_key("PUT", &long).body.len() < 2_000);

    let text = format!("X-API-Key: {KEY}\r\ncontent-type: text/plain\r\n");
    assert_eq!(logged.ask("PUT", &text, r#"{"levels": "off"}"#).status, 415);
    let response = logged.ask_with_key("POST", r#"{"levels": "off"}"#);
    assert_eq!(response.status, 405);
    assert_eq!(logged.logging.levels(), logged.logging.initial_levels());
}

#[test]
fn without_admin_keys_there_is_nothing() {
    let (subscriber, logging) = ml_logging::builder().writer(std::io::sink).build().unwrap();
    let service = Service::new("Test").logging(Arc::new(logging));
    let service = Running::serve(service, "", Arc::default());
    assert_eq!(service.get("/api/log/levels").status, 404);
    drop(subscriber);
    assert!(!service.wait_until("/openapi.json", 200).body.contains("/api/log/levels"));
}

#[test]
fn they_are_in_the_document() {
    let logged = Logged::start();
    let document = crate::common::eventually("the document", || {
        let response = logged.service.send(format!(
            "GET /openapi.json HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             X-API-Key: {API_KEY}\r\n\r\n"
        ));
        (response.status == 200).then(|| response.json())
    });
    let path = &document["paths"]["/api/log/levels"];
    let example = &path["put"]["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(logged.ask_with_key("PUT", &example.to_string()).status, 200);
}
