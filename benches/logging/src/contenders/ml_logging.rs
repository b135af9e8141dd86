//! ml-logging with a configured context.

use std::fs::File;

use ml_logging::{ContextFilter, JsonFormatter, Logging};

use super::{HOST, POD, tracing_event};
use crate::sink::Sink;
use crate::{Event, Log};

const FORMAT: &str = "%(asctime)s %(hostname)s %(pod_name)s %(process)s %(thread)s %(pathname)s \
                      %(lineno)s %(levelname)s %(message)s";

/// Filter with the host and pod names of all contenders.
struct Names;

impl ContextFilter for Names {
    fn fields(&self) -> Vec<(String, String)> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        [("hostname", HOST), ("pod_name", POD)].map(own).into()
    }
}

pub(super) fn set_up() -> Log {
    build(formatter(FORMAT), Names);
    log
}

pub(super) fn set_up_with_microseconds() -> Log {
    let formatter = formatter(FORMAT).date_format("%Y-%m-%dT%H:%M:%S.%fZ");
    build(formatter.expect("the directives are valid"), Names);
    log
}

/// Creates a formatter.
pub(crate) fn formatter(format: &str) -> JsonFormatter {
    JsonFormatter::new(format).expect("the format is valid")
}

/// Installs ml-logging for the whole process.
pub(crate) fn build(formatter: JsonFormatter, filter: impl ContextFilter) {
    let builder = ml_logging::builder().environment(|_| None).formatter(formatter).filter(filter);
    let logging = builder.writer(|| Sink).init().expect("no other subscriber is installed");
    std::mem::forget(logging);
}

/// Sets up the queue of a service, with an unlinked file.
pub(crate) fn to_a_file() -> (Log, Logging) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path = folder.path().join("records.jsonl");
    let handler =
        ml_logging::Handler::file("file", &path).formatter(formatter(FORMAT)).filter(Names);
    let logging = ml_logging::Configuration::new()
        .environment(|_| None)
        .handler(handler)
        .logger(
            ml_logging::Logger::root()
                .level(tracing::level_filters::LevelFilter::INFO)
                .handler("file"),
        )
        .init()
        .expect("no other subscriber is installed");
    drop(File::open(&path).expect("the handler has created its file"));
    // The open file remains until the program ends.
    drop(folder);
    (log, logging)
}

fn log(event: &Event) {
    tracing_event!(event);
}
