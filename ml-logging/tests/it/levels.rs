//! Replacing levels while the program runs.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::support::{Memory, Record, child, records, with};
use ml_logging::{Configuration, Handler, JsonFormatter, Logger, Logging};
use serde_json::json;
use tracing::{
    Dispatch, Level, Subscriber, debug, debug_span, dispatcher::with_default, error, info,
    level_filters::LevelFilter, trace, warn,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, registry::Registry};

fn messages(memory: &Memory) -> Vec<String> {
    let text = |record: Record| record["message"].as_str().unwrap().to_owned();
    memory.records().into_iter().map(text).collect()
}

fn builder(memory: &Memory) -> ml_logging::Builder {
    crate::support::builder().format("%(message)s").level("info").writer(memory.clone())
}

fn set(logging: &Logging, levels: &str) {
    logging.set_levels(levels.parse().unwrap());
    assert_eq!(logging.levels(), levels.parse().unwrap());
}

/// One callsite for each level.
fn log_all(step: u8) {
    trace!("{step} trace");
    debug!("{step} debug");
    info!("{step} info");
    error!(target: "db::pool", "{step} error in db");
    debug!(target: "db::pool", "{step} debug in db");
}

#[test]
fn existing_callsites_follow_the_new_levels() {
    let memory = Memory::default();
    let (subscriber, logging) = builder(&memory).build().unwrap();
    let initial = logging.initial_levels();
    with_default(&Dispatch::new(subscriber), || {
        log_all(1);
        set(&logging, "error,db=debug");
        log_all(2);
        set(&logging, "db::pool=off,trace");
        log_all(3);
        set(&logging, "off");
        log_all(4);
        logging.set_levels(initial.clone());
        log_all(5);
    });
    let expected = [
        "1 info",
        "1 error in db",
        "2 error in db",
        "2 debug in db",
        "3 trace",
        "3 debug",
        "3 info",
        "5 info",
        "5 error in db",
    ];
    assert_eq!(messages(&memory), expected);
    assert_eq!((logging.levels(), initial.to_string()), (initial, "info".to_owned()));
}

#[test]
fn a_layer_changes_its_own_levels_only() {
    #[derive(Clone)]
    struct Counting(Memory);
    impl<S: Subscriber> Layer<S> for Counting {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            let line = format!("{{\"message\":\"{}\"}}\n", event.metadata().level());
            std::io::Write::write_all(&mut self.0.clone(), line.as_bytes()).unwrap();
        }
    }

    let (own, other) = (Memory::default(), Memory::default());
    let (layer, logging) = builder(&own).layer().unwrap();
    let subscriber = Registry::default().with(layer).with(Counting(other.clone()));
    with_default(&Dispatch::new(subscriber), || {
        let log = |step: u8| {
            debug!("{step} debug");
            info!("{step} info");
        };
        log(1);
        set(&logging, "debug");
        log(2);
        set(&logging, "off");
        log(3);
    });
    assert_eq!(messages(&own), ["1 info", "2 debug", "2 info"]);
    assert_eq!(messages(&other), ["DEBUG", "INFO"].repeat(3));
}

#[test]
fn routes_do_not_change() {
    let [all, errors, audit] = [(); 3].map(|()| Memory::default());
    let handler = |name: &str, memory: &Memory| {
        Handler::writer(name, memory.clone()).formatter(JsonFormatter::new("%(message)s").unwrap())
    };
    let (subscriber, logging) = Configuration::new()
        .environment(|_| None)
        .handler(handler("all", &all).level(LevelFilter::INFO))
        .handler(handler("errors", &errors).level(LevelFilter::ERROR))
        .handler(handler("audit", &audit))
        .logger(Logger::root().level(LevelFilter::INFO).handler("all").handler("errors"))
        .logger(Logger::new("hyper.client").level(LevelFilter::WARN))
        .logger(Logger::new("audit").handler("audit").propagate(false))
        .build()
        .unwrap();
    assert_eq!(logging.levels().to_string(), "info,hyper::client=warn");
    with_default(&Dispatch::new(subscriber), || {
        let log = |step: u8| {
            info!(target: "hyper::client", "{step} hyper");
            debug!(target: "audit", "{step} audit");
            debug!(target: "elsewhere", "{step} debug");
            error!(target: "elsewhere", "{step} error");
        };
        log(1);
        set(&logging, "debug");
        log(2);
    });
    assert_eq!(messages(&all), ["1 error", "2 hyper", "2 debug", "2 error"]);
    assert_eq!(messages(&errors), ["1 error", "2 error"]);
    assert_eq!(messages(&audit), ["2 audit"]);
}

