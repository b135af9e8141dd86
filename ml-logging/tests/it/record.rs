//! The record of an event.

use std::{cell::Cell, error::Error, fmt, io};

use crate::support::{builder, logged, logged_by, only};
use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::{debug, error, info, trace, warn};

#[test]
fn the_default_format_equals_the_original() {
    let mut line = 0;
    let record = only(logged_by(builder(), || {
        line = line!() + 1;
        info!(age = 25, "Prediction requested.");
    }));
    assert_eq!(
        record.keys(),
        [
            "asctime",
            "hostname",
            "process",
            "thread",
            "name",
            "pathname",
            "lineno",
            "levelname",
            "message",
            "age",
        ]
    );
    assert_eq!(record["process"], json!(std::process::id()));
    assert_eq!(record["name"], json!(module_path!()));
    assert_eq!(record["pathname"], json!(file!()));
    assert_eq!(record["lineno"], json!(line));
    assert_eq!(record["levelname"], json!("INFO"));
    assert_eq!(record["message"], json!("Prediction requested."));
    assert!(!record["hostname"].as_str().unwrap().is_empty());
    assert!(record["thread"].as_u64().unwrap() > 0);
}

#[test]
fn the_time_is_now_in_utc() {
    let before = jiff::Timestamp::now();
    let record = only(logged("%(asctime)s %(created)s", || info!("now")));
    let after = jiff::Timestamp::now();
    let asctime = record["asctime"].as_str().unwrap();
    let parsed: jiff::civil::DateTime = asctime.replace(',', ".").parse().unwrap();
    let asctime_ms = parsed.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond();
    assert!((before.as_millisecond()..=after.as_millisecond()).contains(&asctime_ms), "{asctime}");
    let created_ms = (record["created"].as_f64().unwrap() * 1e3) as i64;
    assert!((asctime_ms - created_ms).abs() <= 1, "{record:?}");
}

#[test]
fn the_remaining_built_in_fields() {
    let format = "%(threadName)s %(module)s %(filename)s %(levelno)d %(message)s";
    let records = logged_by(builder().format(format), || {
        info!("from the test's thread");
    });
    let record = only(records);
    assert_eq!(record["threadName"], json!("record::the_remaining_built_in_fields"));
    assert_eq!(record["module"], json!(module_path!()));
    assert_eq!(record["filename"], json!("record.rs"));
    assert_eq!(record["levelno"], json!(20));
}

#[test]
fn levels_have_pythons_names_and_numbers() {
    let records = logged("%(levelname)s %(levelno)s", || {
        trace!("");
        debug!("");
        info!("");
        warn!("");
        error!("");
    });
    let levels: Vec<_> = records
        .iter()
        .map(|record| (record["levelname"].as_str().unwrap(), record["levelno"].as_u64().unwrap()))
        .collect();
    assert_eq!(levels, [("TRACE", 5), ("DEBUG", 10), ("INFO", 20), ("WARNING", 30), ("ERROR", 40)]);
}

#[test]
fn the_message_is_at_the_position_of_the_format() {
    let middle = only(logged("%(name)s %(message)s %(levelname)s", || info!(a = 1, "text")));
    assert_eq!(middle.keys(), ["name", "message", "levelname", "a"]);
    let unplaced = only(logged("%(name)s", || info!(a = 1, "text {}", 5)));
    assert_eq!(unplaced.keys(), ["name", "message", "a"]);
    assert_eq!(unplaced["message"], json!("text 5"));
    let late =
        only(logged("%(message)s %(name)s", || info!(a = 1, message = "late", b = None::<u8>)));
    assert_eq!(late.keys(), ["message", "name", "a", "b"]);
    assert_eq!(late["message"], json!("late"));
    assert_eq!(late["a"], json!(1));
    assert_eq!(late["b"], Value::Null);
    let late_unplaced = only(logged("%(name)s", || info!(a = 1, message = ?"late")));
    assert_eq!(late_unplaced.keys(), ["name", "message", "a"]);
    assert_eq!(late_unplaced["message"], json!("\"late\""));
}

