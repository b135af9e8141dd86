//! The messages and the service of the `.proto` file, generated.

#![allow(missing_docs, reason = "the `.proto` file documents them")]
#![allow(clippy::all, missing_debug_implementations, unreachable_pub, reason = "generated code")]

tonic::include_proto!("insurance_charges.v1");

/// The `.proto` file, encoded for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
