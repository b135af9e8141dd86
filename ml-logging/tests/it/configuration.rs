//! Logging with configurations from files of the Python services.

use std::{ffi::OsString, fs, path::Path};

use crate::support::{Memory, Record, child, only, records};
use ml_configuration::{Document, Problems};
use ml_logging::{Configuration, ContextFilter, Error, Filters, Handler, JsonFormatter, Logger};
use serde_json::json;
use tracing::{debug, error, info, info_span, level_filters::LevelFilter, trace, warn};

/// Reads a configuration without mistakes.
fn configured(text: &str) -> Configuration {
    configured_with(text, &Filters::new())
}

fn configured_with(text: &str, filters: &Filters) -> Configuration {
    let document = Document::parse("rest_config.yaml", text).unwrap();
    let mut problems = Problems::new();
    let configuration = Configuration::read(document.root(), filters, &mut problems);
    assert!(problems.is_empty(), "{problems}");
    configuration.unwrap().environment(|_| None)
}

/// Returns the records that `run` writes to the file.
fn logged(configuration: Configuration, path: &Path, run: impl FnOnce()) -> Vec<Record> {
    let (subscriber, logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, run);
    assert_eq!(logging.lost_records(), 0);
    logging.flush().unwrap();
    read(path)
}

fn read(path: &Path) -> Vec<Record> {
    let text = fs::read_to_string(path).unwrap();
    text.split_inclusive('\n').map(Record::read).collect()
}

/// Returns the messages of records.
fn messages(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record["message"].as_str().unwrap()).collect()
}

/// File of the third service, which contains everything that the other files contain.
const IN_THE_FIELD: &str = r#"
version: 1
disable_existing_loggers: false
formatters:
  formatter:
    class: pythonjsonlogger.jsonlogger.JsonFormatter
    format: "%(asctime)s %(hostname)s %(pod_name)s %(node_name)s %(process)s %(thread)s %(pathname)s %(lineno)s %(levelname)s %(message)s"
filters:
  hostname_filter:
    (): ml_model_logging.filters.HostnameFilter
  environment_info_filter:
    class: ml_model_logging.filters.EnvironmentInfoFilter
    env_variables:
    - POD_NAME
    - NODE_NAME
handlers:
  stdout:
    level: INFO
    class: logging.StreamHandler
    stream: ext://sys.stdout
    formatter: formatter
    filters:
    - hostname_filter
    - environment_info_filter
loggers:
  root:
    level: INFO
    handlers:
    - stdout
    propagate: false
"#;

#[test]
fn a_file_of_a_python_service_logs_to_standard_output() {
    let test = "configuration::a_file_of_a_python_service_logs_to_standard_output";
    let output = child(test, &[("POD_NAME", "pod-1")], || {
        let document = Document::parse("rest_config.yaml", IN_THE_FIELD).unwrap();
        let mut problems = Problems::new();
        let configuration =
            Configuration::read(document.root(), &Filters::new(), &mut problems).unwrap();
        let _logging = configuration.panic_records(true).init().unwrap();
        info!(target: "insurance_charges_model_logger", action = "predict", "Prediction requested.");
        debug!("not wanted");
        log::info!(target: "some::crate", "through `log`");
        log::debug!("not wanted");
        let _ = std::thread::spawn(|| panic!("as a record")).join();
    });
    let Some(output) = output else { return };
    let [first, second, third] = <[Record; 3]>::try_from(records(&output.stdout)).unwrap();
    let keys = [
        "asctime",
        "hostname",
        "pod_name",
        "node_name",
        "process",
        "thread",
        "pathname",
        "lineno",
        "levelname",
        "message",
        "action",
    ];
    assert_eq!(first.keys(), keys);
    assert_eq!((&first["pod_name"], &first["levelname"]), (&json!("pod-1"), &json!("INFO")));
    assert_eq!(second["message"], json!("through `log`"));
    assert_eq!(third["message"], json!("as a record"));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("as a record"));
}

