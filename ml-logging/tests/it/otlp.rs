//! Records and spans over OTLP, as a collector receives them.

use std::{
    ffi::OsString,
    net::TcpListener,
    time::{Duration, Instant},
};

use ml_logging::{Builder, EcsFormatter, HostnameFilter, Logging, Otlp};
use opentelemetry::{
    SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode};
use serde_json::{Value, json};
use tracing::{Subscriber, field::Empty};

use crate::support::collector::{Collector, fields, hex, value};
use crate::support::{Memory, Record, builder};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Logs into memory and to the collector, independent of the environment.
fn exporting(
    collector: &Collector,
    format: &str,
) -> (Memory, impl Subscriber + Send + Sync + 'static, Logging) {
    let otlp =
        Otlp::new().endpoint(collector.address()).resource_attribute("service.name", "insurance");
    let memory = Memory::default();
    let builder = builder().format(format).otlp(otlp).writer(memory.clone());
    let (subscriber, logging) = builder.build().unwrap();
    (memory, subscriber, logging)
}

fn environment(
    variables: &'static [(&'static str, &'static str)],
) -> impl Fn(&str) -> Option<OsString> + Send + 'static {
    |name| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| value.into())
}

/// Returns the mistake in an export with these environment variables.
fn mistake(builder: Builder, variables: &'static [(&'static str, &'static str)]) -> String {
    builder.environment(environment(variables)).build().map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_record_has_the_fields_of_the_json_line() {
    let collector = Collector::start();
    let otlp = Otlp::new().endpoint(collector.address());
    let memory = Memory::default();
    let (subscriber, logging) = builder()
        .format("%(created)s %(hostname)s %(process)s %(name)s %(levelname)s %(lineno)s")
        .filter(HostnameFilter::new())
        .otlp(otlp)
        .writer(memory.clone())
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("outer", batch = 7, zip = "10115", age = 1).entered();
        let error = std::io::Error::other("on \"fire\"\n");
        tracing::info!(
            target: "insurance_logger",
            age = 25,
            bmi = 21.0,
            smoker = false,
            region = "süd\u{7}west",
            nan = f64::NAN,
            big = u64::MAX,
            bigger = i128::MIN,
            tiny = 1e-300,
            error = &error as &dyn std::error::Error,
            list = ?[1, 2],
            missing = None::<u8>,
            hostname = "taken",
            "Prediction \"created\"."
        );
        log_warning();
    });
    logging.flush().unwrap();

    let lines = memory.records();
    let records = collector.records();
    assert_eq!((lines.len(), records.len()), (2, 2));
    for (line, (target, record)) in lines.iter().zip(&records) {
        assert_eq!(line["message"], value(record.body.as_ref()));
        assert_eq!(line["name"], json!(target));
        assert_eq!(line["levelname"], json!(record.severity_text));
        assert_eq!(line["created"].as_f64().unwrap(), micros(record.time_unix_nano));
        let natively = ["created", "name", "levelname", "message"];
        let expected: Vec<_> = line
            .0
            .iter()
            .filter(|(key, value)| !natively.contains(&key.as_str()) && !value.is_null())
            .map(|(key, value)| (key.clone(), exported(value)))
            .collect();
        assert_eq!(fields(&record.attributes), without_ids(expected));
    }
    assert_eq!([records[0].1.severity_number, records[1].1.severity_number], [9, 13]);
    let first = fields(&records[0].1.attributes);
    let of = |key: &str| first.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone());
    assert_eq!(of("age"), Some(json!(25)));
    assert_eq!(of("bmi"), Some(json!(21.0)));
    assert_eq!(of("big"), Some(json!(u64::MAX.to_string())));
    assert_eq!(of("nan"), Some(json!("NaN")));
    assert_eq!(of("fields.hostname"), Some(json!("taken")));
    assert_eq!(of("batch"), Some(json!(7)));
    assert_eq!(of("missing"), None);
}

fn log_warning() {
    tracing::warn!(columns = 3, "Second.");
}

/// Returns seconds with six decimals.
fn micros(nanos: u64) -> f64 {
    format!("{}.{:06}", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000).parse().unwrap()
}

/// Converts a value of a line. Numbers that OpenTelemetry does not support are text.
fn exported(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_u64() && number.as_i64().is_none() => {
            json!(number.to_string())
        }
        Value::Number(number) if number.as_f64() == Some(i128::MIN as f64) => {
            json!(i128::MIN.to_string())
        }
        other => other.clone(),
    }
}

