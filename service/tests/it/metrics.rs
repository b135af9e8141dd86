//! `GET /metrics` over a real socket. The counts of models belong to the process: tests that check them have
//! a model of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::common::{ChargesModel, Gate, Input, Output, Running, eventually};
use ml_model_service::{Document, Infer, MLModel, MetricsSettings, Service};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

fn enabled() -> MetricsSettings {
    true.into()
}

fn start(settings: MetricsSettings) -> Running {
    let gate = Arc::new(Gate::default());
    let model = ChargesModel { gate: gate.clone() };
    let service = Service::new("Test").metrics(settings).model(|| model);
    let running = Running::serve(service, "", gate);
    running.wait_until("/api/models", 200);
    running
}

/// Returns all samples by name and labels.
fn scrape(service: &Running) -> BTreeMap<String, f64> {
    let response = service.get("/metrics");
    assert_eq!(response.status, 200);
    assert!(response.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"));
    let mut samples = BTreeMap::new();
    for line in response.body.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let before = samples.insert(series.to_owned(), value.parse().unwrap());
        assert_eq!(before, None, "{series} is there twice");
    }
    samples
}

const PREDICTION: &str = "/api/models/{qualified_name}/prediction";

fn requests(handler: &str, method: &str, status: &str) -> String {
    format!("http_requests_total{{handler=\"{handler}\",method=\"{method}\",status=\"{status}\"}}")
}

#[test]
fn there_are_no_metrics_unless_they_are_enabled() {
    let service = Running::start();
    let response = service.get("/metrics");
    assert_eq!(response.status, 404);
    let [message] = response.error().1.try_into().unwrap();
    assert!(message.contains("enable them by `Service::metrics(true)`"), "{message}");

    let absent = "AN_ENVIRONMENT_VARIABLE_THAT_IS_NOT_SET".to_owned();
    let settings =
        MetricsSettings { should_respect_env_var: true, env_var_name: absent, ..enabled() };
    assert_eq!(start(settings).get("/metrics").status, 404);
}

#[test]
fn requests_are_counted_by_route_method_and_status() {
    let service = start(enabled());
    let good = r#"{"age": 25, "bmi": 21.5}"#;
    assert_eq!(service.predict(good).status, 200);
    let answer = service.predict(good).body;
    assert_eq!(service.predict("{}").status, 400);
    assert_eq!(service.get("/nowhere?q=1").status, 404);
    assert_eq!(service.post("/metrics", "text/plain", b"").status, 405);

    // A request is counted before its answer is sent.
    let samples = scrape(&service);
    assert_eq!(samples[&requests("/metrics", "POST", "4xx")], 1.0);
    assert_eq!(samples[&requests(PREDICTION, "POST", "2xx")], 2.0);
    assert_eq!(samples[&requests(PREDICTION, "POST", "4xx")], 1.0);
    assert_eq!(samples[&requests("none", "GET", "4xx")], 1.0);

    let of =
        |name: &str, labels: &str| samples[&format!("{name}{{handler=\"{PREDICTION}\"{labels}}}")];
    assert_eq!(of("http_request_size_bytes_count", ""), 3.0);
    assert_eq!(of("http_request_size_bytes_sum", ""), (2 * good.len() + 2) as f64);
    assert_eq!(of("http_response_size_bytes_count", ""), 3.0);
    assert!(of("http_response_size_bytes_sum", "") > (2 * answer.len()) as f64);
    let buckets = [",le=\"0.1\"", ",le=\"0.5\"", ",le=\"1.0\"", ",le=\"+Inf\""]
        .map(|le| of("http_request_duration_seconds_bucket", &format!(",method=\"POST\"{le}")));
    assert!(buckets.is_sorted() && buckets[3] == 3.0, "{buckets:?}");
    assert_eq!(of("http_request_duration_seconds_count", ",method=\"POST\""), 3.0);
    assert!(of("http_request_duration_seconds_sum", ",method=\"POST\"") > 0.0);

    let all = samples.iter().filter(|(series, _)| series.starts_with("http_requests_total"));
    let all: f64 = all.map(|(_, count)| count).sum();
    assert_eq!(samples["http_request_duration_highr_seconds_count"], all);
    let bounds = samples.keys().filter(|series| series.contains("highr_seconds_bucket")).count();
    assert_eq!(bounds, 22);
}

/// Returns the values of a label over all series.
fn values<'a>(samples: &'a BTreeMap<String, f64>, label: &str) -> BTreeSet<&'a str> {
    let begin = format!("{label}=\"");
    let value = |series: &'a String| {
        Some(series.split_once(&begin)?.1.split('"').next().unwrap_or_default())
    };
    samples.keys().filter(|series| series.starts_with("http_")).filter_map(value).collect()
}