#[test]
fn handlers_have_their_own_formats_levels_and_filters() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = format!(
        r#"
version: 1
formatters:
  long: {{class: JsonFormatter, format: "%(levelname)s %(release)s %(message)s"}}
  short: {{class: JsonFormatter, fmt: "%(message)s"}}
filters:
  release: {{class: ReleaseFilter, prefix: v}}
handlers:
  all: {{class: logging.FileHandler, filename: {all:?}, formatter: long, filters: [release]}}
  twin: {{class: FileHandler, filename: {twin:?}, formatter: long, mode: a, encoding: UTF-8}}
  errors: {{class: FileHandler, filename: {errors:?}, mode: w, level: 40, formatter: short}}
root: {{level: DEBUG, handlers: [all, twin, errors]}}
"#,
        all = path("all"),
        twin = path("twin"),
        errors = path("errors"),
    );
    struct Release(String);
    impl ContextFilter for Release {
        fn fields(&self) -> Vec<(String, String)> {
            vec![("release".to_owned(), self.0.clone())]
        }
    }
    let filters = Filters::new().with("ReleaseFilter", |keys, problems| {
        let prefix = keys.required("prefix", problems)?.string(problems)?;
        Some(Release(format!("{prefix}1")))
    });
    fs::write(path("twin"), "{\"message\":\"old\"}\n").unwrap();
    fs::write(path("errors"), "{\"message\":\"old\"}\n").unwrap();

    let all = logged(configured_with(&text, &filters), &path("all"), || {
        let span = info_span!("span", id = 7);
        let _entered = span.enter();
        debug!(x = 1, "first");
        trace!("not wanted");
        error!(x = 2, "second");
    });
    assert_eq!(messages(&all), ["first", "second"]);
    assert_eq!(all[0].keys(), ["levelname", "release", "message", "x", "id"]);
    assert_eq!(all[0]["release"], json!("v1"));
    let twin = read(&path("twin"));
    assert_eq!(messages(&twin), ["old", "first", "second"]);
    assert_eq!(twin[1..], all);
    let errors = only(read(&path("errors")));
    assert_eq!(errors.keys(), ["message", "x", "id"]);
    assert_eq!(errors["x"], json!(2));
}

/// Creates a handler that keeps its records in memory.
fn memory(name: &str) -> (Handler, Memory) {
    let memory = Memory::default();
    let format = JsonFormatter::new("%(message)s").unwrap();
    (Handler::writer(name, memory.clone()).formatter(format), memory)
}

fn run(configuration: Configuration, run: impl FnOnce()) {
    let (subscriber, _logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, run);
}

#[test]
fn records_go_up_the_tree_of_loggers_as_in_python() {
    let [(a, at_root), (b, at_hyper), (c, at_audit)] = ["a", "b", "c"].map(memory);
    let configuration = Configuration::new()
        .environment(|_| None)
        .handler(a)
        .handler(b.level(LevelFilter::WARN))
        .handler(c)
        .logger(Logger::root().level(LevelFilter::WARN).handler("a"))
        .logger(Logger::new("hyper").level(LevelFilter::DEBUG).handler("b").handler("a"))
        .logger(Logger::new("hyper.client"))
        .logger(Logger::new("hyper::client::pool").level(LevelFilter::OFF))
        .logger(Logger::new("audit").level(LevelFilter::INFO).handler("c").propagate(false));
    run(configuration, || {
        info!(target: "elsewhere", "below the root's level");
        warn!(target: "elsewhere", "1 root");
        debug!(target: "hyper", "2 the level of hyper, not that of the root");
        warn!(target: "hyper::client::conn", "3 inherited, and to each handler once");
        warn!(target: "hyper.client", "4 with Python's dots");
        error!(target: "hyper::client::pool::x", "off");
        info!(target: "hyper_util", "not below hyper");
        info!(target: "audit::log", "5 not to the root");
        debug!(target: "audit", "below the level of audit");
    });
    let text = |memory: &Memory| {
        let records = memory.records();
        messages(&records).iter().map(|text| text[..1].to_owned()).collect::<String>()
    };
    assert_eq!(text(&at_root), "1234");
    assert_eq!(text(&at_hyper), "34");
    assert_eq!(text(&at_audit), "5");
}

#[test]
fn a_root_that_is_not_configured_passes_warnings() {
    let (handler, memory) = memory("h");
    let configuration = Configuration::new().handler(handler).environment(|_| None);
    run(configuration.logger(Logger::root().handler("h")), || {
        info!("no");
        warn!("yes");
    });
    assert_eq!(messages(&memory.records()), ["yes"]);
}