#[test]
fn each_value_is_formatted_once_wherever_the_message_stands() {
    struct Counted<'a>(&'a Cell<u32>);
    impl fmt::Display for Counted<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set(self.0.get() + 1);
            f.write_str("counted")
        }
    }

    for format in ["%(message)s", "%(name)s"] {
        let count = Cell::new(0);
        let record = only(logged(format, || info!(a = %Counted(&count), message = "x", b = 1)));
        assert_eq!(record["a"], json!("counted"));
        assert_eq!(count.get(), 1, "{format}");
    }
}

#[test]
fn an_event_without_a_message() {
    let placed = only(logged("%(message)s %(levelname)s", || info!(a = 1)));
    assert_eq!(placed.keys(), ["message", "levelname", "a"]);
    assert_eq!(placed["message"], Value::Null);
    let unplaced = only(logged("%(levelname)s", || info!(a = 1)));
    assert_eq!(unplaced.keys(), ["levelname", "a"]);
}

#[test]
fn none_is_null_in_its_place() {
    let none = None::<u64>;
    let record =
        only(logged("%(message)s", || info!(a = none, b = 1, c = none, d = 2, e = none, "x")));
    assert_eq!(record.keys(), ["message", "a", "b", "c", "d", "e"]);
    assert_eq!(record["a"], Value::Null);
    assert_eq!(record["b"], json!(1));
    assert_eq!(record["c"], Value::Null);
    assert_eq!(record["d"], json!(2));
    assert_eq!(record["e"], Value::Null);
    let message = only(logged("%(message)s %(name)s", || info!(message = None::<&str>, a = 1)));
    assert_eq!(message.keys(), ["message", "name", "a"]);
    assert_eq!(message["message"], Value::Null);
}

