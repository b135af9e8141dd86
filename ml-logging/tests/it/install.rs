//! Installation for the whole process. Each test runs itself in a child process and reads its output.

use crate::support::{Record, child, records};
use ml_logging::{Configuration, Filters};
use serde_json::json;
use tracing::{debug, info};
use tracing_subscriber::layer::SubscriberExt as _;

#[test]
fn init_logs_to_stdout() {
    let output = child("install::init_logs_to_stdout", &[], || {
        let _logging = ml_logging::builder().init().unwrap();
        info!("info");
        debug!("debug");
    });
    let Some(output) = output else { return };
    assert_eq!(crate::support::only(records(&output.stdout))["message"], json!("info"));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("ml-logging:"));
}

#[test]
fn records_behind_the_guard_are_reported_once() {
    let output = child("install::records_behind_the_guard_are_reported_once", &[], || {
        let _ = ml_logging::builder().init().unwrap();
        info!("one");
        info!("two");
    });
    let Some(output) = output else { return };
    let reports = String::from_utf8(output.stderr).unwrap();
    let [report] = reports.lines().filter(|line| line.contains("guard")).collect::<Vec<_>>()[..]
    else {
        panic!("{reports}")
    };
    assert!(report.starts_with("ml-logging: a record was logged after the guard"), "{report}");
    assert!(report.contains("let _logging"), "{report}");
}

#[test]
fn a_subscriber_that_was_never_installed_is_reported() {
    let output = child("install::a_subscriber_that_was_never_installed_is_reported", &[], || {
        let unused = ml_logging::builder().build().unwrap();
        info!("nowhere");
        drop(unused);
        let (subscriber, _logging) = ml_logging::builder().build().unwrap();
        tracing::subscriber::with_default(subscriber, || info!("somewhere"));
        let (layer, _logging) = ml_logging::builder().layer().unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || info!("elsewhere"));
    });
    let Some(output) = output else { return };
    assert_eq!(records(&output.stdout).len(), 2);
    let reports = String::from_utf8(output.stderr).unwrap();
    let [report] =
        reports.lines().filter(|line| line.contains("ml-logging:")).collect::<Vec<_>>()[..]
    else {
        panic!("{reports}")
    };
    assert!(report.contains("call `init` instead of `build`"), "{report}");
}

#[test]
fn a_configuration_of_a_file_that_was_never_used_is_reported() {
    let test = "install::a_configuration_of_a_file_that_was_never_used_is_reported";
    let output = child(test, &[], || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logging.yaml");
        let text = "{version: 1, handlers: {out: {class: StreamHandler, stream: ext://sys.stdout}}, \
                    root: {level: INFO, handlers: [out]}}";
        std::fs::write(&path, text).unwrap();
        let read = || Configuration::from_file(&path, &Filters::new()).unwrap();
        let _logging = read();
        let (subscriber, _logging) = read().build().unwrap();
        tracing::subscriber::with_default(subscriber, || info!("somewhere"));
    });
    let Some(output) = output else { return };
    assert_eq!(records(&output.stdout).len(), 1);
    let [report] = &reports(&output)[..] else { panic!("{output:?}") };
    assert!(report.contains("the configuration was read but never used: call `init`"), "{report}");
}

#[test]
fn a_level_of_a_model_that_misses_its_records_is_reported_once() {
    let test = "install::a_level_of_a_model_that_misses_its_records_is_reported_once";
    let output = child(test, &[], || {
        let _logging = ml_logging::builder().level("warn,area=info,far=off").init().unwrap();
        info!(target: "area_logger", "Prediction requested.");
        info!(target: "area_logger", "Prediction created.");
        info!(target: "far_logger", "Prediction created.");
    });
    let Some(output) = output else { return };
    let [report] = &reports(&output)[..] else { panic!("{output:?}") };
    assert!(report.contains("`area`") && report.contains("write `area_logger=info`"), "{report}");
}

#[test]
fn a_level_of_a_crate_is_no_level_of_a_model() {
    let test = "install::a_level_of_a_crate_is_no_level_of_a_model";
    let output = child(test, &[], || {
        let _logging = ml_logging::builder().level("info,area=debug,far=off").init().unwrap();
        info!(target: "area_logger", "Prediction created.");
        debug!(target: "far_logger", "Prediction created.");
    });
    let Some(output) = output else { return };
    assert_eq!(reports(&output), [""; 0]);
}