/// Removes the ids, which have separate fields in a record.
fn without_ids(mut fields: Vec<(String, Value)>) -> Vec<(String, Value)> {
    fields.retain(|(key, _)| key != "trace_id" && key != "span_id");
    fields
}

#[test]
fn spans_records_and_lines_join_up() {
    let collector = Collector::start();
    let (memory, subscriber, logging) = exporting(&collector, "%(message)s");
    tracing::subscriber::with_default(subscriber, || {
        let outer = tracing::info_span!(target: "shop", "outer", customer = 7, total = Empty);
        outer.in_scope(|| {
            tracing::info!("In outer.");
            tracing::info_span!("inner", prediction_id = "p-1").in_scope(|| {
                tracing::error!(error_info = "no forest", "Prediction exception.");
            });
        });
        outer.record("total", 12.5);
        drop(outer);
        tracing::info!("Outside.");
    });
    logging.flush().unwrap();

    let (outer, inner) = (collector.span("outer"), collector.span("inner"));
    assert_eq!(inner.trace_id, outer.trace_id);
    assert_eq!(inner.parent_span_id, outer.span_id);
    assert!(outer.parent_span_id.is_empty());
    assert_eq!(outer.kind, SpanKind::Internal as i32);
    assert!(outer.start_time_unix_nano <= inner.start_time_unix_nano);
    assert!(inner.end_time_unix_nano <= outer.end_time_unix_nano);
    assert_eq!(
        fields(&outer.attributes),
        [("customer".into(), json!(7)), ("total".into(), json!(12.5))]
    );
    assert_eq!(fields(&inner.attributes), [("prediction_id".into(), json!("p-1"))]);
    let status = inner.status.unwrap();
    assert_eq!((status.code(), &*status.message), (StatusCode::Error, "no forest"));
    assert_eq!(outer.status.unwrap().code(), StatusCode::Unset);

    let records = collector.records();
    let ids = |index: usize| {
        let record: &opentelemetry_proto::tonic::logs::v1::LogRecord = &records[index].1;
        (hex(&record.trace_id), hex(&record.span_id))
    };
    assert_eq!(ids(0), (hex(&outer.trace_id), hex(&outer.span_id)));
    assert_eq!(ids(1), (hex(&inner.trace_id), hex(&inner.span_id)));
    assert_eq!(ids(2), (String::new(), String::new()));
    let lines = memory.records();
    let in_line = |line: &Record| {
        (
            line["trace_id"].as_str().unwrap().to_owned(),
            line["span_id"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!([in_line(&lines[0]), in_line(&lines[1])], [ids(0), ids(1)]);
    assert_eq!(
        lines[1].keys(),
        ["message", "error_info", "trace_id", "span_id", "prediction_id", "customer"]
    );
    assert_eq!(lines[2].keys(), ["message"]);
    let resource = collector.resource();
    assert!(resource.contains(&("service.name".into(), json!("insurance"))), "{resource:?}");
}

/// Runs in a span whose parent belongs to another process, with its ids as fields like in the service.
fn in_request(flags: TraceFlags, run: impl FnOnce()) {
    let (trace, span) = (TraceId::from_hex(TRACE).unwrap(), SpanId::from_hex(SPAN).unwrap());
    let remote = SpanContext::new(trace, span, flags, true, TraceState::default());
    let span = {
        let _remote = opentelemetry::Context::new().with_remote_span_context(remote).attach();
        tracing::error_span!("request", trace_id = TRACE, span_id = SPAN)
    };
    span.in_scope(run);
}

#[test]
fn the_ids_have_the_names_of_the_formatter() {
    let collector = Collector::start();
    let memory = Memory::default();
    let (subscriber, logging) = builder()
        .formatter(EcsFormatter::new())
        .otlp(Otlp::new().endpoint(collector.address()))
        .writer(memory.clone())
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("one").in_scope(|| {
            tracing::info!(duration_ms = 1.5, "Ours.");
            tracing::info!(trace_id = TRACE, "Its own.");
        });
    });
    logging.flush().unwrap();
    let span = collector.span("one");
    let (lines, records) = (memory.records(), collector.records());
    assert_eq!(lines[0]["trace.id"], json!(hex(&span.trace_id)));
    assert_eq!(lines[0]["span.id"], json!(hex(&span.span_id)));
    assert_eq!(lines[1]["trace.id"], json!(TRACE));
    let natively = ["@timestamp", "log.level", "message", "log.logger", "trace.id", "span.id"];
    for (line, (_, record)) in lines.iter().zip(&records) {
        assert_eq!(line["trace.id"], json!(hex(&record.trace_id)));
        assert_eq!(line["log.level"], json!(record.severity_text));
        let mut expected = line.0.clone();
        expected.retain(|(key, _)| !natively.contains(&key.as_str()));
        assert_eq!(fields(&record.attributes), expected);
    }
}

#[test]
fn a_remote_span_is_the_parent() {
    let collector = Collector::start();
    let (memory, subscriber, logging) = exporting(&collector, "%(message)s");
    tracing::subscriber::with_default(subscriber, || {
        in_request(TraceFlags::SAMPLED, || tracing::info!("Inside."));
    });
    logging.flush().unwrap();

    let request = collector.span("request");
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.into(), SPAN.into()));
    assert_eq!(request.kind, SpanKind::Server as i32);
    let line = crate::support::only(memory.records());
    assert_eq!(line["trace_id"], json!(TRACE));
    assert_eq!(line["span_id"], json!(hex(&request.span_id)));
    let (_, record) = &collector.records()[0];
    assert_eq!(hex(&record.span_id), hex(&request.span_id));
}

