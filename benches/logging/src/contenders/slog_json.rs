//! slog-json. The logger holds the constant context; functions supply the variable fields.

use std::sync::{LazyLock, Mutex};

use slog::{Drain as _, FnValue, Logger, PushFnValue, Record, o};

use super::{HOST, MESSAGE, POD};
use crate::sink::Sink;
use crate::{Event, Log};

static LOGGER: LazyLock<Logger> = LazyLock::new(|| {
    let json = slog_json::Json::new(Sink)
        .add_default_keys()
        .add_key_value(o!(
            "hostname" => HOST,
            "pod_name" => POD,
            "process" => std::process::id(),
            "thread" => 1_u64,
            "pathname" => FnValue(|record: &Record<'_>| record.file()),
            "lineno" => PushFnValue(|record: &Record<'_>, serializer| serializer.emit(record.line())),
        ))
        .build();
    Logger::root(Mutex::new(json).fuse(), o!())
});

pub(super) fn set_up() -> Log {
    LazyLock::force(&LOGGER);
    |event: &Event| {
        slog::info!(LOGGER, "{}", MESSAGE;
            "action" => event.action,
            "model_qualified_name" => event.model_qualified_name,
            "model_version" => event.model_version,
            "prediction_id" => event.prediction_id,
            "status" => event.status,
            "duration_ms" => event.duration_ms,
            "age" => event.age,
            "charges" => event.charges,
        );
    }
}
