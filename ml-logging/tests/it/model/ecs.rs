//! Records of `EcsFormatter`.

use ml_logging::{ContextFilter as _, HostnameFilter};

use super::{
    Case, callsites,
    expected::Refusal,
    fields::{Expected, context, inner, level, message, of_event, of_spans, outside},
    form::EcsForm,
    held::Held,
    times,
};

/// The names of the schema's field sets that can stand at the top level, from its reference.
#[rustfmt::skip]
const OBJECTS: [&str; 44] = [
    "agent", "client", "cloud", "container", "data_stream", "destination", "device", "dll", "dns",
    "ecs", "email", "entity", "error", "event", "faas", "file", "gen_ai", "group", "host", "http",
    "labels", "log", "network", "observer", "orchestrator", "organization", "package", "process",
    "registry", "related", "rule", "server", "service", "source", "span", "threat", "tls", "trace",
    "transaction", "url", "user", "user_agent", "volume", "vulnerability",
];

fn is_object(name: &str) -> bool {
    OBJECTS.contains(&name)
}

/// Returns whether a key is another one or in the object that the other one is.
fn is_at_or_below(key: &str, object: &str) -> bool {
    key == object || key.starts_with(&format!("{object}."))
}

impl EcsForm {
    fn is_excluded(&self, key: &str) -> bool {
        self.excluded.iter().any(|excluded| is_at_or_below(key, excluded))
    }
}

/// The members of a record.
pub fn expected(case: &Case, form: &EcsForm) -> Vec<(String, Expected)> {
    let text = |text: &str| Expected::Text(text.to_owned());
    let of = |name: &str| context(case, name, None).unwrap();
    let host = || {
        let own = HostnameFilter::new().fields();
        own.into_iter().find(|(name, _)| name == "hostname").map(|(_, host)| Expected::Text(host))
    };
    let mut record = vec![
        ("@timestamp".to_owned(), Expected::Time(times::ECS)),
        ("log.level".to_owned(), text(&level(case).0.to_lowercase())),
        ("message".to_owned(), message(case).map_or_else(Expected::null, Expected::of_message)),
        ("ecs.version".to_owned(), text("1.6.0")),
        ("log.logger".to_owned(), of("name")),
        ("log.origin.file.name".to_owned(), text("where.rs")),
        ("log.origin.file.line".to_owned(), Expected::Raw(callsites::LINE.to_string())),
        ("process.pid".to_owned(), of("process")),
        ("process.thread.id".to_owned(), Expected::Thread),
        ("process.thread.name".to_owned(), of("threadName")),
        ("host.name".to_owned(), context(case, "hostname", None).or_else(host).unwrap()),
    ];
    let mut put =
        |key: String, value: Expected| match record.iter_mut().find(|(own, _)| *own == key) {
            Some((_, own)) => *own = value,
            None => record.push((key, value)),
        };
    for (name, value) in case.provided.iter().filter(|(name, _)| name != "hostname") {
        put(if is_object(name) { format!("labels.{name}") } else { name.clone() }, text(value));
    }
    for (key, value) in &form.statics {
        put(key.clone(), of_value(&value.held()).unwrap_or_else(Expected::null));
    }
    record.retain(|(key, _)| !form.is_excluded(key));

    // In the objects that flat keys stand for, nothing can have the place of a value, nor a value that of
    // an object.
    let keys: Vec<String> = record.iter().map(|(key, _)| key.clone()).collect();
    let key = |name: &str| {
        let own = inner(name).0;
        let reserved = keys.iter().map(|key| inner(key).0).chain(["message"]);
        let mut reserved =
            reserved.filter(|key| is_at_or_below(key, own) || is_at_or_below(own, key));
        let is_taken = is_object(own) || reserved.next().is_some();
        if is_taken { outside(&keys, name) } else { name.to_owned() }
    };
    let mut add = |name: &str, value: Expected| {
        let key = key(name);
        if !form.is_excluded(name) && !form.is_excluded(&key) {
            record.push((key, value));
        }
    };
    let own = of_event(case, event_name);
    for (name, own, held) in &own {
        let value = if *own == "duration_ms" { duration(held) } else { of_value(held) };
        let value = value.unwrap_or_else(Expected::null);
        add(name, value);
    }
    let taken = own.into_iter().map(|(name, ..)| name).collect();
    for (name, value) in of_spans(case, taken, span_name, of_value) {
        add(&name, value);
    }
    record
}

fn span_name(name: &str) -> String {
    match name {
        "error_info" => "error.message",
        "trace_id" => "trace.id",
        "span_id" => "span.id",
        "transaction_id" => "transaction.id",
        other => other,
    }
    .to_owned()
}

fn event_name(name: &str) -> String {
    if name == "duration_ms" { "event.duration".to_owned() } else { span_name(name) }
}

/// A value; null if JSON lacks the float.
fn of_value(held: &Held) -> Option<Expected> {
    match held {
        Held::F64(value) if !value.is_finite() => Some(Expected::null()),
        held => Expected::of(held),
    }
}

/// Converts milliseconds to nanoseconds. Invalid durations become null, other values stay unchanged.
fn duration(held: &Held) -> Option<Expected> {
    let milliseconds = match held {
        Held::I64(value) => *value as f64,
        Held::U64(value) => *value as f64,
        Held::I128(value) => *value as f64,
        Held::U128(value) => *value as f64,
        Held::F64(value) => *value,
        other => return of_value(other),
    };
    // Those of 30 years.
    let is_time = (0.0..1e12).contains(&milliseconds);
    is_time.then_some(Expected::Nanoseconds(milliseconds))
}

/// Returns the possible errors of the form.
pub fn refusals(form: &EcsForm) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (key, _) in &form.statics {
        if key == "message" {
            refusals.push(Refusal::FixedMessage);
        }
        if is_object(key) {
            refusals.push(Refusal::SchemaObject(key.clone()));
        }
    }
    if form.excluded.iter().any(|key| key == "@timestamp") {
        refusals.push(Refusal::NoTimestamp);
    }
    refusals
}