#[test]
fn a_trace_that_its_caller_does_not_sample_keeps_the_callers_ids() {
    let collector = Collector::start();
    let (memory, subscriber, logging) = exporting(&collector, "%(message)s");
    tracing::subscriber::with_default(subscriber, || {
        in_request(TraceFlags::NOT_SAMPLED, || {
            tracing::info_span!("prediction").in_scope(|| tracing::info!("Inside."));
        });
    });
    logging.flush().unwrap();

    assert_eq!(collector.spans(), []);
    let line = crate::support::only(memory.records());
    assert_eq!((&line["trace_id"], &line["span_id"]), (&json!(TRACE), &json!(SPAN)));
    let (_, record) = &collector.records()[0];
    assert_eq!((hex(&record.trace_id), hex(&record.span_id)), (TRACE.into(), SPAN.into()));
}

#[test]
fn the_end_of_the_logging_loses_nothing() {
    const COUNT: usize = 1500;
    let collector = Collector::start();
    let (_, subscriber, logging) = exporting(&collector, "%(message)s");
    tracing::subscriber::with_default(subscriber, || {
        for number in 0..COUNT {
            tracing::info_span!("one").in_scope(|| tracing::info!(number));
        }
    });
    assert_eq!((logging.lost_records(), logging.lost_spans()), (0, 0));
    drop(logging);

    let records = collector.records();
    let numbers = records.iter().map(|(_, record)| value(record.attributes[0].value.as_ref()));
    assert_eq!(Vec::from_iter(numbers), Vec::from_iter((0..COUNT).map(|number| json!(number))));
    assert_eq!(collector.spans().len(), COUNT);
}

#[test]
fn a_stalled_collector_does_not_block_and_losses_are_exact() {
    const QUEUE: &[(&str, &str)] =
        &[("OTEL_BLRP_MAX_QUEUE_SIZE", "10"), ("OTEL_BSP_MAX_QUEUE_SIZE", "4")];
    let collector = Collector::start();
    collector.stall();
    let memory = Memory::default();
    let (subscriber, logging) = builder()
        .format("%(message)s")
        .environment(environment(QUEUE))
        .otlp(Otlp::new().endpoint(collector.address()))
        .writer(memory.clone())
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        // The first batch has been sent before anything is lost.
        for number in 0..10 {
            tracing::info!(number);
        }
        collector.wait_for_request();
        for number in 10..100 {
            tracing::info_span!("one").in_scope(|| tracing::info!(number));
        }
    });
    assert_eq!(memory.records().len(), 100);
    assert_eq!((logging.lost_records(), logging.lost_spans()), (90, 86));
    let counts = || {
        let counts = logging.counts().pop().unwrap();
        (counts.accepted, counts.queued, counts.written, counts.lost)
    };
    // A record counts as written when the collector has it, so that the count never decreases.
    assert_eq!(counts(), (100, 10, 0, 90));
    collector.go_on();
    logging.flush().unwrap();
    assert_eq!(counts(), (100, 0, 10, 90));
    assert_eq!((collector.records().len(), collector.spans().len()), (10, 4));
    assert_eq!((logging.lost_records(), logging.lost_spans()), (90, 86));
}

