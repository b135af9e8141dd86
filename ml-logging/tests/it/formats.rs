//! Settings of formatters: times, keys, static fields, and the Elastic Common Schema.

use std::time::{Duration, SystemTime};

use crate::support::{Record, builder, child, logged, logged_by, only, records};
use jiff::{Timestamp, civil, tz};
use ml_logging::{EcsFormatter, Error, FormatError, FormatStyle, HostnameFilter, JsonFormatter};
use proptest::{
    collection::{hash_set, vec},
    prelude::*,
};
use serde_json::json;
use tracing::{error, info, info_span};

fn json(format: &str) -> JsonFormatter {
    JsonFormatter::new(format).unwrap()
}

fn record(formatter: impl Into<ml_logging::Formatter>, run: impl FnOnce()) -> Record {
    only(logged_by(builder().formatter(formatter), run))
}

/// Returns whether this is the current time.
fn is_now(time: Timestamp) -> bool {
    let now = Timestamp::try_from(SystemTime::now()).unwrap();
    now.duration_since(time).unsigned_abs() < Duration::from_secs(60)
}

#[test]
fn times_have_the_configured_format_and_zone() {
    let time = |formatter: JsonFormatter| {
        let record = record(formatter, || info!("x"));
        record["asctime"].as_str().unwrap().to_owned()
    };
    let asctime = || json("%(asctime)s");
    let iso = time(asctime().date_format("%Y-%m-%dT%H:%M:%S.%f%z").unwrap());
    assert!(is_now(iso.parse().unwrap()), "{iso}");
    assert!(iso.ends_with("+0000"), "{iso}");

    let berlin = asctime().time_zone("Europe/Berlin".parse().unwrap());
    let text = time(berlin);
    let local = civil::DateTime::strptime("%Y-%m-%d %H:%M:%S,%3f", &text).unwrap();
    let moment = local.to_zoned(tz::TimeZone::get("Europe/Berlin").unwrap()).unwrap();
    assert!(is_now(moment.timestamp()), "{text}");

    let offset = asctime().date_format("\"%F\n%T%:z").unwrap();
    let text = time(offset.time_zone("-03:30".parse().unwrap()));
    assert!(text.starts_with('"') && text.contains('\n') && text.ends_with("-03:30"), "{text}");
}

#[test]
fn times_increase_from_record_to_record() {
    let formatter = json("%(created)s %(asctime)s %(msecs)d").timestamp("at");
    let formatter = formatter.date_format("%s.%f").unwrap();
    let records = logged_by(builder().formatter(formatter), || {
        for _ in 0..200 {
            info!("x");
        }
    });
    for record in records {
        let created = record["created"].to_string();
        let created: f64 = created.parse().unwrap();
        let asctime: f64 = record["asctime"].as_str().unwrap().parse().unwrap();
        assert_eq!(asctime, created);
        let at: Timestamp = record["at"].as_str().unwrap().parse().unwrap();
        assert_eq!(at.as_microsecond(), (created * 1e6).round() as i64);
        assert_eq!(record["msecs"], json!(f64::from(at.subsec_millisecond())));
    }
}

#[test]
fn local_time_is_the_time_of_the_machine() {
    let output =
        child("formats::local_time_is_the_time_of_the_machine", &[("TZ", "Asia/Tokyo")], || {
            let formatter = json("%(asctime)s").date_format("%z").unwrap();
            let formatter = formatter.time_zone("local".parse().unwrap());
            let _logging = builder().formatter(formatter).init().unwrap();
            info!("x");
        });
    let Some(output) = output else { return };
    assert_eq!(only(records(&output.stdout))["asctime"], json!("+0900"));
}

#[test]
fn records_of_the_log_crate_have_the_schemas_names_too() {
    let output = child("formats::records_of_the_log_crate_have_the_schemas_names_too", &[], || {
        let _logging = builder().formatter(EcsFormatter::new()).init().unwrap();
        log::warn!(target: "some::crate", "text");
    });
    let Some(output) = output else { return };
    let record = only(records(&output.stdout));
    assert_eq!(record["log.level"], json!("warning"));
    assert_eq!(record["log.logger"], json!("some::crate"));
    assert_eq!(record["log.origin.file.name"], json!("formats.rs"));
    assert_eq!(record["message"], json!("text"));
    assert_eq!(record.keys().len(), 11);
}

