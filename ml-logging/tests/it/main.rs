//! Integration tests. Tests that install a subscriber run in a child process, see `support::child`.

#![allow(clippy::unwrap_used, reason = "clippy recognizes only test functions as tests")]

mod allocations;
mod any_record;
mod cases;
mod configuration;
#[cfg(unix)]
mod configuration_files;
mod configuration_mistakes;
mod delivery;
mod documentation;
#[cfg(unix)]
mod files;
mod flush;
mod formats;
mod handler_mistakes;
mod install;
mod levels;
mod model;
#[cfg(feature = "opentelemetry")]
mod otlp;
#[cfg(not(feature = "opentelemetry"))]
mod otlp_absent;
#[cfg(feature = "opentelemetry")]
mod otlp_file;
mod parity;
#[cfg(unix)]
mod pipes;
mod policies;
mod python_files;
mod record;
mod record_length;
mod robustness;
mod rotation;
mod setup;
mod spans;
mod support;
mod terminal;
mod text;