#[test]
fn rust_log_replaces_the_levels() {
    let [(all, in_all), (errors, in_errors)] = ["all", "errors"].map(memory);
    let configuration = Configuration::new()
        .environment(|name| (name == "RUST_LOG").then(|| OsString::from("debug,quiet=off")))
        .handler(all.level(LevelFilter::INFO))
        .handler(errors.level(LevelFilter::ERROR))
        .logger(Logger::root().level(LevelFilter::INFO).handler("all").handler("errors"))
        .logger(Logger::new("audit").handler("all").propagate(false));
    run(configuration, || {
        debug!(target: "anything", "a handler that took all still does");
        trace!(target: "anything", "no");
        error!(target: "anything", "one that took less takes that");
        error!(target: "quiet", "no");
        debug!(target: "audit", "where to is not RUST_LOG's to say");
    });
    assert_eq!(in_all.records().len(), 3);
    assert_eq!(messages(&in_errors.records()), ["one that took less takes that"]);

    let configuration = Configuration::new()
        .environment(|_| Some("wran".into()))
        .handler(memory("h").0)
        .logger(Logger::root().handler("h"));
    let error = configuration.build().err().unwrap();
    assert!(error.to_string().starts_with("log levels in RUST_LOG"), "{error}");
}

#[test]
fn levels_of_python_by_name_and_number() {
    for (level, passing) in [
        ("CRITICAL", ""),
        ("FATAL", ""),
        ("50", ""),
        ("ERROR", "e"),
        ("31", "e"),
        ("WARNING", "we"),
        ("warn", "we"),
        ("INFO", "iwe"),
        ("11", "iwe"),
        ("DEBUG", "diwe"),
        ("TRACE", "tdiwe"),
        ("NOTSET", "tdiwe"),
        ("0", "tdiwe"),
        ("OFF", ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let handler = format!("{{class: FileHandler, filename: {path:?}, level: {level}}}");
        for text in [
            format!(
                "version: 1\nhandlers: {{h: {handler}}}\nroot: {{level: TRACE, handlers: [h]}}"
            ),
            format!(
                "version: 1\nhandlers: {{h: {{class: FileHandler, filename: {path:?}}}}}\n\
                 loggers: {{'': {{level: {level}, handlers: [h]}}}}"
            ),
        ] {
            let _ = fs::remove_file(&path);
            let records = logged(configured(&text), &path, || {
                trace!("t");
                debug!("d");
                info!("i");
                warn!("w");
                error!("e");
            });
            assert_eq!(messages(&records).concat(), passing, "{text}");
        }
    }
}

#[test]
fn a_logger_without_a_level_inherits_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let text = format!(
        "version: 1\nhandlers: {{h: {{class: FileHandler, filename: {path:?}}}}}\n\
         loggers: {{a: {{level: NOTSET}}, b: {{level: }}}}\nroot: {{level: ERROR, handlers: [h]}}"
    );
    let records = logged(configured(&text), &path, || {
        warn!(target: "a", "no");
        warn!(target: "b", "no");
        error!(target: "a", "yes");
    });
    assert_eq!(messages(&records), ["yes"]);
}

#[test]
fn without_a_format_there_is_the_default_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    for formatter in ["", ", formatter: f"] {
        let text = format!(
            "version: 1\nformatters: {{f: {{class: JsonFormatter}}}}\n\
             handlers: {{h: {{class: FileHandler, mode: w, filename: {path:?}{formatter}}}}}\n\
             root: {{handlers: [h]}}"
        );
        let record = only(logged(configured(&text), &path, || warn!("x")));
        assert_eq!(record.keys().len(), 9);
        assert!(record.get("hostname").is_some());
    }
}

#[test]
fn standard_error_is_the_default_stream() {
    let output = child("configuration::standard_error_is_the_default_stream", &[], || {
        let text =
            "version: 1\nhandlers: {h: {class: logging.StreamHandler}}\nroot: {handlers: [h]}";
        let _logging = configured(text).init().unwrap();
        warn!("here");
    });
    let Some(output) = output else { return };
    assert_eq!(only(records(&output.stderr))["message"], json!("here"));
    assert!(records(&output.stdout).is_empty());
}

