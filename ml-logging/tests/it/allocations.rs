//! A record costs no allocation once its callsite and its thread are warm.

use std::{cell::Cell, io, sync::Once};

use crate::support::builder;
use allocation_counter::measure;
use ml_logging::{Configuration, EcsFormatter, Formatter, Handler, JsonFormatter, Logger};
use tracing::{Dispatch, Subscriber, info, info_span, level_filters::LevelFilter};

const WARM_UP: usize = 3;
const RECORDS: usize = 100;

thread_local!(static WRITES: Cell<usize> = const { Cell::new(0) });

/// Counts the records, and drops them.
struct Counted;

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITES.set(WRITES.get() + 1);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many allocations `RECORDS` calls cost, each of which must write one record.
fn allocations(record: impl Fn()) -> u64 {
    let (subscriber, _logging) = builder().writer(|| Counted).build().unwrap();
    allocations_with(subscriber, record)
}

fn allocations_with(subscriber: impl Subscriber + Send + Sync, record: impl Fn()) -> u64 {
    let _default = tracing::dispatcher::set_default(&Dispatch::new(subscriber));
    (0..WARM_UP).for_each(|_| record());
    WRITES.set(0);
    let count = measure(|| (0..RECORDS).for_each(|_| record())).count_total;
    assert_eq!(WRITES.get(), RECORDS);
    count
}

fn event() {
    info!(
        action = "predict",
        model_version = "0.1.0",
        quoted = "needs \"escapes\"\n",
        duration_ms = 0.0421,
        age = 42,
        shown = %1.5,
        debugged = ?Some(7),
        missing = None::<u8>,
        "Prediction {}.",
        "created"
    );
}

#[test]
fn an_event_allocates_nothing() {
    assert_eq!(allocations(event), 0);
}

#[test]
fn an_event_in_spans_allocates_nothing() {
    // Made when the subscriber is there, kept over all the records.
    let spans = std::cell::OnceCell::new();
    let count = allocations(|| {
        let (outer, inner) = spans.get_or_init(|| {
            let outer = info_span!("outer", user = "u", prediction_id = "outer");
            let inner = info_span!(parent: &outer, "inner", prediction_id = %"inner");
            (outer, inner)
        });
        outer.in_scope(|| inner.in_scope(event));
    });
    assert_eq!(count, 0);
}

fn trace_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing_log::LogTracer::init().unwrap());
}

#[test]
fn a_huge_target_of_the_log_crate_is_not_kept() {
    const HUGE: usize = 5_000_000;
    trace_log();
    let (subscriber, _logging) = builder().writer(|| Counted).build().unwrap();
    let _default = tracing::dispatcher::set_default(&Dispatch::new(subscriber));
    let target = "x".repeat(HUGE);
    log::info!(target: "somewhere", "warm");
    let after = measure(|| log::info!(target: &target, "huge"));
    assert!(after.bytes_max > HUGE as u64);
    assert!(after.bytes_current < 200_000, "{after:?}");
}

#[test]
fn a_record_of_the_log_crate_allocates_nothing() {
    trace_log();
    assert_eq!(allocations(|| log::info!(target: "somewhere", "text {}", 5)), 0);
}

#[test]
fn times_in_any_format_and_other_keys_allocate_nothing() {
    let formatters: [Formatter; 2] = [
        JsonFormatter::new("%(asctime)s %(message)s")
            .unwrap()
            .date_format("%A %d %B %Y %H:%M:%S.%f %z")
            .unwrap()
            .time_zone("Europe/Berlin".parse().unwrap())
            .rename_field("age", "years")
            .static_field("service", "insurance")
            .timestamp("at")
            .into(),
        EcsFormatter::new().into(),
    ];
    for formatter in formatters {
        let (subscriber, _logging) =
            builder().formatter(formatter).writer(|| Counted).build().unwrap();
        assert_eq!(allocations_with(subscriber, event), 0);
    }
}

#[test]
fn a_record_for_several_handlers_allocates_nothing() {
    let format = JsonFormatter::new("%(message)s").unwrap();
    let configuration = Configuration::new()
        .environment(|_| None)
        .handler(Handler::writer("counted", || Counted))
        .handler(Handler::writer("same", io::sink))
        .handler(Handler::writer("other", io::sink).formatter(format))
        .handler(Handler::writer("errors", || Counted).level(LevelFilter::ERROR))
        .logger(Logger::root().level(LevelFilter::INFO).handler("counted").handler("same"))
        .logger(Logger::new("allocations").handler("other").handler("errors"));
    let (subscriber, _logging) = configuration.build().unwrap();
    assert_eq!(allocations_with(subscriber, event), 0);
}

#[test]
fn the_counter_counts() {
    let count = allocations(|| info!(text = "x".repeat(100), "allocated by the caller"));
    assert_eq!(count, RECORDS as u64);
}