#[test]
fn clients_cannot_add_label_values() {
    let service = start(enabled());
    let method = prop_oneof!["[A-Z]{1,12}", "GET|POST|PUT|DELETE|PATCH|OPTIONS|HEAD|TRACE"];
    let path = prop_oneof![
        "/[a-z0-9%/._~{}-]{0,30}",
        "/api/models/[a-z]{1,8}/metadata",
        "/api/models/[a-z]{1,8}/prediction",
    ];
    let sent = TestRunner::default().run(&(method, path), |(method, path)| {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        service.send(head);
        Ok(())
    });
    sent.unwrap();

    let samples = scrape(&service);
    let routes = [
        "none",
        "/",
        "/api/health",
        "/api/health/ready",
        "/api/health/startup",
        "/api/models",
        "/api/models/{qualified_name}/metadata",
        PREDICTION,
        "/metrics",
    ];
    let handlers = values(&samples, "handler");
    assert!(handlers.is_subset(&routes.into()), "{handlers:?}");
    assert!(handlers.contains(PREDICTION) && handlers.contains("none"), "{handlers:?}");
    let known =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"];
    let methods = values(&samples, "method");
    assert!(methods.is_subset(&known.into()), "{methods:?}");
    assert!(methods.contains("_OTHER"), "{methods:?}");
    let statuses = values(&samples, "status");
    assert!(statuses.is_subset(&["2xx", "3xx", "4xx", "5xx"].into()), "{statuses:?}");
}

#[test]
fn statuses_need_not_be_grouped() {
    let service = start(MetricsSettings { should_group_status_codes: false, ..enabled() });
    service.get("/nowhere");
    service.post("/api/models/charges_model/prediction", "text/plain", b"");
    let samples = scrape(&service);
    assert_eq!(samples[&requests(PREDICTION, "POST", "415")], 1.0);
    assert_eq!(samples[&requests("none", "GET", "404")], 1.0);
}

#[test]
fn handlers_can_be_left_out() {
    let excluded = vec!["^/api/health".to_owned(), "^/metrics$".to_owned(), "secret".to_owned()];
    let service = start(MetricsSettings { excluded_handlers: excluded, ..enabled() });
    for path in ["/api/health", "/api/health/ready", "/my/secret", "/nowhere"] {
        service.get(path);
    }
    scrape(&service);
    let samples = scrape(&service);
    assert_eq!(values(&samples, "handler"), ["/api/models", "none"].into());
    assert_eq!(samples[&requests("none", "GET", "4xx")], 1.0);

    let service = start(MetricsSettings { should_ignore_untemplated: true, ..enabled() });
    service.get("/nowhere");
    service.get("/api/health");
    let samples = scrape(&service);
    assert_eq!(samples[&requests("/api/health", "GET", "2xx")], 1.0);
    assert!(!values(&samples, "handler").contains("none"));
}

#[test]
fn durations_can_be_rounded() {
    let service = start(MetricsSettings {
        should_round_latency_decimals: true,
        round_latency_decimals: 0,
        ..enabled()
    });
    let samples = scrape(&service);
    let sum = samples["http_request_duration_highr_seconds_sum"];
    assert_eq!(sum.fract(), 0.0);
    assert!(samples["http_request_duration_highr_seconds_count"] > 0.0);
}

#[test]
fn requests_in_progress_are_shown_if_asked_for() {
    let service = start(enabled());
    assert!(scrape(&service).keys().all(|series| !series.starts_with("http_requests_inprogress")));

    let with_labels = |inprogress_labels, inprogress_name: &str| {
        start(MetricsSettings {
            should_instrument_requests_inprogress: true,
            inprogress_labels,
            inprogress_name: inprogress_name.to_owned(),
            ..enabled()
        })
    };
    let service = with_labels(false, "busy");
    let held = begin_prediction(&service);
    let busy = |number: f64| {
        eventually(&format!("busy: {number}"), || {
            (scrape(&service)["busy"] == number).then_some(())
        });
    };
    // The prediction and the scrape itself.
    busy(2.0);
    drop(held);
    busy(1.0);

    let service = with_labels(true, "http_requests_inprogress");
    let series = format!("http_requests_inprogress{{handler=\"{PREDICTION}\",method=\"POST\"}}");
    let held = begin_prediction(&service);
    let shows = |number: f64| {
        eventually(&format!("{series} {number}"), || {
            (scrape(&service).get(&series) == Some(&number)).then_some(())
        });
    };
    shows(1.0);
    drop(held);
    shows(0.0);
}

/// Sends a part of a request for a prediction. The service waits for the rest without blocking a thread.
fn begin_prediction(service: &Running) -> TcpStream {
    let mut stream = service.connect();
    let head = "POST /api/models/charges_model/prediction HTTP/1.1\r\nhost: test\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{\"age\"";
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn a_request_whose_client_goes_away_is_counted() {
    let service = start(MetricsSettings { should_group_status_codes: false, ..enabled() });
    drop(begin_prediction(&service));
    // The status depends on whether the connection or the reader of the body fails first.
    eventually("one request that is not answered", || {
        let samples = scrape(&service);
        let count = |status| samples.get(&requests(PREDICTION, "POST", status)).copied();
        let (closed, refused) = (count("499").unwrap_or(0.0), count("400").unwrap_or(0.0));
        (closed + refused == 1.0).then_some(())
    });
}

/// Has a metrics decorator of its own, inside the one of the service.
#[derive(MLModel)]
#[ml_model(version = "1.0 \"beta\"")]
#[decorate(metrics)]
#[decorate(prediction_id)]
struct CountedModel(ChargesModel);

impl Infer for CountedModel {
    type Input = Input;
    type Output = Output;
    type Error = std::io::Error;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        self.0.infer(input)
    }
}