/// Returns the messages of the logging on standard error.
fn reports(output: &std::process::Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().filter(|line| line.contains("ml-logging:")).map(str::to_owned).collect()
}

#[test]
fn rust_log_overrides_the_code() {
    let output = child(
        "install::rust_log_overrides_the_code",
        &[("RUST_LOG", "off,it::install=debug")],
        || {
            let _logging = ml_logging::builder().level("error").init().unwrap();
            debug!("debug");
            info!(target: "elsewhere", "info");
        },
    );
    let Some(output) = output else { return };
    assert_eq!(crate::support::only(records(&output.stdout))["message"], json!("debug"));
}

#[test]
fn the_environment_is_read_by_the_filter() {
    let variables = [("NODE_IP", "10.0.0.1")];
    let output = child("install::the_environment_is_read_by_the_filter", &variables, || {
        let filter = ml_logging::EnvironmentInfoFilter::new(["NODE_IP", "ML_LOGGING_UNSET"]);
        let format = "%(node_ip)s %(ml_logging_unset)s";
        let _logging = ml_logging::builder().format(format).filter(filter).init().unwrap();
        info!("x");
    });
    let Some(output) = output else { return };
    let record = crate::support::only(records(&output.stdout));
    assert_eq!(
        (&record["node_ip"], &record["ml_logging_unset"]),
        (&json!("10.0.0.1"), &json!("N/A"))
    );
}

#[test]
fn a_second_subscriber_or_logger_is_refused() {
    child("install::a_second_subscriber_or_logger_is_refused", &[], || {
        log::set_logger(&NoLogger).unwrap();
        let no_logger = ml_logging::builder().init().unwrap_err();
        assert_eq!(no_logger, ml_logging::Error::LogInstalled);
        let second = ml_logging::builder().init().unwrap_err();
        assert_eq!(second, ml_logging::Error::SubscriberInstalled);
    });
}

struct NoLogger;

impl log::Log for NoLogger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}

#[test]
fn records_of_the_log_crate_have_their_own_source_location() {
    let output =
        child("install::records_of_the_log_crate_have_their_own_source_location", &[], || {
            let format = "%(name)s %(pathname)s %(lineno)s %(module)s %(levelname)s %(message)s";
            let _logging =
                ml_logging::builder().format(format).level("info,quiet=warn").init().unwrap();
            let _span = tracing::info_span!("s", prediction_id = 7).entered();
            log::warn!("number {}", 5);
            log::info!(target: "other", "text");
            log::info!(target: "quiet", "not wanted");
            log::debug!("not wanted");
            info!(line = line!(), "from tracing");
        });
    let Some(output) = output else { return };
    let [first, second, tracing] = <[Record; 3]>::try_from(records(&output.stdout)).unwrap();
    let keys = ["name", "pathname", "lineno", "module", "levelname", "message", "prediction_id"];
    assert_eq!(first.keys(), keys);
    assert_eq!(first["name"], json!(module_path!()));
    assert_eq!(first["pathname"], json!(file!()));
    assert_eq!(first["module"], json!(module_path!()));
    assert_eq!(first["levelname"], json!("WARNING"));
    assert_eq!(first["message"], json!("number 5"));
    assert_eq!(second.keys(), keys);
    assert_eq!(second["name"], json!("other"));
    let line = tracing["line"].as_u64().unwrap();
    assert_eq!(first["lineno"], json!(line - 4));
    assert_eq!(second["lineno"], json!(line - 3));
}

#[test]
fn a_panic_is_a_record() {
    let output = child("install::a_panic_is_a_record", &[], || {
        let builder = ml_logging::builder().writer(std::io::stderr).panic_records(true);
        let _logging = builder.init().unwrap();
        let worker = std::thread::Builder::new().name("worker".to_owned());
        let work = || {
            info!(line = line!() + 1, "before");
            panic!("first line\nsecond {}", 2);
        };
        worker.spawn(work).unwrap().join().unwrap_err();
        std::thread::spawn(|| std::panic::panic_any(5)).join().unwrap_err();
    });
    let Some(output) = output else { return };
    let [before, text, other] = <[Record; 3]>::try_from(records(&output.stderr)).unwrap();
    assert_eq!(text["levelname"], json!("ERROR"));
    assert_eq!(text["name"], json!("panic"));
    assert_eq!(text["message"], json!("first line\nsecond 2"));
    assert_eq!(text["thread_name"], json!("worker"));
    assert_eq!(text["backtrace"], json!(null));
    let line = &before["line"];
    let location = text["location"].as_str().unwrap();
    assert!(location.starts_with(&format!("{}:{line}:", file!())), "{location}");
    assert_eq!(other["message"], json!("the value of the panic is not text"));
    assert_eq!(other["thread_name"], json!(null));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked at"), "{output:?}");
}

