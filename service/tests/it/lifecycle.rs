//! Loading, health, shutdown.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Instant;

use crate::common::{ChargesModel, DEADLINE, Gate, Response, Running, records};
use ml_model_service::{Document, Service};
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
        finished.recv_timeout(DEADLINE).expect("the test lets it finish");
        model
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
    service.wait_for_closed_port();
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
    // A new connection is closed after its answer.
    let mut stream = service.connect();
    assert!(ask(&mut stream).unwrap().closes());
}

#[test]
fn an_idle_connection_does_not_hold_up_the_stop() {
    let mut service = Running::start();
    let _unused = service.connect();
    let mut used = service.connect();
    assert!(!ask(&mut used).unwrap().closes());
    service.join();
}

/// Predicts over a connection that stays open; `None` without an answer.
fn ask(stream: &mut TcpStream) -> Option<Response> {
    let body = r#"{"age": 25, "bmi": 20}"#;
    let request = format!(
        "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    Response::read_one(stream)
}

#[test]
fn no_request_of_busy_clients_is_lost_by_the_stop() {
    const CLIENTS: usize = 32;
    let mut service = Running::start();
    let (report, reports) = mpsc::channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (mut stream, report) = (service.connect(), report.clone());
            std::thread::spawn(move || {
                // Request after request, until an answer closes the connection.
                for answered in 0.. {
                    if answered == 20 {
                        report.send(()).unwrap();
                    }
                    match ask(&mut stream) {
                        Some(response) => {
                            assert_eq!(response.status, 200, "{response:?}");
                            if response.closes() {
                                // An orderly end, with nothing after the answer.
                                assert_eq!(stream.read(&mut [0]).unwrap(), 0);
                                return answered + 1;
                            }
                        }
                        None => panic!("request {answered} is not answered"),
                    }
                }
                unreachable!("there is always one more request")
            })
        })
        .collect();
    for _ in 0..CLIENTS {
        reports.recv_timeout(DEADLINE).unwrap();
    }
    service.ask_to_stop();
    for client in clients {
        assert!(client.join().unwrap() > 20);
    }
    service.join();
}

#[test]
fn a_request_on_its_way_is_answered_and_then_nothing_is_waited_for() {
    let mut service = Running::configured("server: {close_grace_s: 3600}");
    let mut used = service.connect();
    assert!(!ask(&mut used).unwrap().closes());
    let mut unused = service.connect();
    service.ask_to_stop();
    service.wait_for_closed_port();
    for stream in [&mut used, &mut unused] {
        let response = ask(stream).unwrap();
        assert_eq!(response.status, 200);
        assert!(response.closes(), "{response:?}");
    }
    let started = Instant::now();
    service.join();
    assert!(started.elapsed() < DEADLINE);
}

#[test]
fn connections_that_wait_for_the_service_are_served_before_it_stops() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            stream.write_all(b"GET /api/health HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let document = Document::parse("test.yaml", "").unwrap();
    let service = Service::new("Stops at once").configured(&document);
    let service = service.unwrap_or_else(|problems| panic!("{problems}"));
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        service.serve(listener, async {}).await.unwrap();
    });
    for mut stream in waiting {
        let response = Response::read_one(&mut stream).unwrap();
        assert!(response.status == 200 && response.closes(), "{response:?}");
    }
}

#[test]
fn what_takes_too_long_is_not_waited_for() {
    let mut service = Running::configured("server: {close_grace_s: 0, drain_limit_s: 0}");
    let mut stream = service.connect();
    let body = r#"{"prediction_id": "abandoned", "age": 60, "bmi": 20}"#;
    write!(
        stream,
        "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    service.gate.wait_for(1);
    service.ask_to_stop();
    assert!(Response::read_one(&mut stream).is_none());
    service.gate.open();
    service.join();
    assert_eq!(records("abandoned").len(), 2, "its end is recorded");
}
