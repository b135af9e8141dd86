//! Flushing within a limit: on request, at the end and after a panic.

use std::{
    io::{self, Write},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Memory, child, command, is_child, with};
use ml_logging::{Configuration, Handler, HandlerCounts, Logger, Policy};
use tracing::{Dispatch, error, info, level_filters::LevelFilter};

/// Writer that stalls until the test releases it.
#[derive(Clone, Default)]
struct Stalling(Arc<(Mutex<bool>, Condvar)>, Memory);

impl Write for Stalling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut goes_on = self.0.0.lock().unwrap();
        while !*goes_on {
            goes_on = self.0.1.wait(goes_on).unwrap();
        }
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stalling {
    fn release(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// Longest wait of a test for something that must happen.
const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_flush_with_a_limit_reports_unwritten_records() {
    let sink = Stalling::default();
    let configuration = with(Handler::queued("h", sink.clone()))
        .handler(Handler::writer("direct", Memory::default()))
        .logger(Logger::new("both").handler("direct"))
        .flush_limit(Duration::ZERO);
    let (subscriber, logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!("one");
        info!(target: "both", "two");
        let error = logging.flush_within(Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.unwritten().collect::<Vec<_>>(), [("h", 2)]);
        assert!(error.failure().is_none());
        let text = "not written within 1ms: 2 log records of the handler `h`";
        assert_eq!(error.to_string(), text);
        assert_eq!(logging.finish().unwrap_err().unwritten().count(), 1);
        let [queued, direct] = <[HandlerCounts; 2]>::try_from(logging.counts()).unwrap();
        assert_eq!((queued.queued, queued.written), (2, 0));
        assert_eq!((direct.queued, direct.written), (0, 1));
        assert_eq!((queued.queued_bytes, logging.queued_bytes()), (36, 36));

        sink.release();
        logging.flush_within(Duration::from_secs(30)).unwrap();
        logging.finish().unwrap();
    });
    assert_eq!(sink.1.writes().concat(), "{\"message\":\"one\"}\n{\"message\":\"two\"}\n");
}

#[test]
fn the_end_and_a_panic_wait_within_the_limit() {
    let test = "flush::the_end_and_a_panic_wait_within_the_limit";
    let output = child(test, &[], || {
        let handler = Handler::queued("stalled", Stalling::default());
        let configuration = Configuration::new()
            .environment(|_| None)
            .handler(handler)
            .logger(Logger::root().level(LevelFilter::INFO).handler("stalled"))
            .flush_limit(Duration::from_millis(20));
        let logging = configuration.panic_records(true).init().unwrap();
        error!("before");
        thread::spawn(|| panic!("on purpose")).join().unwrap_err();
        info!("after");
        drop(logging);
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    // The panic is a record itself.
    for records in [2, 3] {
        let text = format!(
            "ml-logging: not written within 20ms: {records} log records of the handler `stalled`\n"
        );
        assert_eq!(stderr.matches(&text).count(), 1, "{stderr}");
    }
}

#[test]
fn a_panic_is_printed_if_its_record_is_not_written() {
    struct Fails;
    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    for (number, sink) in ["stalls", "fails", "drops"].into_iter().enumerate() {
        let test = "flush::a_panic_is_printed_if_its_record_is_not_written";
        let output = child(test, &[("SINK", sink)], || {
            let handler = match std::env::var("SINK").unwrap().as_str() {
                "stalls" => Handler::queued("h", Stalling::default()),
                "fails" => Handler::queued("h", Fails),
                _ => Handler::queued("h", Stalling::default()).policy(Policy::Drop).queue_bytes(1),
            };
            let logging = with(handler)
                .flush_limit(Duration::from_millis(20))
                .panic_records(true)
                .init()
                .unwrap();
            // The first record is being written, the second one fills the queue.
            (0..3).for_each(|_| info!("before"));
            thread::spawn(|| panic!("THE REASON")).join().unwrap_err();
            drop(logging);
        });
        let Some(output) = output else { return };
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr.matches("THE REASON").count(), 1, "{number} {stderr}");
    }
}

#[test]
fn a_caught_panic_does_not_wait_for_handlers_that_drop() {
    let test = "flush::a_caught_panic_does_not_wait_for_handlers_that_drop";
    let output = child(test, &[], || {
        let sink = Stalling::default();
        let logging = Configuration::new()
            .environment(|_| None)
            .handler(Handler::queued("drop", sink.clone()).policy(Policy::Drop))
            .logger(Logger::root().level(LevelFilter::INFO).handler("drop"))
            .flush_limit(Duration::from_secs(20))
            .panic_records(true)
            .init()
            .unwrap();
        // A wait would be reported on standard error.
        thread::spawn(|| panic!("on purpose")).join().unwrap_err();
        assert!(logging.counts().iter().all(|counts| counts.queued == 1));
        sink.release();
        drop(logging);
        assert_eq!(sink.1.records().len(), 1);
    });
    let Some(output) = output else { return };
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// Logs in a thread of its own, and reports on the channel when that is done.
fn log(dispatch: &Dispatch, records: u64, done: &mpsc::Sender<()>) {
    let (dispatch, done) = (dispatch.clone(), done.clone());
    thread::spawn(move || {
        tracing::dispatcher::with_default(&dispatch, || {
            (0..records).for_each(|number| info!(number, "x"));
        });
        done.send(()).unwrap();
    });
}

#[test]
fn no_thread_waits_for_a_stalled_sink_after_the_deadline() {
    const THREADS: u64 = 3;
    const EACH: u64 = 10;
    for policy in [Policy::Block, Policy::Audit] {
        let sink = Stalling::default();
        let handler = Handler::queued("h", sink.clone()).policy(policy).queue_bytes(100);
        let (subscriber, logging) = with(handler).build().unwrap();
        let dispatch = Dispatch::new(subscriber);
        let (done, is_done) = mpsc::channel();
        logging.end_by(Instant::now() + Duration::from_millis(50));
        (0..THREADS).for_each(|_| log(&dispatch, EACH, &done));
        (0..THREADS).for_each(|_| is_done.recv_timeout(LONG).unwrap());

        let counts = logging.counts().remove(0);
        assert_eq!(counts.accepted, THREADS * EACH, "{policy:?}");
        assert_eq!((counts.written, counts.queued + counts.lost), (0, THREADS * EACH));
        assert_eq!(counts.lost > 0, policy == Policy::Block, "{counts:?}");
        // The limit of the flush is 10 s.
        let begun = Instant::now();
        let error = logging.finish().unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(5));
        let text = "not written before the end: 30 log records of the handler `h`";
        assert_eq!(error.to_string(), text);

        // The process need not end.
        sink.release();
        while logging.counts()[0].queued > 0 {
            thread::yield_now();
        }
        logging.flush().unwrap();
        assert_eq!(sink.1.writes().concat().lines().count() as u64, counts.queued);
    }
}

#[test]
fn the_earliest_deadline_ends_waits_that_have_begun() {
    for policy in [Policy::Block, Policy::Audit] {
        let sink = Stalling::default();
        let handler = Handler::queued("h", sink.clone()).policy(policy).queue_bytes(1);
        let (subscriber, logging) = with(handler).build().unwrap();
        let dispatch = Dispatch::new(subscriber);
        let (stalled, _keep) = mpsc::channel();
        log(&dispatch, 1, &stalled);
        while logging.counts()[0].accepted == 0 {
            thread::yield_now();
        }
        let (done, is_done) = mpsc::channel();
        log(&dispatch, 3, &done);
        logging.end_by(Instant::now() + Duration::from_secs(3_600));
        thread::scope(|scope| {
            scope.spawn(|| logging.flush().unwrap_err());
            assert!(is_done.try_recv().is_err());
            logging.end_by(Instant::now());
            logging.end_by(Instant::now() + Duration::from_secs(3_600));
        });
        is_done.recv_timeout(LONG).unwrap();
        sink.release();
    }
}

/// Waits for the end of a child whose output is not read.
fn wait(command: &mut Command) -> ExitStatus {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + LONG;
    let mut status = None;
    while status.is_none() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
        status = child.try_wait().unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    status.expect("the child ends")
}

#[cfg(unix)]
#[test]
fn a_process_ends_while_both_of_its_streams_stall() {
    use std::os::unix::process::ExitStatusExt as _;

    let test = "flush::a_process_ends_while_both_of_its_streams_stall";
    if !is_child() {
        // SIGABRT
        assert_eq!(wait(&mut command(test)).signal(), Some(6));
        return;
    }
    let logging =
        with(Handler::stdout("h").queue_bytes(10_000)).panic_records(true).init().unwrap();
    // More than the pipes hold.
    thread::spawn(|| io::stderr().lock().write_all(&[b'x'; 1 << 20]));
    logging.end_by(Instant::now() + Duration::from_millis(50));
    (0..100_000).for_each(|number| info!(number, "x"));
    drop(logging);
    // An orderly exit would flush standard output.
    std::process::abort();
}