#[test]
fn a_backtrace_is_part_of_the_record() {
    let variables = [("RUST_BACKTRACE", "1")];
    let output = child("install::a_backtrace_is_part_of_the_record", &variables, || {
        let _logging =
            ml_logging::builder().writer(std::io::stderr).panic_records(true).init().unwrap();
        std::thread::spawn(|| panic!("x")).join().unwrap_err();
    });
    let Some(output) = output else { return };
    let record = crate::support::only(records(&output.stderr));
    assert!(
        record["backtrace"]
            .as_str()
            .unwrap()
            .contains("install::a_backtrace_is_part_of_the_record")
    );
}

#[test]
fn a_panic_without_a_record_is_still_reported() {
    let output = child("install::a_panic_without_a_record_is_still_reported", &[], || {
        let builder = ml_logging::builder().writer(std::io::stderr).level("off");
        let _logging = builder.panic_records(true).init().unwrap();
        std::thread::spawn(|| panic!("printed as text")).join().unwrap_err();
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("printed as text"), "{stderr}");
}

#[test]
fn a_panic_of_the_writer_is_reported_and_survived() {
    struct Panics;
    impl std::io::Write for Panics {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            assert!(!bytes.windows(4).any(|part| part == b"fail"), "the writer failed");
            eprint!("{}", String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let output = child("install::a_panic_of_the_writer_is_reported_and_survived", &[], || {
        let builder = ml_logging::builder().format("%(message)s").writer(|| Panics);
        let _logging = builder.panic_records(true).init().unwrap();
        std::panic::catch_unwind(|| info!("fail")).unwrap_err();
        info!("after");
    });
    let Some(output) = output else { return };
    assert_eq!(crate::support::only(records(&output.stderr))["message"], json!("after"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the writer failed"), "{output:?}");
}

#[test]
fn a_lost_record_is_reported_once() {
    struct Fails;
    impl std::io::Write for Fails {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let output = child("install::a_lost_record_is_reported_once", &[], || {
        let logging = ml_logging::builder().writer(|| Fails).init().unwrap();
        info!("one");
        info!("two");
        assert_eq!(logging.lost_records(), 2);
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr.matches("a log record could not be written: disk full").count(),
        1,
        "{stderr}"
    );
}

#[test]
fn a_thread_that_is_ending_can_still_log() {
    struct LogsWhenDropped;
    impl Drop for LogsWhenDropped {
        fn drop(&mut self) {
            info!("while ending");
            info!("again");
        }
    }
    thread_local!(static LAST: LogsWhenDropped = const { LogsWhenDropped });

    let output = child("install::a_thread_that_is_ending_can_still_log", &[], || {
        let format = "%(asctime)s %(thread)s %(threadName)s %(message)s";
        let _logging = ml_logging::builder().format(format).init().unwrap();
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        // Works in both orders in which the two thread-locals may be destroyed.
        let work = || {
            LAST.with(|_| ());
            info!("while running");
        };
        named("a").spawn(work).unwrap().join().unwrap();
        let work = || {
            info!("while running");
            LAST.with(|_| ());
        };
        named("b").spawn(work).unwrap().join().unwrap();
    });
    let Some(output) = output else { return };
    let records = records(&output.stdout);
    let of = |name: &str| -> Vec<_> {
        records.iter().filter(|record| record["threadName"] == json!(name)).collect()
    };
    for thread in [of("a"), of("b")] {
        let messages: Vec<_> =
            thread.iter().map(|record| record["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["while running", "while ending", "again"]);
        assert!(thread.iter().all(|record| record["thread"] == thread[0]["thread"]));
    }
}