#[test]
fn all_styles_name_the_same_fields() {
    for (format, style) in [
        ("%(levelname)-8s [%(message)s]", FormatStyle::Percent),
        ("{levelname:<8} [{message!s}]", FormatStyle::Brace),
        ("$levelname [${message}]", FormatStyle::Dollar),
        ("levelname, message", FormatStyle::Comma),
    ] {
        let formatter = JsonFormatter::with_style(format, style).unwrap();
        let record = record(formatter, || info!(age = 1, "x"));
        assert_eq!(record.keys(), ["levelname", "message", "age"], "{format}");
    }
}

#[test]
fn renamed_fields_stay_where_they_are() {
    let formatter = json("%(levelname)s %(message)s")
        .rename_field("levelname", "level")
        .rename_field("message", "text")
        .rename_field("age", "customer_age")
        .rename_field("user", "who");
    let records = logged_by(builder().formatter(formatter), || {
        let span = info_span!("s", user = "u", customer_age = 3);
        let _entered = span.enter();
        info!(age = 1, level = 2, levelname = 3, text = 4, customer_age = 5, "x");
    });
    assert_eq!(
        serde_json::to_value(only(records).0).unwrap(),
        json!([
            ["level", "INFO"],
            ["text", "x"],
            ["customer_age", 1],
            ["fields.level", 2],
            ["levelname", 3],
            ["fields.text", 4],
            ["fields.customer_age", 5],
            ["who", "u"],
        ])
    );
    // Also if the format does not name it.
    let formatter = json("%(levelname)s").rename_field("message", "msg");
    assert_eq!(
        record(formatter, || info!(msg = 1, "x")).keys(),
        ["levelname", "msg", "fields.msg"]
    );
}

#[test]
fn static_fields_and_the_timestamp_follow_the_format() {
    let with = |format: &str| {
        json(format)
            .static_field("service", "x\"\n")
            .static_field("version", 2)
            .static_field("ratio", 0.5)
            .static_field("canary", true)
            .static_field("none", ())
            .timestamp("at")
    };
    let first = record(with("%(message)s"), || info!(age = 1, service = "own", at = 2, "x"));
    assert_eq!(
        first.keys(),
        [
            "message",
            "service",
            "version",
            "ratio",
            "canary",
            "none",
            "age",
            "fields.service",
            "fields.at",
            "at"
        ]
    );
    assert_eq!(first["service"], json!("x\"\n"));
    assert_eq!((&first["version"], &first["ratio"]), (&json!(2), &json!(0.5)));
    assert_eq!((&first["canary"], &first["none"]), (&json!(true), &json!(null)));
    assert!(is_now(first["at"].as_str().unwrap().parse().unwrap()));

    let placed = record(with("%(at)s %(version)s %(message)s"), || info!("x"));
    assert_eq!(placed.keys(), ["at", "version", "message", "service", "ratio", "canary", "none"]);

    // As in Python, static fields replace fields of the format and of filters.
    let formatter =
        json("%(name)s %(hostname)s").static_field("name", "n").static_field("hostname", "h");
    let record =
        only(logged_by(builder().formatter(formatter).filter(HostnameFilter), || info!("x")));
    assert_eq!((&record["name"], &record["hostname"]), (&json!("n"), &json!("h")));
}

#[test]
fn keys_that_collide_are_refused() {
    let error = |formatter: JsonFormatter| match builder().formatter(formatter).build().err() {
        Some(Error::Format(error)) => error,
        other => panic!("{other:?}"),
    };
    let twice = |key: &str| FormatError::KeyTwice { key: key.to_owned() };
    let format = || json("%(name)s %(message)s");
    assert_eq!(error(format().rename_field("name", "message")), twice("message"));
    assert_eq!(error(format().rename_field("a", "c").rename_field("b", "c")), twice("c"));
    let reversed = error(format().rename_field("logger", "name"));
    let (from, to) = ("logger".to_owned(), "name".to_owned());
    assert_eq!(reversed, FormatError::RenamedOver { from, to });
    assert!(reversed.to_string().contains("to write `name` under the key `logger`, swap them"));
    assert_eq!(error(format().static_field("a", 1).rename_field("name", "a")), twice("a"));
    assert_eq!(error(format().timestamp("a").static_field("a", 1)), twice("a"));
    assert_eq!(error(json("%(a)s").timestamp("a").static_field("a", 1)), twice("a"));
    assert_eq!(error(format().static_field("message", "x")), FormatError::FixedMessage);
    assert_eq!(error(format().timestamp("message")), FormatError::FixedMessage);
    let swapped = format().rename_field("name", "message").rename_field("message", "name");
    assert_eq!(record(swapped, || info!("x")).keys(), ["message", "name"]);
}

