//! Tests of the public interface, one module per subject.
#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

mod deserialize;
mod properties;
mod reading;
mod references;
mod variables;
mod yaml;
