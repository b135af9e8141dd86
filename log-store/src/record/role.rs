//! The meaning of a record's members. The names are those of `ml-logging`, of Python's `logging` with
//! `python-json-logger`, and of the Elastic Common Schema.

/// Meaning of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Time,
    Level,
    Logger,
    Message,
    Action,
    Model,
    Version,
    PredictionId,
    Status,
    /// A duration in milliseconds.
    DurationMs,
    /// A duration in nanoseconds.
    DurationNs,
    Error,
    SampleRate,
    Host,
    Pod,
    Process,
    Thread,
    /// Differs from record to record, and is neither an input nor an output.
    Varying,
    /// An object of the Elastic Common Schema, or a member below one.
    Ecs,
    /// Context before `action`, an input or an output after it.
    Other,
}

/// Returns the meaning of a member. `is_event` is true after the member `action`: the logged fields of
/// a prediction follow it, and may have the name of a context field, such as `name` or `process`.
pub(crate) fn role(name: &str, is_event: bool) -> Role {
    match name {
        "message" => Role::Message,
        "action" => Role::Action,
        "model_qualified_name" => Role::Model,
        "model_version" => Role::Version,
        "prediction_id" => Role::PredictionId,
        "status" => Role::Status,
        "duration_ms" => Role::DurationMs,
        "event.duration" => Role::DurationNs,
        "error_info" | "error.message" => Role::Error,
        "sample_rate" => Role::SampleRate,
        "trace_id" | "span_id" | "transaction_id" | "trace.id" | "span.id" | "transaction.id"
        | "batch_id" | "row" | "exc_info" | "stack_info" | "error.stack_trace" | "error.type" => {
            Role::Varying
        }
        "@timestamp" | "asctime" => Role::Time,
        "log.level" | "levelname" => Role::Level,
        "log.logger" => Role::Logger,
        "host.name" | "hostname" => Role::Host,
        "kubernetes.pod.name" | "pod_name" => Role::Pod,
        "process.pid" => Role::Process,
        "process.thread.id" => Role::Thread,
        _ if is_ecs(name) => Role::Ecs,
        _ if is_event => Role::Other,
        "timestamp" | "time" | "ts" => Role::Time,
        "created" | "msecs" | "relativeCreated" | "taskName" => Role::Varying,
        "level" | "severity" => Role::Level,
        "name" | "logger" | "target" => Role::Logger,
        "msg" => Role::Message,
        "host" => Role::Host,
        "process" => Role::Process,
        "thread" => Role::Thread,
        _ => Role::Other,
    }
}

/// Returns whether a name is one of the schema's objects or below one. `host` and `process` alone are
/// ambiguous: only their objects belong to the schema, which the reader expands.
fn is_ecs(name: &str) -> bool {
    let Some(dot) = memchr::memchr(b'.', name.as_bytes()) else { return name == "ecs" };
    let root = &name[..dot];
    matches!(
        root,
        "ecs"
            | "log"
            | "process"
            | "host"
            | "service"
            | "event"
            | "error"
            | "labels"
            | "trace"
            | "span"
            | "transaction"
            | "kubernetes"
            | "container"
            | "agent"
    )
}

/// Returns whether an object with this name is one of the Elastic Common Schema, whose members are read
/// as if they were written with dots.
pub(super) fn is_ecs_object(name: &str) -> bool {
    matches!(
        name,
        "ecs"
            | "log"
            | "process"
            | "host"
            | "service"
            | "event"
            | "error"
            | "trace"
            | "span"
            | "transaction"
            | "kubernetes"
    )
}
