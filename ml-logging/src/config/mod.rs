//! Typed configuration: handlers, and loggers that route records to them.
//!
//! The terms are those of Python's `logging`. A [`Configuration`] is filled by code, by the
//! [`Builder`](crate::Builder), or from [a file](dict_config). Nothing is opened or installed here: `setup.rs`
//! does that, for all of them alike.

mod configuration;
pub(crate) mod dict_config;
pub(crate) mod export;
mod handler;
mod logger;

pub use self::{
    configuration::Configuration, dict_config::Filters, handler::Handler, logger::Logger,
};
pub(crate) use self::{configuration::Environment, handler::Opened};
