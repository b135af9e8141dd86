//! What operators expect: limits, time-outs, keys, traces, headers.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{Response, Running, eventually, log, records};
use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use serde_json::{Value, json};

const GOOD: &str = r#"{"age": 25, "bmi": 20}"#;
const HELD: &str = r#"{"age": 60, "bmi": 20}"#;

fn head(length: usize) -> String {
    format!(
        "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

#[test]
fn more_predictions_than_the_limit_allows_are_rejected_at_once() {
    // By declaration, and by configuration.
    for execution in ["", ", execution: blocking"] {
        let service = Running::configured(&format!(
            "models: [{{qualified_name: charges_model, concurrency_limit: 1{execution}}}]"
        ));
        let mut held = service.connect();
        write!(held, "{}{HELD}", head(HELD.len())).unwrap();
        service.gate.wait_for(1);
        let rejected = service.predict_with("X-Prediction-Id: rejected\r\n", GOOD);
        assert_eq!(rejected.status, 503);
        assert!(rejected.head.contains("x-prediction-id: rejected"), "{rejected:?}");
        assert_eq!(rejected.json()["prediction_id"], "rejected");
        assert!(rejected.head.contains("retry-after: 1"), "{rejected:?}");
        let (kind, messages) = rejected.error();
        assert_eq!(kind, "ServiceError");
        assert!(messages[0].contains("`charges_model` is busy"), "{messages:?}");

        service.gate.open();
        assert_eq!(Response::read(held).status, 200);
        assert_eq!(service.predict(GOOD).status, 200);
    }
}

#[test]
fn a_prediction_that_takes_too_long_is_answered_and_still_recorded() {
    let service = Running::configured(
        "server: {request_timeout_s: 0.2}\n\
         models: [{qualified_name: charges_model, execution: blocking}]",
    );
    let body = r#"{"age": 60, "bmi": 20, "prediction_id": "too-slow"}"#;
    let response = service.predict(body);
    assert_eq!(response.status, 504);
    assert_eq!(response.error().0, "PredictionTimeoutError");
    assert_eq!(response.json()["prediction_id"], "too-slow");
    assert_eq!(records("too-slow").len(), 1);

    // A generated id is known as well.
    let response = service.predict(HELD);
    assert_eq!(response.status, 504);
    let id = response.json()["prediction_id"].as_str().unwrap().to_owned();
    assert!(response.head.contains(&format!("x-prediction-id: {id}")), "{response:?}");
    assert_eq!(records(&id).len(), 1);

    let batch = service.predict_rows(&format!("[{HELD}]"));
    assert_eq!(batch.status, 504);
    let (_, messages) = batch.error();
    let batch_id = messages[1].split('`').nth(1).unwrap();
    assert!(log().iter().any(|record| record["batch_id"] == batch_id), "{messages:?}");
    service.gate.open();
    eventually("the second record", || (records("too-slow").len() == 2).then_some(()));
    assert_eq!(records("too-slow")[1]["message"], "Prediction created.");
}

#[test]
fn a_prediction_that_gets_no_thread_in_time_does_not_begin() {
    const THREADS: usize = 512;
    const LATE: usize = 20;
    let service = Running::configured(
        "server: {request_timeout_s: 3}\n\
         models: [{qualified_name: charges_model, execution: blocking}]",
    );
    let hold = |number: usize| {
        let mut held = service.connect();
        let body = format!(r#"{{"age": 60, "bmi": 20, "prediction_id": "pool-{number}"}}"#);
        write!(held, "{}{body}", head(body.len())).unwrap();
        held
    };
    let held: Vec<_> = (0..THREADS).map(hold).collect();
    service.gate.wait_for(THREADS);
    let late: Vec<_> = (THREADS..THREADS + LATE).map(hold).collect();
    for held in held.into_iter().chain(late) {
        assert_eq!(Response::read(held).status, 504);
    }
    service.gate.open();
    // It waits for a thread like those before it.
    assert_eq!(service.predict(GOOD).status, 200);
    let numbers = || {
        let log = log();
        let ids = log.iter().filter_map(|record| record["prediction_id"].as_str());
        let numbers = ids.filter_map(|id| id.strip_prefix("pool-")?.parse().ok());
        numbers.collect::<Vec<usize>>()
    };
    let numbers = eventually("those that have begun have both records", || {
        Some(numbers()).filter(|numbers| numbers.len() >= 2 * THREADS)
    });
    assert_eq!(numbers.len(), 2 * THREADS);
    assert!(numbers.iter().all(|number| *number < THREADS), "{numbers:?}");
}

#[test]
fn a_slow_prediction_on_the_pool_does_not_keep_others_waiting() {
    // The service of these tests has four threads.
    let service =
        Running::configured("models: [{qualified_name: charges_model, execution: blocking}]");
    let held: Vec<_> = (0..8)
        .map(|_| {
            let mut held = service.connect();
            write!(held, "{}{HELD}", head(HELD.len())).unwrap();
            held
        })
        .collect();
    service.gate.wait_for(8);
    assert_eq!(service.predict(GOOD).status, 200);
    service.gate.open();
    for held in held {
        assert_eq!(Response::read(held).status, 200);
    }
}

#[test]
fn a_slow_inline_model_is_named_in_one_warning() {
    #[derive(MLModel)]
    struct DawdlingModel;

    impl Infer for DawdlingModel {
        type Input = f64;
        type Output = f64;
        type Error = std::convert::Infallible;

        fn infer(&self, input: &f64) -> Result<f64, Self::Error> {
            std::thread::sleep(std::time::Duration::from_millis(11));
            Ok(*input)
        }
    }

    let service = Service::new("Slow").model(|| DawdlingModel);
    let yaml = "models: [{qualified_name: dawdling_model, execution: inline}]";
    let service = Running::serve(service, yaml, Arc::default());
    service.wait_until("/api/health/ready", 200);
    for _ in 0..3 {
        let path = "/api/models/dawdling_model/prediction";
        assert_eq!(service.post(path, "application/json", b"1").status, 200);
    }
    let is_warning = |record: &serde_json::Value| {
        record["levelname"] == "WARNING" && record["model_qualified_name"] == "dawdling_model"
    };
    let warnings: Vec<_> = log().into_iter().filter(is_warning).collect();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning["message"].as_str().unwrap().contains("`execution: blocking`"), "{warning}");
    assert!(warning["duration_ms"].as_f64().unwrap() >= 11.0, "{warning}");
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_refused() {
    let service = Running::configured("server: {request_timeout_s: 0.2}");
    let mut stream = service.connect();
    write!(stream, "{}{}", head(GOOD.len()), &GOOD[..5]).unwrap();
    let response = Response::read(stream);
    assert_eq!(response.status, 408);
    assert_eq!(response.error().0, "RequestTimeoutError");
}

#[test]
fn a_connection_without_a_request_is_closed() {
    let service = Running::configured("server: {header_timeout_s: 0.2}");
    for begun in ["", "POST /api/models"] {
        let mut stream = service.connect();
        stream.write_all(begun.as_bytes()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(String::from_utf8(rest).unwrap(), "");
    }
}

#[test]
fn the_prediction_id_may_be_a_header_and_is_one_of_the_answer() {
    let service = Running::start();
    let response = service.predict_with("X-Prediction-Id: header-1\r\n", GOOD);
    assert!(response.head.contains("x-prediction-id: header-1"), "{response:?}");
    assert_eq!(response.json()["prediction_id"], "header-1");
    assert_eq!(records("header-1").len(), 2);

    let body = r#"{"age": 25, "bmi": 20, "prediction_id": "body-1"}"#;
    let response = service.predict_with("X-Prediction-Id: header-2\r\n", body);
    assert!(response.head.contains("x-prediction-id: body-1"), "{response:?}");
    assert_eq!((records("body-1").len(), records("header-2").len()), (2, 0));

    let twice = "X-Prediction-Id: one\r\nX-Prediction-Id: two\r\n";
    let response = service.predict_with(twice, GOOD);
    assert_eq!(response.error().1, ["X-Prediction-Id: must be there once"]);

    let response = service.predict_with("X-Prediction-Id: no id\r\n", GOOD);
    assert_eq!(response.status, 400);
    assert!(response.error().1[0].starts_with("X-Prediction-Id: must consist of"), "{response:?}");
    let id = response.json()["prediction_id"].as_str().unwrap().to_owned();
    assert!(response.head.contains(&format!("x-prediction-id: {id}")), "{response:?}");
    assert_eq!(records(&id).len(), 2);

    let body = r#"{"age": 25, "bmi": 20, "prediction_id": "body-2"}"#;
    let response = service.predict_with("X-Prediction-Id: no id\r\n", body);
    assert_eq!(response.status, 400);
    assert_eq!(response.json()["prediction_id"], "body-2");
    assert_eq!(records("body-2").len(), 2);

    let response =
        service.predict_with("X-Prediction-Id: failed-1\r\n", r#"{"age": 50, "bmi": 20}"#);
    assert_eq!(response.status, 500);
    assert!(response.head.contains("x-prediction-id: failed-1"), "{response:?}");
    assert_eq!(response.json()["prediction_id"], "failed-1");
    assert_eq!(service.predict(GOOD).status, 200, "the service lives on");
}

#[test]
fn records_name_the_trace_of_the_caller() {
    let service = Running::start();
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let headers = format!("traceparent: 00-{trace}-{span}-01\r\nX-Prediction-Id: traced\r\n");
    assert_eq!(service.predict_with(&headers, GOOD).status, 200);
    let traced = records("traced");
    assert_eq!(traced.len(), 2);
    for record in traced {
        assert_eq!((&record["trace_id"], &record["span_id"]), (&json!(trace), &json!(span)));
    }
    let headers = "traceparent: 00-nonsense-01\r\nX-Prediction-Id: untraced\r\n";
    assert_eq!(service.predict_with(headers, GOOD).status, 200);
    assert!(records("untraced").iter().all(|record| record.get("trace_id").is_none()));
}

#[test]
fn all_requests_but_probes_need_a_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "# two keys\nfirst-key-0123456789\n\nsecond-key-0123456789\n")
        .unwrap();
    let service = Running::configured(&format!(
        "server: {{api_keys: {{file: {:?}}}}}",
        file.path().to_str().unwrap()
    ));
    for path in ["/api/health", "/api/health/ready", "/api/health/startup"] {
        assert_eq!(service.get(path).status, 200);
    }
    for path in ["/api/models", "/", "/nowhere", "/api/healthy"] {
        let response = service.get(path);
        assert_eq!(response.status, 401, "{path}");
        assert!(response.head.contains("www-authenticate: bearer"), "{response:?}");
        assert_eq!(response.error().0, "UnauthorizedError");
        assert!(!response.body.contains("key-0123456789"), "{response:?}");
    }
    let document = service.send(
        "GET /openapi.json HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         x-api-key: first-key-0123456789\r\n\r\n",
    );
    assert!(document.json()["components"].get("securitySchemes").is_some());
    for (headers, status) in [
        ("", 401),
        ("Authorization: Bearer first-key-0123456789\r\n", 200),
        ("authorization: bearer second-key-0123456789\r\n", 200),
        ("X-API-Key: second-key-0123456789\r\n", 200),
        ("X-API-Key: second-key-012345678\r\n", 401),
        ("X-API-Key: second-key-01234567890\r\n", 401),
        ("X-API-Key: \r\n", 401),
        ("Authorization: Bearer of-a-proxy\r\nX-API-Key: first-key-0123456789\r\n", 200),
        ("Authorization: Bearer of-a-proxy\r\nX-API-Key: of-nobody-at-all\r\n", 401),
        ("Authorization: Basic first-key-0123456789\r\n", 401),
        ("Authorization: first-key-0123456789\r\n", 401),
    ] {
        assert_eq!(service.predict_with(headers, GOOD).status, status, "{headers}");
    }
}

#[test]
fn failed_authentications_are_logged_without_the_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "the-only-key-0123456789").unwrap();
    let service = Running::configured(&format!(
        "server: {{api_keys: {{file: {:?}}}}}",
        file.path().to_str().unwrap()
    ));
    let failures_at = |path: &str| {
        let failed = |record: &&Value| {
            record["message"] == "Authentication failed." && record["http_path"] == path
        };
        log().iter().filter(failed).cloned().collect::<Vec<_>>()
    };
    let started = Instant::now();
    assert_eq!(service.get("/first").status, 401);
    let [record] = &failures_at("/first")[..] else { panic!("expected one record") };
    assert_eq!(record["levelname"], "WARNING");
    assert_eq!(record["client"], "127.0.0.1");
    assert_eq!((&record["failures"], &record["http_method"]), (&json!(1), &json!("GET")));
    assert_eq!(record["error_info"], "the request has no key");

    let guess = "GET /guess HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
                 x-api-key: guessed-key-0123456789\r\n\r\n";
    let mut guesses = 0;
    let records = eventually("a second record", || {
        assert_eq!(service.send(guess).status, 401);
        guesses += 1;
        Some(failures_at("/guess")).filter(|records| !records.is_empty())
    });
    assert!(started.elapsed() >= Duration::from_secs(1), "the records are too close");
    assert_eq!(records[0]["failures"], guesses);
    assert_eq!(records[0]["error_info"], "the key is unknown");
    assert!(log().iter().all(|record| !record.to_string().contains("guessed-key")));
}

#[test]
fn pages_of_the_allowed_origins_may_call() {
    let service = Running::configured("server: {allowed_origins: ['https://app.example.com']}");
    let ask = |origin: &str| {
        service.send(format!(
            "OPTIONS /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\n\
             connection: close\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: content-type,x-prediction-id\r\n\r\n"
        ))
    };
    let allowed = "access-control-allow-origin: https://app.example.com";
    assert!(ask("https://app.example.com").head.contains(allowed));
    assert!(!ask("https://evil.example.com").head.contains("access-control-allow-origin"));
    let response = service.predict_with("Origin: https://app.example.com\r\n", GOOD);
    assert!(response.head.contains(allowed), "{response:?}");
    assert!(response.head.contains("access-control-expose-headers: x-prediction-id"));
    let closed = Running::start();
    let response = closed.predict_with("Origin: https://app.example.com\r\n", GOOD);
    assert!(!response.head.contains("access-control"), "{response:?}");
}

#[test]
fn large_answers_are_compressed_if_the_client_accepts_it() {
    let service = Running::start();
    let unknown: String = (0..50).map(|field| format!(r#","unknown_{field}": 1"#)).collect();
    let mistaken = format!(r#"{{"age": 25{unknown}}}"#);
    let accepts = "accept-encoding: gzip\r\n";
    let metadata = format!(
        "GET /api/models/charges_model/metadata HTTP/1.1\r\nhost: test\r\n\
         connection: close\r\n{accepts}\r\n"
    );
    let prediction = head(mistaken.len()).replacen("\r\n", &format!("\r\n{accepts}"), 1);
    for request in [metadata, format!("{prediction}{mistaken}")] {
        let mut stream = service.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let head = String::from_utf8_lossy(&answer).to_lowercase();
        assert!(head.contains("content-encoding: gzip"), "{head}");
    }
    let small = service.predict_with(accepts, GOOD);
    assert!(!small.head.contains("content-encoding"), "{small:?}");
    let plain = service.get("/api/models/charges_model/metadata");
    assert!(!plain.head.contains("content-encoding"), "{plain:?}");
    plain.json();
}

#[test]
fn compressed_bodies_are_read_and_their_limit_is_that_of_what_comes_out() {
    let service = Running::configured("server: {body_limit_bytes: 1000}");
    // gzip of `GOOD`, plain and after a million blanks.
    let send = |body: &[u8]| {
        let head = format!(
            "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\n\
             connection: close\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        service.send([head.as_bytes(), body].concat())
    };
    let response = send(&gzip(GOOD.as_bytes()));
    assert_eq!(response.status, 200, "{response:?}");
    let response = send(&gzip(format!("{}{GOOD}", " ".repeat(1_000_000)).as_bytes()));
    assert_eq!(response.status, 413, "{response:?}");
    assert_eq!(response.error().0, "PayloadTooLargeError");
    let response = send(b"no gzip");
    assert_eq!(response.status, 400, "{response:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use flate2::{Compression, write::GzEncoder};
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_access_log_is_at_debug_and_without_the_probes() {
    let service = Running::start();
    let response = service.predict_with("X-Prediction-Id: accessed\r\n", GOOD);
    assert_eq!(response.status, 200);
    assert_eq!(service.get("/nowhere/for/the/access/log").status, 404);
    service.get("/api/health/ready");
    let accesses: Vec<_> =
        log().into_iter().filter(|record| record["message"] == "Request answered.").collect();
    let access = accesses
        .iter()
        .find(|record| record["http_path"] == "/nowhere/for/the/access/log")
        .expect("the request is recorded");
    assert_eq!(access["levelname"], "DEBUG");
    assert_eq!((&access["http_method"], &access["http_status"]), (&json!("GET"), &json!(404)));
    assert!(access["duration_ms"].as_f64().is_some());
    let is_probe = |path: &str| path == "/api/health" || path.starts_with("/api/health/");
    assert!(!accesses.iter().any(|record| is_probe(record["http_path"].as_str().unwrap())));
}

#[test]
fn a_model_without_an_endpoint_is_listed_and_not_served() {
    let service =
        Running::configured("models: [{qualified_name: charges_model, create_endpoint: false}]");
    let response = service.predict(GOOD);
    assert_eq!(response.status, 404);
    assert!(response.error().1[0].contains("create_endpoint: false"), "{response:?}");
    let models = service.get("/api/models").json();
    assert_eq!(models["models"][0]["qualified_name"], "charges_model");
    assert_eq!(service.get("/api/models/charges_model/metadata").status, 200);
}

#[test]
fn predictions_of_inputs_without_room_for_an_id_have_one_when_they_fail_as_well() {
    /// Its input is a list, which cannot have a `prediction_id`.
    #[derive(MLModel)]
    #[decorate(prediction_id)]
    #[decorate(logging)]
    struct SumModel;

    impl Infer for SumModel {
        type Input = Vec<Option<f64>>;
        type Output = f64;
        type Error = std::io::Error;

        fn infer(&self, input: &Self::Input) -> Result<f64, Self::Error> {
            let sum = input.iter().copied().sum::<Option<f64>>();
            sum.ok_or_else(|| std::io::Error::other("a number is missing"))
        }
    }

    let service = Service::new("Sums").model(|| SumModel);
    let service = Running::serve(service, "", Arc::default());
    service.wait_until("/api/health/ready", 200);
    for (body, status, message) in [
        ("[1, 2]", 200, None),
        ("[1, null]", 500, Some("a number is missing")),
        ("[1, \"x\"]", 400, Some("1: \"x\" is not of type number or null")),
    ] {
        let path = "/api/models/sum_model/prediction";
        let response = service.post(path, "application/json", body.as_bytes());
        assert_eq!(response.status, status, "{response:?}");
        let id = response.head.lines().find_map(|line| line.strip_prefix("x-prediction-id: "));
        let id = id.unwrap_or_else(|| panic!("{response:?}"));
        assert_eq!(records(id).len(), 2, "{response:?}");
        if let Some(message) = message {
            assert_eq!(response.error().1, [message]);
            assert_eq!(response.json()["prediction_id"], id);
        }
    }
}
