//! spdlog-rs. It adds time, level, thread and source; the other fields are key-value pairs.

use std::sync::Arc;

use spdlog::formatter::JsonFormatter;
use spdlog::sink::WriteSink;
use spdlog::{LevelFilter, Logger};

use super::{HOST, POD, PROCESS};
use crate::sink::Sink;
use crate::{Event, Log};

pub(super) fn set_up() -> Log {
    let sink = WriteSink::builder().target(Sink).formatter(JsonFormatter::new());
    let sink = sink.build_arc().expect("the sink is complete");
    let logger = Logger::builder()
        .sink(sink)
        .level_filter(LevelFilter::All)
        .flush_level_filter(LevelFilter::Off)
        .build()
        .expect("the logger is complete");
    spdlog::set_default_logger(Arc::new(logger));
    |event: &Event| {
        spdlog::info!("Prediction created.", kv: {
            hostname = HOST,
            pod_name = POD,
            process = *PROCESS,
            action = event.action,
            model_qualified_name = event.model_qualified_name,
            model_version = event.model_version,
            prediction_id = event.prediction_id,
            status = event.status,
            duration_ms = event.duration_ms,
            age = event.age,
            charges = event.charges
        });
    }
}
