//! Tests of the library and of the programs, one module per subject.
#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

mod artefact;
mod model;

#[cfg(unix)]
mod configuration;
#[cfg(unix)]
mod demo;
#[cfg(unix)]
mod export;
#[cfg(target_os = "linux")]
mod log_failures;
#[cfg(unix)]
mod serving;