#[test]
fn records_of_the_log_crate_have_loggers_too() {
    let output = child("configuration::records_of_the_log_crate_have_loggers_too", &[], || {
        let text = "version: 1\nhandlers: {h: {class: StreamHandler, stream: ext://sys.stdout}}\n\
                    loggers: {noisy.crate: {level: DEBUG}}\nroot: {handlers: [h]}";
        let _logging = configured(text).init().unwrap();
        log::debug!(target: "noisy::crate::x", "wanted");
        log::info!(target: "noisy", "not wanted");
        log::trace!(target: "noisy::crate", "not wanted");
    });
    let Some(output) = output else { return };
    assert_eq!(only(records(&output.stdout))["message"], json!("wanted"));
}

#[test]
fn files_are_opened_when_the_logging_is_built_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good"), folder.path().join("missing").join("log"));
    let text = format!(
        "version: 1\nhandlers:\n  good: {{class: FileHandler, filename: {good:?}, mode: w}}\n  \
         bad: {{class: FileHandler, filename: {bad:?}}}\nroot: {{handlers: [good, bad]}}"
    );
    let configuration = configured(&text);
    assert!(!good.exists());
    fs::write(&good, "kept").unwrap();
    let error = configuration.build().err().unwrap();
    assert!(
        matches!(&error, Error::OpenFile { handler, path, .. } if handler == "bad" && *path == bad)
    );
    assert!(error.to_string().contains("the handler `bad` cannot open the file "), "{error}");
    assert_eq!(fs::read_to_string(&good).unwrap(), "kept");
}

#[test]
fn mistakes_in_code() {
    let handler = || memory("h").0;
    let root = || Logger::root().handler("h");
    let error = |configuration: Configuration| configuration.build().err().unwrap().to_string();
    let with_handler = || Configuration::new().environment(|_| None).handler(handler());

    assert!(error(with_handler()).starts_with("no logger has a handler"));
    assert!(error(Configuration::new()).starts_with("no logger has a handler"));
    assert_eq!(
        error(with_handler().handler(handler()).logger(root())),
        "two handlers are named `h`; rename one of them"
    );
    assert_eq!(
        error(with_handler().logger(root()).logger(Logger::new("a.b")).logger(Logger::new("a::b"))),
        "two loggers are named `a::b`; merge them"
    );
    assert_eq!(
        error(with_handler().logger(root().handler("g"))),
        "the logger `root` names the unknown handler `g`; add it or remove the name"
    );
    let format = JsonFormatter::new("%(nobody)s").unwrap();
    let text = error(Configuration::new().handler(handler().formatter(format)).logger(root()));
    assert!(text.starts_with("the handler `h`: log format, column 1: nothing provides"), "{text}");
    let many = (0..65).fold(Configuration::new(), |configuration, number| {
        configuration.handler(memory(&number.to_string()).0)
    });
    assert_eq!(error(many), "there are more than 64 handlers; remove some");
}

#[test]
fn a_failing_handler_is_counted_and_does_not_affect_others() {
    struct Broken;
    impl std::io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::Error::other("cannot flush"))
        }
    }
    let (good, memory) = memory("good");
    let configuration = Configuration::new()
        .environment(|_| None)
        .handler(Handler::writer("broken", || Broken))
        .handler(good)
        .logger(Logger::root().handler("broken").handler("good"));
    let (subscriber, logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        warn!("one");
        warn!("two");
    });
    assert_eq!(messages(&memory.records()), ["one", "two"]);
    assert_eq!(logging.lost_records(), 2);
    assert_eq!(logging.flush().unwrap_err().to_string(), "cannot flush");
}

#[test]
fn a_null_handler_is_silent_and_costs_nothing() {
    let memory = Memory::default();
    let configuration = Configuration::new()
        .environment(|_| None)
        .handler(Handler::null("null"))
        .handler(Handler::writer("h", memory.clone()))
        .logger(Logger::root().level(LevelFilter::INFO).handler("h"))
        .logger(Logger::new("silent").handler("null").propagate(false));
    let (subscriber, logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        assert!(!tracing::enabled!(target: "silent", tracing::Level::ERROR));
        tracing::error!(target: "silent", "x");
        tracing::info!("y");
    });
    assert_eq!(memory.records().len(), 1);
    assert_eq!(logging.counts().len(), 1);

    // Without any other handler nothing is logged, on purpose.
    let alone = || Configuration::new().handler(Handler::null("null")).environment(|_| None);
    let (_subscriber, logging) = alone().logger(Logger::root().handler("null")).build().unwrap();
    assert!(logging.counts().is_empty());
    assert_eq!(alone().build().map(|_| ()).unwrap_err(), ml_logging::Error::NoHandler);
}
