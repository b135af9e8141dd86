//! Services over real sockets, in one process.

#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

mod api;
mod batches;
mod common;
mod configuration;
mod docs;
mod error_details;
mod hostile;
mod lifecycle;
mod log_levels;
mod metrics;
mod mistakes;
mod production;
mod remedies;
mod variants;
