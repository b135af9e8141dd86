//! tracing-subscriber's JSON format. It cannot add context fields, so the event has them. In a span they
//! would cost more.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{HOST, POD, PROCESS, tracing_event};
use crate::sink::Sink;
use crate::{Event, Log};

pub(super) fn set_up_and_log() -> Log {
    set_up();
    |event: &Event| {
        tracing_event!(event, hostname = HOST, pod_name = POD, process = *PROCESS);
    }
}

/// Installs tracing-subscriber for the whole process.
pub(crate) fn set_up() {
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_file(true)
        .with_line_number(true)
        .with_thread_ids(true)
        .with_target(false)
        .with_writer(|| Sink);
    tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .with(layer)
        .init();
}