#[test]
fn every_prediction_is_counted_once() {
    let gate = Arc::new(Gate::default());
    let model = CountedModel(ChargesModel { gate: gate.clone() });
    let service = Service::new("Test").metrics(enabled()).model(|| model);
    let service = Running::serve(service, "", gate);
    service.wait_until("/api/health/ready", 200);
    let series = |name: &str, more: &str| {
        format!("{name}{{model=\"counted_model\",version=\"1.0 \\\"beta\\\"\"{more}}}")
    };
    let success = series("model_predictions_total", ",status=\"success\"");
    let error = series("model_predictions_total", ",status=\"error\"");
    let samples = scrape(&service);
    assert_eq!((samples[&success], samples[&error]), (0.0, 0.0), "there before any prediction");

    let predict = |body: &str| {
        let path = "/api/models/counted_model/prediction";
        service.post(path, "application/json", body.as_bytes()).status
    };
    let statuses = [
        r#"{"age": 25, "bmi": 21.5}"#,
        r#"{"age": 26, "bmi": 21.5, "prediction_id": "order-7"}"#,
        r#"{"age": 40, "bmi": 21.5}"#,
        r#"{"age": 50, "bmi": 21.5}"#,
        r#"{"age": 17, "bmi": 21.5}"#,
        "{",
    ]
    .map(predict);
    assert_eq!(statuses, [200, 200, 500, 500, 400, 400]);
    let samples = scrape(&service);
    assert_eq!((samples[&success], samples[&error]), (2.0, 4.0));
    assert_eq!(samples[&series("model_prediction_duration_seconds_count", "")], 6.0);
    let last = series("model_prediction_duration_seconds_bucket", ",le=\"+Inf\"");
    assert_eq!(samples[&last], 6.0);
    assert!(samples.contains_key(&last.replace("+Inf", "1e-06")));
    assert!(samples[&series("model_prediction_duration_seconds_sum", "")] > 0.0);
}

#[test]
fn the_log_is_asked_what_has_become_of_its_records() {
    struct FailsAtFirst(u32);
    impl std::io::Write for FailsAtFirst {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.saturating_sub(1);
            if self.0 > 0 { Err(std::io::Error::other("not yet")) } else { Ok(bytes.len()) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    assert!(!scrape(&start(enabled())).keys().any(|key| key.starts_with("log_")));
    let builder = ml_logging::builder().environment(|_| None);
    let writer = Mutex::new(FailsAtFirst(4));
    let (subscriber, logging) = builder.writer(writer).build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        (0..5).for_each(|number| tracing::info!(number, "x"));
    });
    let service = Service::new("Test").metrics(enabled()).logging(Arc::new(logging));
    let samples = scrape(&Running::serve(service, "", Arc::default()));
    assert_eq!(samples["log_records_lost_total"], 3.0);
    assert_eq!(samples["log_queue_bytes"], 0.0);
    for (outcome, count) in [("written", 2.0), ("dropped", 0.0), ("lost", 3.0)] {
        let series = format!("log_records_total{{handler=\"default\",outcome=\"{outcome}\"}}");
        assert_eq!(samples[&series], count, "{outcome}");
    }
    assert_eq!(samples["log_records_queued{handler=\"default\"}"], 0.0);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_is_measured() {
    let samples = scrape(&start(enabled()));
    assert!(samples["process_cpu_seconds_total"] >= 0.0);
    let resident = samples["process_resident_memory_bytes"];
    assert!((1e6..samples["process_virtual_memory_bytes"]).contains(&resident), "{resident}");
    let fds = samples["process_open_fds"];
    assert!((3.0..=samples["process_max_fds"]).contains(&fds), "{fds}");
    assert!(samples["process_threads"] >= 5.0, "the service has four workers");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let started = samples["process_start_time_seconds"];
    assert!((now - 3_600.0..now + 2.0).contains(&started), "{started} is not before {now}");
}

#[test]
fn settings_that_cannot_be_used_are_errors() {
    let error = |settings| {
        let document = Document::parse("test.yaml", "").unwrap();
        Service::new("Test").metrics(settings).configured(&document).unwrap_err().to_string()
    };
    let patterns = || vec!["/api".to_owned(), "(".to_owned()];
    assert_eq!(
        error(MetricsSettings { excluded_handlers: patterns(), ..enabled() }),
        "`metrics.excluded_handlers`: \"(\" is not a regular expression: \
         unclosed group"
    );
    for (name, problem) in
        [("busy requests", "is not the name of a metric"), ("process_threads", "another metric")]
    {
        let settings = MetricsSettings { inprogress_name: name.to_owned(), ..enabled() };
        let error = error(settings);
        assert!(error.contains("`metrics.inprogress_name`") && error.contains(problem), "{error}");
    }
}