#[test]
fn a_source_that_repeats_the_error_outside_it_is_left_out() {
    #[derive(Debug)]
    struct Wrapper(io::Error);
    impl fmt::Display for Wrapper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }
    impl Error for Wrapper {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = Wrapper(io::Error::other("no \"trees\""));
    let record = only(logged("%(message)s", || info!(error = &error as &(dyn Error + 'static))));
    assert_eq!(record["error"], json!("no \"trees\""));
}

#[test]
fn values_keep_their_type() {
    #[derive(Debug)]
    struct Outer(Inner);
    #[derive(Debug)]
    struct Inner;
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl fmt::Display for Inner {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("in\"ner")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    impl Error for Inner {}

    let chain = Outer(Inner);
    let record = only(logged("%(message)s", || {
        info!(
            signed = i64::MIN,
            unsigned = u64::MAX,
            wide = i128::MIN,
            float = 0.1,
            single = 0.5_f32,
            nan = f64::NAN,
            infinite = f64::INFINITY,
            negative = f64::NEG_INFINITY,
            yes = true,
            text = "a\"b",
            shown = %Inner,
            debugged = ?Some("x"),
            error = &chain as &(dyn Error + 'static),
            bytes = &[0_u8, 171][..],
        );
    }));
    assert_eq!(record["signed"], json!(i64::MIN));
    assert_eq!(record["unsigned"], json!(u64::MAX));
    assert!(record["wide"].is_number());
    assert_eq!(record["float"], json!(0.1));
    assert_eq!(record["single"], json!(0.5));
    assert_eq!(record["nan"], json!("NaN"));
    assert_eq!(record["infinite"], json!("Infinity"));
    assert_eq!(record["negative"], json!("-Infinity"));
    assert_eq!(record["yes"], json!(true));
    assert_eq!(record["text"], json!("a\"b"));
    assert_eq!(record["shown"], json!("in\"ner"));
    assert_eq!(record["debugged"], json!("Some(\"x\")"));
    assert_eq!(record["error"], json!("outer: in\"ner"));
    assert_eq!(record["bytes"], json!("00ab"));
}

#[test]
fn keys_match_hand_written_ones() {
    let record = only(logged("%(message)s", || {
        info!(r#type = 1, http.status = 200, "a \"quoted\"\nkey" = 2, "");
    }));
    assert_eq!(record.keys(), ["message", "type", "http.status", "a \"quoted\"\nkey"]);
}

#[test]
fn the_last_value_of_a_repeated_name_counts_at_its_own_position() {
    let record = only(logged("%(message)s", || info!(a = 1, b = 2, a = 3, "x")));
    assert_eq!(record.keys(), ["message", "b", "a"]);
    assert_eq!(record["a"], json!(3));
    let none = only(logged("%(message)s", || info!(a = 1, a = None::<u8>, "x")));
    assert_eq!(none["a"], Value::Null);
    let message = only(logged("%(message)s", || info!(message = "field", "text")));
    assert_eq!(message.keys(), ["message"]);
    assert_eq!(message["message"], json!("field"));
}

#[test]
fn a_field_named_like_the_context_is_renamed() {
    let record = only(logged("%(name)s %(process)s %(message)s", || {
        info!(name = "n", levelname = "not in the format", process = 1, fields.name = "f", "x");
    }));
    assert_eq!(
        record.keys(),
        [
            "name",
            "process",
            "message",
            "fields.name",
            "levelname",
            "fields.process",
            "fields.fields.name"
        ]
    );
    assert_eq!(record["name"], json!(module_path!()));
    assert_eq!(record["fields.name"], json!("n"));
    assert_eq!(record["fields.process"], json!(1));
    assert_eq!(record["fields.fields.name"], json!("f"));
    assert_eq!(record["levelname"], json!("not in the format"));
}

#[test]
fn values_in_another_order_than_declared() {
    use tracing::Callsite as _;

    let callsite = tracing::callsite! {
        name: "by hand",
        kind: tracing::metadata::Kind::EVENT,
        fields: first, second, third
    };
    let fields = callsite.metadata().fields();
    let field = |name| fields.field(name).unwrap();
    let (first, third) = (field("first"), field("third"));
    let record = only(logged("%(name)s", || {
        let values = [(&third, Some(&3 as &dyn tracing::Value)), (&first, Some(&1))];
        tracing::Event::dispatch(callsite.metadata(), &fields.value_set(&values));
    }));
    assert_eq!(record.keys(), ["name", "first", "second", "third"]);
    assert_eq!(record["first"], json!(1));
    assert_eq!(record["second"], Value::Null);
    assert_eq!(record["third"], json!(3));
}

proptest! {
    #[test]
    fn any_text_comes_back(text: String, tail: String) {
        #[derive(Debug)]
        struct Holder<'a>(#[allow(dead_code, reason = "for Debug")] &'a str);

        let record = only(logged("%(message)s %(name)s", || {
            info!(target: "t", text = text.as_str(), shown = %text, debugged = ?Holder(&text), "{text}{tail}");
        }));
        prop_assert_eq!(record["text"].as_str().unwrap(), &text);
        prop_assert_eq!(record["shown"].as_str().unwrap(), &text);
        prop_assert_eq!(record["debugged"].as_str().unwrap(), format!("{:?}", Holder(&text)));
        prop_assert_eq!(record["message"].as_str().unwrap(), format!("{text}{tail}"));
    }

    #[test]
    fn any_numbers_come_back(integer: i64, natural: u64, bits: u64) {
        let float = f64::from_bits(bits);
        prop_assume!(float.is_finite());
        let record = only(logged("%(message)s", || info!(integer, natural, float)));
        prop_assert_eq!(&record["integer"], &json!(integer));
        prop_assert_eq!(&record["natural"], &json!(natural));
        prop_assert!(record["float"].is_number());
    }
}

#[test]
fn a_message_of_any_type_is_text() {
    for format in ["%(message)s", "%(asctime)s %(thread)s %(message)s", "%(levelname)s"] {
        let records = logged(format, || {
            info!(message = 5);
            info!(message = -7_i128, x = 1, y = 2.5);
            info!(message = 2.5, x = 1);
            info!(x = 1, message = true);
            info!(message = f64::NAN);
            info!(x = 1, "{}", 5);
        });
        let messages: Vec<_> = records.iter().map(|record| record["message"].clone()).collect();
        assert_eq!(messages, ["5", "-7", "2.5", "true", "NaN", "5"], "{format}");
        assert_eq!((&records[1]["x"], &records[1]["y"]), (&json!(1), &json!(2.5)));
    }
}