#[test]
fn without_a_level_of_the_root_warnings_pass() {
    let (_subscriber, logging) = Configuration::new()
        .environment(|_| None)
        .handler(Handler::writer("h", Memory::default()))
        .logger(Logger::new("db").level(LevelFilter::DEBUG).handler("h"))
        .build()
        .unwrap();
    assert_eq!(logging.initial_levels().to_string(), "warn,db=debug");

    let (_subscriber, logging) = with(Handler::writer("h", Memory::default()))
        .environment(|name| (name == "RUST_LOG").then(|| "off,db=trace".into()))
        .build()
        .unwrap();
    assert_eq!(logging.initial_levels().to_string(), "off,db=trace");
}

#[test]
fn spans_follow_the_levels_too() {
    let memory = Memory::default();
    let (subscriber, logging) = builder(&memory).build().unwrap();
    with_default(&Dispatch::new(subscriber), || {
        let log = || debug_span!("s", id = 7).in_scope(|| info!("x"));
        log();
        set(&logging, "debug");
        log();
    });
    let keys: Vec<_> = memory.records().iter().map(|record| record.keys().len()).collect();
    assert_eq!(keys, [1, 2]);
}

#[test]
fn concurrent_threads_lose_no_record_that_passes_both_levels() {
    const THREADS: usize = 3;
    const EACH: usize = 2_000;
    let memory = Memory::default();
    let (subscriber, logging) = builder(&memory).build().unwrap();
    let dispatch = Dispatch::new(subscriber);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let changing = scope.spawn(|| {
            let mut changes = 0;
            while !is_over.load(Ordering::Relaxed) || changes < 10 {
                set(&logging, ["warn", "trace"][changes % 2]);
                changes += 1;
            }
        });
        let threads = [(); THREADS].map(|()| {
            scope.spawn(|| {
                with_default(&dispatch, || {
                    for _ in 0..EACH {
                        info!("now and then");
                        warn!("always");
                    }
                });
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
        changing.join().unwrap();
    });
    let messages = messages(&memory);
    let always = messages.iter().filter(|message| *message == "always").count();
    assert_eq!(always, THREADS * EACH);
}

#[test]
fn records_of_the_log_crate_follow_when_it_is_installed() {
    let output = child("levels::records_of_the_log_crate_follow_when_it_is_installed", &[], || {
        let builder = ml_logging::builder().format("%(name)s %(message)s").level("warn");
        let logging = builder.environment(|_| None).init().unwrap();
        let log_both = |step: u8| {
            log::debug!(target: "old::part", "{step} log");
            log::info!(target: "old", "{step} log info");
            debug!("{step} tracing");
        };
        log_both(1);
        set(&logging, "debug,old=info");
        log_both(2);
        set(&logging, "old::part=debug");
        log_both(3);
        logging.set_levels(logging.initial_levels());
        assert_eq!(log::max_level(), log::LevelFilter::Warn);
        log_both(4);
    });
    let Some(output) = output else { return };
    let messages: Vec<_> =
        records(&output.stdout).iter().map(|record| record["message"].clone()).collect();
    assert_eq!(messages, [json!("2 log info"), json!("2 tracing"), json!("3 log")]);
}

/// Logs `inner` while it is formatted.
struct Nested;

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("inner");
        f.write_str("x")
    }
}

#[test]
fn a_change_loses_no_record_that_is_logged_inside_another() {
    const EACH: usize = 2_000;
    let test = "levels::a_change_loses_no_record_that_is_logged_inside_another";
    let output = child(test, &[], || {
        let logging = crate::support::builder().format("%(message)s").init().unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let changing = scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    set(&logging, "info");
                    set(&logging, "debug");
                }
            });
            let threads = [(); 2]
                .map(|()| scope.spawn(|| (0..EACH).for_each(|_| info!(nested = ?Nested, "outer"))));
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            is_over.store(true, Ordering::Relaxed);
            changing.join().unwrap();
        });
    });
    let Some(output) = output else { return };
    let records = records(&output.stdout);
    let count = |text| records.iter().filter(|record| record["message"] == json!(text)).count();
    assert_eq!([count("outer"), count("inner")], [2 * EACH; 2]);
}

#[test]
fn one_of_two_concurrent_changes_applies_everywhere() {
    child("levels::one_of_two_concurrent_changes_applies_everywhere", &[], || {
        let logging = crate::support::builder().writer(std::io::sink).init().unwrap();
        for _ in 0..2_000 {
            thread::scope(|scope| {
                scope.spawn(|| logging.set_levels("info".parse().unwrap()));
                scope.spawn(|| logging.set_levels("debug".parse().unwrap()));
            });
            let has_debug = logging.levels() == "debug".parse().unwrap();
            assert_eq!(tracing::enabled!(Level::DEBUG), has_debug);
            assert_eq!(LevelFilter::current() == LevelFilter::DEBUG, has_debug);
            assert_eq!(log::max_level() == log::LevelFilter::Debug, has_debug);
        }
    });
}
