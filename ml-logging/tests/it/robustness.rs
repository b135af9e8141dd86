//! Failing values, failing writers, and concurrent threads.

use std::{
    fmt, io, panic,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::support::{Memory, builder, logged, logged_by};
use serde_json::json;
use tracing::{info, info_span};
use tracing_subscriber::fmt::MakeWriter;

#[test]
fn values_that_panic_or_fail_leave_the_next_record_whole() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half a val")?;
            panic::resume_unwind(Box::new("on purpose"));
        }
    }
    struct Fails;
    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half\"")?;
            Err(fmt::Error)
        }
    }

    let records = logged("%(message)s", || {
        panic::catch_unwind(|| info!(value = ?Panics, "lost")).unwrap_err();
        info!(value = %Fails, next = 1, "kept");
        info!("next");
    });
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["value"], json!("half\""));
    assert_eq!(records[0]["next"], json!(1));
    assert_eq!(records[1].keys(), ["message"]);
}

#[test]
fn huge_and_hostile_texts() {
    let huge = "\u{2028}\"\n\\é".repeat(100_000);
    let builder = builder().format("%(message)s").record_bytes(usize::MAX);
    let records = logged_by(builder, || {
        info!(huge, "\n{{\"forged\":true}}\r\n");
        info!("small");
    });
    assert_eq!(records[0]["huge"], json!(huge));
    assert_eq!(records[0]["message"], json!("\n{\"forged\":true}\r\n"));
    assert_eq!(records[1].keys(), ["message"]);
}

#[test]
fn more_fields_than_thirty_two() {
    let record = crate::support::only(logged("%(message)s", || {
        info!(
            f00 = 0,
            f01 = 1,
            f02 = 2,
            f03 = 3,
            f04 = 4,
            f05 = 5,
            f06 = 6,
            f07 = 7,
            f08 = 8,
            f09 = 9,
            f10 = 10,
            f11 = 11,
            f12 = 12,
            f13 = 13,
            f14 = 14,
            f15 = 15,
            f16 = 16,
            f17 = 17,
            f18 = 18,
            f19 = 19,
            f20 = 20,
            f21 = 21,
            f22 = 22,
            f23 = 23,
            f24 = 24,
            f25 = 25,
            f26 = 26,
            f27 = 27,
            f28 = 28,
            f29 = 29,
            f30 = 30,
            f31 = 31,
            f32 = 32,
            f33 = 33,
            "x"
        );
    }));
    for index in 0..34 {
        assert_eq!(record[&*format!("f{index:02}")], json!(index));
    }
}

#[test]
fn threads_do_not_interleave_and_have_their_own_numbers() {
    const THREADS: usize = 8;
    const RECORDS: usize = 200;
    let memory = Memory::default();
    let (subscriber, _logging) = builder()
        .format("%(thread)s %(threadName)s %(message)s")
        .writer(memory.clone())
        .build()
        .unwrap();
    let dispatch = tracing::Dispatch::new(subscriber);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let dispatch = dispatch.clone();
            let work = move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let _span = info_span!("s", number).entered();
                    (0..RECORDS).for_each(|index| info!(index, text = "x".repeat(index), "m"));
                });
            };
            thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn_scoped(scope, work)
                .unwrap();
        }
    });
    let records = memory.records();
    assert_eq!(records.len(), THREADS * RECORDS);
    let mut threads = std::collections::BTreeMap::new();
    for number in 0..THREADS {
        let own: Vec<_> =
            records.iter().filter(|record| record["number"] == json!(number)).collect();
        assert_eq!(own.len(), RECORDS);
        for (index, record) in own.iter().enumerate() {
            assert_eq!(record["index"], json!(index));
            assert_eq!(record["text"], json!("x".repeat(index)));
            assert_eq!(record["threadName"], json!(format!("worker-{number}")));
            assert_eq!(record["thread"], own[0]["thread"]);
        }
        threads.insert(own[0]["thread"].as_u64().unwrap(), number);
    }
    assert_eq!(threads.len(), THREADS);
}

#[test]
fn an_unnamed_thread_has_no_name() {
    let memory = Memory::default();
    let (subscriber, _logging) =
        builder().format("%(threadName)s").writer(memory.clone()).build().unwrap();
    thread::spawn(move || tracing::subscriber::with_default(subscriber, || info!("x")))
        .join()
        .unwrap();
    assert_eq!(crate::support::only(memory.records())["threadName"], json!(null));
}

#[test]
fn a_failing_writer_is_counted_and_does_not_stop_the_program() {
    struct Failing;
    impl io::Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("disk full"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::Error::other("disk full"))
        }
    }

    let (subscriber, logging) = builder().writer(|| Failing).build().unwrap();
    assert_eq!(logging.lost_records(), 0);
    tracing::subscriber::with_default(subscriber, || (0..3).for_each(|_| info!("x")));
    assert_eq!(logging.lost_records(), 3);
    assert_eq!(logging.flush().unwrap_err().to_string(), "disk full");
}

/// Counts flushes, and returns a separate writer for errors.
#[derive(Default)]
struct Routing {
    usual: Memory,
    errors: Memory,
}

static FLUSHES: AtomicUsize = AtomicUsize::new(0);

struct Counted(Memory);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        FLUSHES.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Routing {
    type Writer = Counted;

    fn make_writer(&'a self) -> Counted {
        Counted(self.usual.clone())
    }

    fn make_writer_for(&'a self, metadata: &tracing::Metadata<'_>) -> Counted {
        let error = *metadata.level() == tracing::Level::ERROR;
        Counted(if error { self.errors.clone() } else { self.usual.clone() })
    }
}

#[test]
fn writers_are_chosen_by_metadata_and_flushed_at_the_end() {
    let routing = Routing::default();
    let (usual, errors) = (routing.usual.clone(), routing.errors.clone());
    let (subscriber, logging) = builder().writer(routing).build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!("usual");
        tracing::error!("error");
    });
    assert_eq!((usual.records().len(), errors.records().len()), (1, 1));
    logging.flush().unwrap();
    assert_eq!(FLUSHES.load(Ordering::Relaxed), 1);
    drop(logging);
    assert_eq!(FLUSHES.load(Ordering::Relaxed), 2);
}
