//! Flushing within a limit: on request, at the end and after a panic.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use crate::support::{Memory, child, with};
use ml_logging::{Configuration, Handler, HandlerCounts, Logger, Policy};
use tracing::{error, info, level_filters::LevelFilter};

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

        *sink.0.0.lock().unwrap() = true;
        sink.0.1.notify_all();
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
        let logging = configuration.init(true).unwrap();
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
            let logging = with(handler).flush_limit(Duration::from_millis(20)).init(true).unwrap();
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
            .init(true)
            .unwrap();
        // A wait would be reported on standard error.
        thread::spawn(|| panic!("on purpose")).join().unwrap_err();
        assert!(logging.counts().iter().all(|counts| counts.queued == 1));
        *sink.0.0.lock().unwrap() = true;
        sink.0.1.notify_all();
        drop(logging);
        assert_eq!(sink.1.records().len(), 1);
    });
    let Some(output) = output else { return };
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
