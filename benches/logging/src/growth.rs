//! Cases with growing numbers of fields, in the event and in the context.

use ml_logging::ContextFilter;

use crate::contenders::{formatter, ml_logging_with, tracing_json_set_up};
use crate::{Event, Log};

/// Numbers of event fields.
pub const SIZES: [usize; 7] = [1, 2, 5, 10, 20, 50, 100];

/// Names of the measured context fields; those of [`Fixed`] are last.
pub const CONTEXT: [&str; 14] = [
    "asctime",
    "created",
    "name",
    "levelname",
    "levelno",
    "pathname",
    "filename",
    "lineno",
    "module",
    "process",
    "thread",
    "threadName",
    "hostname",
    "pod_name",
];

/// A filter with constant fields.
struct Fixed;

impl ContextFilter for Fixed {
    fn fields(&self) -> Vec<(String, String)> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        [("hostname", "pricing-7d9c6f"), ("pod_name", "insurance-charges-6c9f7b5d-x2x4k")]
            .map(own)
            .into()
    }
}

/// Sets up a message with one context field before it, or with none if `name` is empty.
pub(crate) fn context(name: &str) -> Log {
    let field = if name.is_empty() { String::new() } else { format!("%({name})s ") };
    ml_logging_with(formatter(&format!("{field}%(message)s")), Fixed);
    |_: &Event| tracing::info!("Prediction created.")
}

/// Sets up a message with integer fields; `size` is an index in [`SIZES`].
pub(crate) fn fields(size: usize, theirs: bool) -> Log {
    if theirs {
        tracing_json_set_up();
    } else {
        ml_logging_with(formatter("%(asctime)s %(levelname)s %(message)s"), Fixed);
    }
    LOGS[size]
}

/// Logs an event with these fields.
macro_rules! log {
    ($($name:ident)*) => {
        |event: &Event| ::tracing::info!($($name = event.age,)* "Prediction created.")
    };
}

#[rustfmt::skip]
const LOGS: [Log; SIZES.len()] = [
    log!(f00),
    log!(f00 f01),
    log!(f00 f01 f02 f03 f04),
    log!(f00 f01 f02 f03 f04 f05 f06 f07 f08 f09),
    log!(
        f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19
    ),
    log!(
        f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19
        f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39
        f40 f41 f42 f43 f44 f45 f46 f47 f48 f49
    ),
    log!(
        f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19
        f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39
        f40 f41 f42 f43 f44 f45 f46 f47 f48 f49 f50 f51 f52 f53 f54 f55 f56 f57 f58 f59
        f60 f61 f62 f63 f64 f65 f66 f67 f68 f69 f70 f71 f72 f73 f74 f75 f76 f77 f78 f79
        f80 f81 f82 f83 f84 f85 f86 f87 f88 f89 f90 f91 f92 f93 f94 f95 f96 f97 f98 f99
    ),
];
