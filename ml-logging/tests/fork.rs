//! Processes that fork and go on logging, without `exec`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

#[path = "support/forked.rs"]
mod forked;
mod support;

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use forked::in_fork;
use ml_logging::{Configuration, Handler, JsonFormatter, Logger, Logging, Policy, Rotation, Spill};
use serde_json::json;
use support::{Record, child};
use tracing::{info, level_filters::LevelFilter};

const FORMAT: &str = "%(process)s %(message)s";

fn init(handlers: impl IntoIterator<Item = Handler>) -> Logging {
    let mut root = Logger::root().level(LevelFilter::INFO);
    let mut configuration = Configuration::new().environment(|_| None);
    for (number, handler) in handlers.into_iter().enumerate() {
        let format = JsonFormatter::new(FORMAT).unwrap();
        configuration = configuration.handler(handler.formatter(format));
        root = root.handler(number.to_string());
    }
    configuration.logger(root).init(false).unwrap()
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_forked_process_writes_its_own_records_and_no_others() {
    const ROUNDS: u64 = 20;
    let test = "a_forked_process_writes_its_own_records_and_no_others";
    child(test, &[], || {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let logging = init([
            Handler::file("0", path("0")),
            Handler::file("1", path("1")).policy(Policy::Audit),
            Handler::file("2", path("2"))
                .policy(Policy::Spill(Spill::new(path("spill"), 1 << 20)))
                .queue_bytes(500),
            Handler::rotating("3", path("3"), Rotation::by_size(1 << 30, 1)),
        ]);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            // Also if this thread panics.
            let _end = End(&is_over);
            // Threads that hold locks and are in the midst of writing when the process forks.
            for thread in 0..2 {
                let is_over = &is_over;
                scope.spawn(move || {
                    let mut number = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        info!(thread, number, "parent");
                        number += 1;
                    }
                });
            }
            for round in 0..ROUNDS {
                info!(round, "before the fork");
                in_fork(|| {
                    for number in 0..100 {
                        info!(round, number, "child");
                    }
                    in_fork(|| {
                        info!(round, "grandchild");
                        logging.flush_within(Duration::from_secs(30)).unwrap();
                        assert_eq!(logging.counts()[0].written, 1);
                    });
                    logging.flush_within(Duration::from_secs(30)).unwrap();
                    // To start one would take locks that the parent may have held at the fork.
                    #[cfg(target_os = "linux")]
                    assert_eq!(fs::read_dir("/proc/self/task").unwrap().count(), 1);
                    for counts in logging.counts() {
                        assert_eq!((counts.accepted, counts.written), (100, 100), "{counts:?}");
                    }
                });
            }
        });
        logging.flush().unwrap();

        for name in ["0", "1", "2", "3"] {
            let text = fs::read_to_string(path(name)).unwrap();
            let mut next = BTreeMap::new();
            let mut parents = 0;
            for record in text.split_inclusive('\n').map(Record::read) {
                let is_own = record["process"] == json!(std::process::id());
                let (message, round) = (&record["message"], record.get("round"));
                match message.as_str().unwrap() {
                    "parent" | "before the fork" => {
                        assert!(is_own, "{record:?}");
                        parents += 1;
                    }
                    "child" => {
                        assert!(!is_own);
                        let process = record["process"].as_u64();
                        let next: &mut u64 = next.entry(process).or_default();
                        assert_eq!(record["number"], json!(*next), "{round:?}");
                        *next += 1;
                    }
                    "grandchild" => {
                        assert!(!is_own);
                        assert_eq!(next.get(&record["process"].as_u64()), None);
                        next.insert(record["process"].as_u64(), 1);
                    }
                    other => panic!("{other}"),
                }
            }
            let counts = logging.counts().into_iter().find(|counts| counts.handler == name);
            assert_eq!(counts.unwrap().written, parents);
            let mut numbers: Vec<_> = next.into_values().collect();
            numbers.sort();
            let grandchildren = vec![1; ROUNDS as usize];
            let children = vec![100; ROUNDS as usize];
            assert_eq!(numbers, [grandchildren, children].concat());
        }
    });
}

#[test]
fn a_writer_of_the_parents_is_not_written_to_by_a_child() {
    let test = "a_writer_of_the_parents_is_not_written_to_by_a_child";
    let output = child(test, &[], || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let logging = init([
            Handler::queued("0", fs::File::create(&path).unwrap()),
            Handler::writer("1", std::io::sink),
        ]);
        info!("parent");
        in_fork(|| {
            info!("child");
            logging.flush_within(Duration::from_secs(30)).unwrap();
            let counts = logging.counts();
            let of = |number: usize| (counts[number].accepted, counts[number].lost);
            assert_eq!([of(0), of(1)], [(1, 1), (1, 0)]);
        });
        // One that logs nothing has nothing to wait for.
        in_fork(|| {
            logging.flush_within(Duration::from_secs(30)).unwrap();
            assert_eq!(logging.counts()[0].accepted, 0);
        });
        logging.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("in a forked process: its writer belongs to the parent"), "{stderr}");
}

#[test]
fn records_of_the_log_crate_have_the_right_process_as_well() {
    let test = "records_of_the_log_crate_have_the_right_process_as_well";
    let output = child(test, &[], || {
        let logging = init([Handler::stdout("0")]);
        log::info!("parent {}", std::process::id());
        in_fork(|| {
            log::info!("child {}", std::process::id());
            logging.flush().unwrap();
        });
    });
    let Some(output) = output else { return };
    let records = support::records(&output.stdout);
    assert_eq!(records.len(), 2);
    for record in records {
        let message = record["message"].as_str().unwrap();
        assert!(message.ends_with(&format!(" {}", record["process"])), "{record:?}");
    }
}

#[test]
fn a_fork_amid_a_change_of_levels_stops_nobody() {
    const FORKS: usize = 200;
    child("a_fork_amid_a_change_of_levels_stops_nobody", &[], || {
        let folder = tempfile::tempdir().unwrap();
        let logging = init([Handler::file("0", folder.path().join("0"))]);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let _end = End(&is_over);
            for levels in ["info", "debug"] {
                let (logging, is_over) = (&logging, &is_over);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        logging.set_levels(levels.parse().unwrap());
                        log::trace!("asks for the levels");
                    }
                });
            }
            for number in 0..FORKS {
                in_fork(|| {
                    log::info!("child {number}");
                    logging.set_levels("off".parse().unwrap());
                    log::info!("not logged");
                    logging.flush_within(Duration::from_secs(10)).unwrap();
                });
            }
        });
        let text = fs::read_to_string(folder.path().join("0")).unwrap();
        assert_eq!(text.lines().count(), FORKS);
    });
}
