//! Tests of the document.

#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

#[path = "../../../tests/it/common/model.rs"]
mod charges;
mod document;
mod examples;
mod file;
