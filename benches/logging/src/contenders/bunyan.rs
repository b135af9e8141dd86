//! tracing-bunyan-formatter. It adds host name and process, but no thread.

use std::collections::HashMap;

use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{HOST, POD, tracing_event};
use crate::sink::Sink;
use crate::{Event, Log};

pub(super) fn set_up() -> Log {
    let fields = [("node", HOST), ("pod_name", POD)];
    let fields: HashMap<_, _> = fields.map(|(name, value)| (name.to_owned(), value.into())).into();
    let layer = BunyanFormattingLayer::with_default_fields("service".to_owned(), || Sink, fields);
    let layer = layer.skip_fields(["target"].into_iter()).expect("the target is an optional field");
    tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .with(JsonStorageLayer)
        .with(layer)
        .init();
    |event: &Event| tracing_event!(event, thread = 1_u64)
}