#[test]
fn refused_records_and_spans_are_lost_and_counted() {
    let collector = Collector::start();
    collector.refuse(400);
    let (memory, subscriber, logging) = exporting(&collector, "%(message)s");
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..20 {
            tracing::info_span!("one").in_scope(|| tracing::info!("Refused."));
        }
    });
    let error = logging.flush().unwrap_err().to_string();
    assert_eq!(
        error,
        "not delivered to the collector: log records: 20 lost, 0 still waiting, \
         spans: 20 lost, 0 still waiting"
    );
    assert_eq!(memory.records().len(), 20);
    assert_eq!((logging.lost_records(), logging.lost_spans()), (20, 20));
}

#[test]
fn an_unreachable_collector_does_not_block() {
    // The port is closed again.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let memory = Memory::default();
    let (subscriber, logging) = builder()
        .format("%(message)s")
        .environment(environment(&[
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ]))
        .otlp(Otlp::new().endpoint(format!("http://{address}")))
        .writer(memory.clone())
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!("Still here."));
    let error = logging.flush().unwrap_err().to_string();
    assert!(error.starts_with("not delivered to the collector: log records: "), "{error}");
    assert_eq!(memory.records().len(), 1);
}

#[test]
fn a_flush_ends_at_its_limit_if_the_collector_does_not_answer() {
    // Connections wait in the backlog. A request has 10 s.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (subscriber, logging) = builder()
        .environment(environment(&[]))
        .otlp(Otlp::new().endpoint(format!("http://{address}")))
        .writer(Memory::default())
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("open").entered();
        tracing::info!("x");
    });
    let begun = Instant::now();
    let error = logging.flush_within(Duration::from_millis(50)).unwrap_err().to_string();
    let expected = "log records: 0 lost, 1 still waiting, spans: 0 lost, 1 still waiting";
    assert!(error.ends_with(expected), "{error}");
    logging.end_by(Instant::now());
    logging.flush().unwrap_err();
    logging.finish().unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn the_environment_alone_starts_the_export() {
    let collector = Collector::start();
    let address = collector.address().to_owned();
    let lookup =
        move |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| OsString::from(&address));
    let memory = Memory::default();
    let (subscriber, logging) = ml_logging::builder()
        .environment(lookup)
        .format("%(message)s")
        .writer(memory.clone())
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!(age = 25, "By variable."));
    logging.flush().unwrap();
    let (_, record) = &collector.records()[0];
    assert_eq!(fields(&record.attributes), [("age".to_owned(), json!(25))]);
}

#[test]
fn the_environment_can_turn_the_export_off() {
    let off = environment(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_SDK_DISABLED", "true"),
    ]);
    let memory = Memory::default();
    let (subscriber, logging) = ml_logging::builder()
        .environment(off)
        .format("%(message)s")
        .writer(memory.clone())
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("one").in_scope(|| tracing::info!("Here alone."));
    });
    logging.flush().unwrap();
    assert_eq!(crate::support::only(memory.records()).keys(), ["message"]);
}

#[test]
fn mistakes_in_the_settings_are_reported_with_the_remedy() {
    let to = |endpoint: &str| ml_logging::builder().otlp(Otlp::new().endpoint(endpoint));
    assert_eq!(
        mistake(ml_logging::builder().otlp(Otlp::new()), &[]),
        "export over OTLP: the address of the collector is missing; set `endpoint` or the variable \
         OTEL_EXPORTER_OTLP_ENDPOINT"
    );
    assert_eq!(
        mistake(to("https://collector:4318"), &[]),
        "export over OTLP: `endpoint`: `https://collector:4318/v1/logs` requires TLS, which is not supported; \
         use a collector on this machine, write for example `http://localhost:4318`"
    );
    assert_eq!(
        mistake(to("http://localhost:4318"), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]),
        "export over OTLP: OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`; only `http/protobuf` is supported"
    );
    assert_eq!(
        mistake(to("http://localhost:4318"), &[("OTEL_LOGS_EXPORTER", "console")]),
        "export over OTLP: OTEL_LOGS_EXPORTER is `console`; supported are `otlp` and `none`"
    );
    assert_eq!(
        mistake(to("http://localhost:4318"), &[("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")]),
        "export over OTLP: OTEL_EXPORTER_OTLP_TIMEOUT is `10s`; it must be a number above 0"
    );
    let text = ml_logging::builder();
    let text = mistake(text, &[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "localhost:4318")]);
    assert!(
        text.starts_with("export over OTLP: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `localhost:4318` "),
        "{text}"
    );
}
