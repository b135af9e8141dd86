//! Logging while logging. `tracing` passes such events only to a global subscriber, which all tests of this program
//! share.

#![allow(clippy::unwrap_used, reason = "clippy recognizes only test functions as tests")]

use std::{
    fmt, io,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

#[path = "it/support/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod support;

use ml_logging::Logging;
use proptest::prelude::*;
use serde_json::json;
use support::{Memory, Record, builder};
use tracing::{field::Empty, info, info_span};

/// Writer that logs if the record requests it.
#[derive(Clone, Default)]
struct Chatty(Memory);

impl io::Write for Chatty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if String::from_utf8_lossy(bytes).contains("\"writer_logs\":true") {
            info!(test = "writer", "from the writer");
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Installs the logging once, and returns it with the records of a test.
fn records(test: &str, run: impl FnOnce()) -> (&'static Logging, Vec<Record>) {
    static INSTALLED: OnceLock<(Logging, Memory)> = OnceLock::new();
    let (logging, memory) = INSTALLED.get_or_init(|| {
        let writer = Chatty::default();
        let memory = writer.0.clone();
        // The lock is held while a record is written, so that writing another one would deadlock.
        let builder = builder().format("%(asctime)s %(thread)s %(message)s");
        (builder.writer(Mutex::new(writer)).init().unwrap(), memory)
    });
    run();
    let own = |record: &Record| record.get("test") == Some(&json!(test));
    (logging, memory.records().into_iter().filter(own).collect())
}

/// Value that logs while it is formatted.
struct LogsItself(&'static str);

impl fmt::Debug for LogsItself {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("before ")?;
        info!(test = self.0, inner = 1, "inner");
        f.write_str("after")
    }
}

#[test]
fn a_value_may_log_while_it_is_formatted() {
    let (_, records) = records("event", || {
        info!(test = "event", value = ?LogsItself("event"), b = 2, "outer");
    });
    let [inner, outer] = <[Record; 2]>::try_from(records).unwrap();
    assert_eq!(inner.keys(), ["asctime", "thread", "message", "test", "inner"]);
    assert_eq!(outer.keys(), ["asctime", "thread", "message", "test", "value", "b"]);
    assert_eq!(outer["value"], json!("before after"));
    assert_eq!(outer["b"], json!(2));
    assert_eq!(inner["thread"], outer["thread"]);
}

#[test]
fn a_span_value_may_log_while_it_is_formatted() {
    let (_, records) = records("span", || {
        let span = info_span!("s", made = ?LogsItself("span"), recorded = Empty);
        let _entered = span.enter();
        span.record("recorded", tracing::field::debug(LogsItself("span")));
        info!(test = "span", "outer");
    });
    let messages: Vec<_> =
        records.iter().map(|record| record["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["inner", "inner", "outer"]);
    assert_eq!(records[1].keys(), ["asctime", "thread", "message", "test", "inner", "made"]);
    assert_eq!(records[2]["made"], json!("before after"));
    assert_eq!(records[2]["recorded"], json!("before after"));
}

#[test]
fn a_writer_that_logs_does_not_call_itself() {
    let (logging, records) = records("writer", || {
        info!(test = "writer", writer_logs = true, "one");
        info!(test = "writer", writer_logs = true, "two");
    });
    let messages: Vec<_> =
        records.iter().map(|record| record["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["one", "two"]);
    assert_eq!(logging.lost_records(), 2);
}

/// Value that logs the next text while it is formatted, in a separate span.
struct Nested<'a> {
    test: &'a str,
    texts: &'a [String],
}

impl fmt::Debug for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, rest) = self.texts.split_first().unwrap();
        f.write_str(text)?;
        if !rest.is_empty() {
            let nested = Nested { texts: rest, ..*self };
            let _span = info_span!("s", depth = rest.len(), made = ?nested).entered();
            info!(before = text, test = self.test, value = ?nested, after = text, "{text}");
        }
        f.write_str(text)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn values_that_log_to_any_depth_do_not_interfere(
        texts in proptest::collection::vec(any::<String>(), 1..5),
    ) {
        static CASES: AtomicUsize = AtomicUsize::new(0);
        let test = format!("nested {}", CASES.fetch_add(1, Ordering::Relaxed));
        let nested = Nested { test: &test, texts: &texts };
        let (_, records) = records(&test, || info!(test, value = ?nested, last = 1, "outermost"));
        // Each value is formatted for the span and for the event.
        prop_assert_eq!(records.len(), 1 << (texts.len() - 1));
        let (outermost, inner) = records.split_last().unwrap();
        prop_assert_eq!(&outermost["value"], &json!(texts[0].repeat(2)));
        prop_assert_eq!(outermost.keys(), ["asctime", "thread", "message", "test", "value", "last"]);
        for record in inner {
            let depth = record["depth"].as_u64().unwrap() as usize;
            let [text, value] = [depth + 1, depth].map(|depth| &texts[texts.len() - depth]);
            prop_assert_eq!(&record["message"], &json!(text));
            prop_assert_eq!(&record["before"], &json!(text));
            prop_assert_eq!(&record["after"], &json!(text));
            prop_assert_eq!(&record["value"], &json!(value.repeat(2)));
            prop_assert_eq!(&record["made"], &json!(value.repeat(2)));
        }
    }
}
