//! The compared libraries.

mod bunyan;
mod by_hand;
mod json_subscriber;
mod logforth;
mod ml_logging;
mod slog_json;
mod spdlog;
mod tracing_json;

use std::sync::LazyLock;

pub(crate) use ml_logging::{
    build as ml_logging_with, formatter, to_a_file as ml_logging_to_a_file,
};
pub(crate) use tracing_json::set_up as tracing_json_set_up;

use crate::Log;

/// The process id, which takes a system call. Every library could cache it.
static PROCESS: LazyLock<u32> = LazyLock::new(std::process::id);

/// A library that writes the record.
#[derive(Debug)]
pub struct Contender {
    /// Name in the tables.
    pub name: &'static str,
    /// Package whose version is shown; `None` for code of this repository.
    pub package: Option<&'static str>,
    /// Format of the time.
    pub time: &'static str,
    /// Sets the library up for the process.
    pub set_up: fn() -> Log,
}

/// All contenders: ml-logging first, the lower bound last.
pub const CONTENDERS: [Contender; 9] = [
    Contender { name: "ml-logging", package: None, time: "text, ms", set_up: ml_logging::set_up },
    Contender {
        name: "ml-logging, µs",
        package: None,
        time: "text, µs",
        set_up: ml_logging::set_up_with_microseconds,
    },
    Contender {
        name: "slog-json",
        package: Some("slog-json"),
        time: "text, ns",
        set_up: slog_json::set_up,
    },
    Contender {
        name: "spdlog-rs",
        package: Some("spdlog-rs"),
        time: "number, ms",
        set_up: spdlog::set_up,
    },
    Contender {
        name: "logforth",
        package: Some("logforth"),
        time: "text, µs",
        set_up: logforth::set_up,
    },
    Contender {
        name: "json-subscriber",
        package: Some("json-subscriber"),
        time: "text, µs",
        set_up: json_subscriber::set_up,
    },
    Contender {
        name: "tracing-bunyan-formatter",
        package: Some("tracing-bunyan-formatter"),
        time: "text, ns",
        set_up: bunyan::set_up,
    },
    Contender {
        name: "tracing-subscriber",
        package: Some("tracing-subscriber"),
        time: "text, µs",
        set_up: tracing_json::set_up_and_log,
    },
    Contender { name: "by hand", package: None, time: "text, ms", set_up: by_hand::set_up },
];

/// Host name in every record.
pub const HOST: &str = "pricing-7d9c6f";
/// Pod name in every record.
pub const POD: &str = "insurance-charges-6c9f7b5d-x2x4k";
/// Message of every record.
pub const MESSAGE: &str = "Prediction created.";

/// Logs the event through `tracing`, with the fields that the subscriber cannot add.
macro_rules! tracing_event {
    ($event:expr $(, $name:ident = $value:expr)*) => {
        ::tracing::info!(
            $($name = $value,)*
            action = $event.action,
            model_qualified_name = $event.model_qualified_name,
            model_version = $event.model_version,
            prediction_id = $event.prediction_id,
            status = $event.status,
            duration_ms = $event.duration_ms,
            age = $event.age,
            charges = $event.charges,
            "Prediction created."
        )
    };
}
pub(crate) use tracing_event;
