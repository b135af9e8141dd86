//! What is said where OTLP is asked for, and the program is built without it.

use std::{
    ffi::OsString,
    io::{self, Write as _},
};

/// Says on standard error if the environment asks for an export.
pub(crate) fn say_if_wanted(environment: &dyn Fn(&str) -> Option<OsString>) {
    let endpoints = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ];
    let is_set = |name: &&str| environment(name).is_some_and(|value| !value.is_empty());
    let disabled = environment("OTEL_SDK_DISABLED");
    if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return;
    }
    if let Some(name) = endpoints.iter().find(|name| is_set(name)) {
        let text = format!(
            "ml-logging: {name} is set, but this program is built without the feature \
             `opentelemetry`: nothing is exported\n"
        );
        // Not `eprintln!`, which panics if stderr is closed.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}
