//! Loading, health, shutting down.

mod common;

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc;

use common::{ChargesModel, Gate, Response, Running, records};
use ml_model_service::Service;
use serde_json::json;

fn states(service: &Running) -> [(u16, String); 3] {
    ["/api/health", "/api/health/ready", "/api/health/startup"].map(|path| {
        let response = service.get(path);
        (response.status, response.body)
    })
}

fn expected(states: [(u16, &str); 3]) -> [(u16, String); 3] {
    let keys = ["health_status", "readiness_status", "startup_status"];
    let mut keys = keys.into_iter();
    states.map(|(status, state)| {
        let key = keys.next().expect("there is one key per state");
        (status, json!({ key: state }).to_string())
    })
}

#[test]
fn the_port_is_open_while_models_load() {
    let (finish, finished) = mpsc::channel::<()>();
    let gate = Arc::new(Gate::default());
    let model = ChargesModel { gate: gate.clone() };
    let service = Service::new("Slow").model(move || {
        finished.recv().expect("the test lets it finish");
        Ok::<_, std::io::Error>(model)
    });
    let service = Running::serve(service, "", gate);
    let loading = [(200, "HEALTHY"), (503, "REFUSING_TRAFFIC"), (503, "NOT_STARTED")];
    assert_eq!(states(&service), expected(loading));
    let response = service.predict(r#"{"age": 25, "bmi": 21.5}"#);
    assert_eq!(response.status, 503);
    assert_eq!(response.error().1, ["the models are still being loaded"]);

    finish.send(()).unwrap();
    service.wait_until("/api/health/ready", 200);
    let ready = [(200, "HEALTHY"), (200, "ACCEPTING_TRAFFIC"), (200, "STARTED")];
    assert_eq!(states(&service), expected(ready));
}

fn reason(body: &str) -> String {
    let body: serde_json::Value = body.parse().unwrap();
    body["reason"].as_str().unwrap().to_owned()
}

#[test]
fn a_model_that_cannot_be_loaded_makes_the_service_unhealthy() {
    for panics in [false, true] {
        let service = Service::new("Broken").model(move || {
            assert!(!panics, "no forest here");
            Err::<ChargesModel, _>(std::io::Error::other("no forest here"))
        });
        let service = Running::serve(service, "", Arc::default());
        service.wait_until("/api/health", 503);
        let failed = [(503, "NOT_HEALTHY"), (503, "REFUSING_TRAFFIC"), (503, "NOT_STARTED")];
        let [(_, health), (_, readiness), (_, startup)] = states(&service);
        assert!(
            readiness.contains(if panics { "panicked" } else { "no forest here" }),
            "{readiness}"
        );
        let reason =
            json!({ "readiness_status": "REFUSING_TRAFFIC", "reason": reason(&readiness) });
        assert_eq!(readiness, reason.to_string());
        assert_eq!(
            [(503, health), (503, startup)],
            [expected(failed)[0].clone(), expected(failed)[2].clone()]
        );
        assert_eq!(service.get("/api/models").status, 503);
    }
}

#[test]
fn accepted_requests_are_finished_before_the_service_stops() {
    let mut service = Running::start();
    let body = r#"{"prediction_id": "last", "age": 60, "bmi": 20}"#;
    let mut stream = service.connect();
    write!(
        stream,
        "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    service.gate.wait_for(1);
    service.ask_to_stop();
    // The port is closed before the prediction is finished.
    while std::net::TcpStream::connect(service.address).is_ok() {}
    service.gate.open();
    let response = Response::read(stream);
    assert_eq!(response.status, 200, "{response:?}");
    assert!(response.body.contains(r#""charges":600.0"#), "{response:?}");
    service.join();
    assert_eq!(records("last").len(), 2);
}

#[test]
fn readiness_turns_before_the_port_closes() {
    let mut service = Running::configured("server: {readiness_delay_s: 3600}");
    service.ask_to_stop();
    let response = service.wait_until("/api/health/ready", 503);
    assert_eq!(response.json(), json!({ "readiness_status": "REFUSING_TRAFFIC" }));
    assert_eq!(service.predict(r#"{"age": 25, "bmi": 20}"#).status, 200);
    assert_eq!(service.get("/api/health").status, 200);
}

#[test]
fn an_idle_connection_does_not_hold_up_the_stop() {
    let mut service = Running::start();
    let _idle = service.connect();
    service.join();
}
