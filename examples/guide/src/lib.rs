//! The running example of the guide: when a parcel arrives. `docs/guide.md` explains it; a test compares the two.

#![allow(missing_docs, reason = "the guide explains the names")]

pub mod decorators;
pub mod model;
pub mod remote;
