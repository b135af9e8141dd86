//! Tests of the program: real processes, files and sockets.
#![allow(clippy::unwrap_used)]

mod api;
mod commands;
mod configuration;
mod formats;
mod killed;
mod page;
mod python;
mod retention;
mod rotation;
mod support;