#[test]
fn the_elastic_common_schema() {
    let formatter = EcsFormatter::new().service_name("insurance").service_version("1.2.0");
    let records = logged_by(builder().formatter(formatter), || {
        let span =
            tracing::error_span!("request", trace_id = "4bf9", span_id = "00f0", duration_ms = 7);
        let _entered = span.enter();
        error!(
            target: "insurance_charges_model_logger",
            action = "predict",
            prediction_id = "p",
            duration_ms = 0.0421,
            error_info = "outer: inner",
            age = 25,
            "Prediction exception."
        );
    });
    let record = only(records);
    assert_eq!(
        record.keys(),
        [
            "@timestamp",
            "log.level",
            "message",
            "ecs.version",
            "log.logger",
            "log.origin.file.name",
            "log.origin.file.line",
            "process.pid",
            "process.thread.id",
            "process.thread.name",
            "host.name",
            "service.name",
            "service.version",
            "action",
            "prediction_id",
            "event.duration",
            "error.message",
            "age",
            "trace.id",
            "span.id",
            "duration_ms",
        ]
    );
    let time = record["@timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == "2022-06-12T18:09:45.971Z".len(), "{time}");
    assert!(is_now(time.parse().unwrap()));
    for (key, value) in [
        ("log.level", json!("error")),
        ("message", json!("Prediction exception.")),
        ("ecs.version", json!("1.6.0")),
        ("log.logger", json!("insurance_charges_model_logger")),
        ("log.origin.file.name", json!("formats.rs")),
        ("process.pid", json!(std::process::id())),
        ("process.thread.name", json!("formats::the_elastic_common_schema")),
        ("service.version", json!("1.2.0")),
        ("event.duration", json!(42100)),
        ("error.message", json!("outer: inner")),
        ("trace.id", json!("4bf9")),
        ("duration_ms", json!(7)),
    ] {
        assert_eq!(record[key], value, "{key}");
    }
}

#[test]
fn durations_of_every_type_are_nanoseconds() {
    let duration = |run: fn()| record(EcsFormatter::new(), run)["event.duration"].clone();
    assert_eq!(duration(|| info!(duration_ms = 1.5, "x")), json!(1_500_000));
    assert_eq!(duration(|| info!(a = 1, duration_ms = 3_u64, "x")), json!(3_000_000));
    assert_eq!(duration(|| info!(duration_ms = 3_i64)), json!(3_000_000));
    assert_eq!(duration(|| info!(duration_ms = 3_u128)), json!(3_000_000));
    assert_eq!(duration(|| info!(duration_ms = f64::NAN)), json!(null));
    assert_eq!(duration(|| info!(duration_ms = -1)), json!(null));
    assert_eq!(duration(|| info!(duration_ms = None::<f64>)), json!(null));
    // Declared before the message, with a hand-written set of values.
    assert_eq!(duration(|| info!(duration_ms = 2, message = "x", b = true)), json!(2_000_000));
    assert_eq!(duration(|| info!(event.duration = 5, "x")), json!(5));
}

#[test]
fn the_schemas_own_names_and_those_for_them_are_the_same_field() {
    let records = logged_by(builder().formatter(EcsFormatter::new()), || {
        let span = info_span!("s", trace.id = "outer", trace_id = "inner", error_info = 1);
        let _entered = span.enter();
        info!(
            error_info = "first",
            error.message = "last",
            event.duration = 1,
            duration_ms = 2,
            "x"
        );
    });
    let record = only(records);
    assert_eq!(record["error.message"], json!("last"));
    assert_eq!(record["event.duration"], json!(2_000_000));
    assert_eq!(record["trace.id"], json!("inner"));
}

#[test]
fn excluded_fields_are_not_written() {
    let formatter = EcsFormatter::new()
        .static_field("labels.team", "a")
        .exclude_field("process")
        .exclude_field("log.origin.file.line")
        .exclude_field("error.message")
        .exclude_field("secret")
        .exclude_field("fields.device")
        .exclude_field("message");
    let records = logged_by(builder().formatter(formatter), || {
        let span = info_span!("s", secret.inner = 1, secrets = 2);
        let _entered = span.enter();
        info!(error_info = "x", secret = 3, age = 4, device = 5, "x");
    });
    assert_eq!(
        only(records).keys(),
        [
            "@timestamp",
            "log.level",
            "ecs.version",
            "log.logger",
            "log.origin.file.name",
            "host.name",
            "labels.team",
            "age",
            "secrets",
        ]
    );
}

#[test]
fn fields_of_filters_are_in_the_schema() {
    struct Fields;
    impl ml_logging::ContextFilter for Fields {
        fn fields(&self) -> Vec<(String, String)> {
            ["pod_name", "host", "hostname"]
                .map(|name| (name.to_owned(), name.to_uppercase()))
                .into()
        }
    }
    let record = only(logged_by(builder().formatter(EcsFormatter::new()).filter(Fields), || {
        info!(pod_name = "own", "x");
    }));
    assert_eq!(record["host.name"], json!("HOSTNAME"));
    assert_eq!(record["pod_name"], json!("POD_NAME"));
    assert_eq!(record["labels.host"], json!("HOST"));
    assert_eq!(record["fields.pod_name"], json!("own"));
    assert!(record.get("hostname").is_none());
}

proptest! {
    /// Parsing fails if a key occurs twice.
    #[test]
    fn no_renamed_or_static_field_repeats_a_key(
        renames in vec(("(name|message|age|level|fields\\.age|a)", "(name|message|age|level|fields\\.(age|name)|\"|b)"), 0..4),
        statics in hash_set("(name|age|level|fields\\.level|fields\\.fields\\.age|\n)", 0..3),
        timestamp in proptest::option::of("(at|age|name)"),
        placed: bool,
    ) {
        let format = if placed { "%(name)s %(message)s" } else { "%(name)s" };
        let mut formatter = json(format);
        for (from, to) in renames {
            formatter = formatter.rename_field(from, to);
        }
        for name in statics {
            formatter = formatter.static_field(name, 0);
        }
        if let Some(key) = timestamp {
            formatter = formatter.timestamp(key);
        }
        let memory = crate::support::Memory::default();
        let built = builder().formatter(formatter).writer(memory.clone()).build();
        let (subscriber, _logging) = match built {
            Ok(built) => built,
            Err(Error::Format(FormatError::KeyTwice { .. } | FormatError::RenamedOver { .. })) => {
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        tracing::subscriber::with_default(subscriber, || {
            let span = info_span!("s", age = 1, level = 2, fields.age = 3, b = 4, name = 5);
            let _entered = span.enter();
            info!(name = 1, age = 2, fields.level = 3, a = 4, at = 5, fields.fields.age = 6, "x");
            info!(message = 1, fields.name = 2, fields.message = 3);
        });
        prop_assert_eq!(memory.records().len(), 2);
    }
}

#[test]
fn floats_that_json_lacks_are_null_in_the_elastic_common_schema() {
    let run = || {
        let span = info_span!("s", score = f64::INFINITY, word = "NaN", finite = 0.5).entered();
        info!(charges = f64::NAN, low = f64::NEG_INFINITY, text = "Infinity", "x");
        drop(span);
    };
    let ecs = EcsFormatter::new().static_field("limit", f64::NAN);
    let record = only(logged_by(builder().formatter(ecs), run));
    for key in ["charges", "low", "score", "limit"] {
        assert_eq!(record[key], json!(null), "{key}");
    }
    assert_eq!((&record["text"], &record["word"]), (&json!("Infinity"), &json!("NaN")));
    assert_eq!(record["finite"], json!(0.5));

    let record = only(logged("%(message)s", run));
    assert_eq!((&record["charges"], &record["score"]), (&json!("NaN"), &json!("Infinity")));
    assert_eq!((&record["low"], &record["word"]), (&json!("-Infinity"), &json!("NaN")));
}
