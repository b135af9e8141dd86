//! Tests the behaviour of annotated models through the public interface.

#![allow(clippy::unwrap_used, reason = "clippy recognises test functions only")]
#![allow(unreachable_pub, reason = "the modules of a test binary share items")]

#[macro_use]
mod common;

mod accepted;
mod batches;
mod configured;
mod decorators;
mod generics;
mod logged_fields;
mod metrics;
mod privacy;
mod records;
mod refused;
mod registry;
mod sampling;
mod times;
mod values;
