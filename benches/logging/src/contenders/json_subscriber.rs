//! json-subscriber, with its own static and dynamic context fields.

use json_subscriber::JsonLayer;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{HOST, POD, tracing_event};
use crate::sink::Sink;
use crate::{Event, Log};

pub(super) fn set_up() -> Log {
    let mut layer = JsonLayer::new(|| Sink);
    layer.with_timer("timestamp", SystemTime);
    layer.with_level("level");
    layer.with_file("file");
    layer.with_line_number("line");
    layer.with_thread_ids("thread");
    layer.add_static_field("hostname", HOST.into());
    layer.add_static_field("pod_name", POD.into());
    layer.add_static_field("process", std::process::id().into());
    layer.with_flattened_event();
    tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .with(layer)
        .init();
    |event: &Event| tracing_event!(event)
}
