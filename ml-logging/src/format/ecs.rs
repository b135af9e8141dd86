//! JSON with the names of the Elastic Common Schema.

use std::borrow::Cow;

use super::{
    error::FormatError,
    escape,
    layout::{ContextField, Ecs, JsonLayout, Source, source},
    static_value::StaticValue,
    time::TimeFormat,
    time_zone::TimeZone,
};

/// Schema version that Elastic's logging libraries write.
const VERSION: &str = "1.6.0";

/// Time format of Elastic's logging libraries.
const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%S.%3fZ";

/// Keys of every record with their fields. Elastic's specification of log files fixes the first three.
const CONTEXT: [(&str, &str); 11] = [
    ("@timestamp", "@timestamp"),
    ("log.level", "log.level"),
    ("message", "message"),
    ("ecs.version", "ecs.version"),
    ("log.logger", "name"),
    ("log.origin.file.name", "filename"),
    ("log.origin.file.line", "lineno"),
    ("process.pid", "process"),
    ("process.thread.id", "thread"),
    ("process.thread.name", "threadName"),
    ("host.name", "hostname"),
];

/// Writes JSON with the names of the [Elastic Common Schema][ecs], as Elastic's library for Python does. All keys
/// are flat, for example `"log.level"`, which Elasticsearch treats like nested objects.
///
/// Every record has `@timestamp` (UTC), `log.level`, `message`, `ecs.version`, `log.logger`,
/// `log.origin.file.name`, `log.origin.file.line`, `process.pid`, `process.thread.id`,
/// `process.thread.name` and `host.name`. The fields of filters and the
/// [static fields](Self::static_field) follow.
///
/// Some fields of events and spans are renamed: `error_info` to `error.message`, `trace_id` to `trace.id`, `span_id`
/// to `span.id`, and `transaction_id` to `transaction.id`. `duration_ms` of an event becomes `event.duration` in
/// nanoseconds. All other fields keep their names at the top level, as in Elastic's libraries.
///
/// The floats that JSON lacks are `null`: Elasticsearch refuses text in a field of numbers.
///
/// Elasticsearch refuses a value in place of an object. A field with the name of an object of the schema,
/// such as `device`, is therefore written as `fields.device`, and as `labels.device` if a filter provides it.
///
/// ```
/// use ml_logging::EcsFormatter;
///
/// let (subscriber, _logging) = ml_logging::builder()
///     .formatter(EcsFormatter::new().service_name("insurance").service_version("1.2.0"))
///     .build()?;
/// # drop(subscriber);
/// # Ok::<(), ml_logging::Error>(())
/// ```
///
/// [ecs]: https://www.elastic.co/docs/reference/ecs
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EcsFormatter {
    statics: Vec<(String, StaticValue)>,
    excluded: Vec<String>,
}

impl EcsFormatter {
    /// Creates the formatter without static fields and exclusions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `service.name`.
    #[must_use]
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.static_field("service.name", name.into())
    }

    /// Sets `service.version`.
    #[must_use]
    pub fn service_version(self, version: impl Into<String>) -> Self {
        self.static_field("service.version", version.into())
    }

    /// Adds a field with the same value in every record. It replaces a field of the same name that every
    /// record has.
    #[must_use]
    pub fn static_field(mut self, key: impl Into<String>, value: impl Into<StaticValue>) -> Self {
        let key = key.into();
        self.statics.retain(|(other, _)| *other != key);
        self.statics.push((key, value.into()));
        self
    }

    /// Excludes the field with this key and all fields below it: `process` excludes `process.pid`,
    /// `process.thread.id` and so on.
    #[must_use]
    pub fn exclude_field(mut self, key: impl Into<String>) -> Self {
        self.excluded.push(key.into());
        self
    }

    /// Checks that the settings result in valid records.
    pub(crate) fn check(&self) -> Result<(), FormatError> {
        if self.statics.iter().any(|(key, _)| key == "message") {
            return Err(FormatError::FixedMessage);
        }
        if self.excluded.iter().any(|key| key == "@timestamp") {
            return Err(FormatError::NoTimestamp);
        }
        if let Some((key, _)) = self.statics.iter().find(|(key, _)| Ecs::is_object(key)) {
            return Err(FormatError::SchemaObject { key: key.clone() });
        }
        Ok(())
    }

    pub(super) fn layout(self, provided: &[(String, String)]) -> Result<JsonLayout, FormatError> {
        self.check()?;
        let timestamp = Source::Time(TimeFormat::new(TIMESTAMP, TimeZone::UTC)?);
        let mut head: Vec<ContextField> = Vec::new();
        for (key, field) in CONTEXT {
            let source = match key {
                "@timestamp" => Some(timestamp.clone()),
                "log.level" => Some(Source::LowerLevelName),
                "ecs.version" => {
                    let mut version = Vec::new();
                    escape::string(&mut version, VERSION);
                    Some(Source::Fixed(version))
                }
                _ => source(field, &timestamp, provided),
            };
            head.extend(source.map(|source| ContextField { key: key.to_owned(), source }));
        }
        let extra = provided.iter().filter(|(name, _)| name != "hostname");
        let extra = extra.map(|(name, value)| {
            let key = if Ecs::is_object(name) { format!("labels.{name}") } else { name.clone() };
            (key, StaticValue::from(value.as_str()))
        });
        for (key, mut value) in extra.chain(self.statics) {
            if value.is_missing_float {
                value = ().into();
            }
            let source = Source::Fixed(value.json);
            match head.iter_mut().find(|field| field.key == key) {
                Some(field) => field.source = source,
                None => head.push(ContextField { key, source }),
            }
        }
        let ecs = Ecs { excluded: self.excluded };
        head.retain(|field| !ecs.is_excluded(&field.key));
        Ok(JsonLayout::new(head, None, Vec::new(), Vec::new()).with_ecs(ecs))
    }
}

/// Keys of the records of a handler that writes the Elastic Common Schema. They serve to describe the records to
/// other systems.
///
/// ```
/// use ml_logging::{Configuration, EcsFormatter, Handler};
///
/// let handler = Handler::stdout("stdout").formatter(EcsFormatter::new());
/// let configuration = Configuration::new().handler(handler);
/// let keys = &configuration.ecs_keys()[0];
/// assert_eq!(keys.of_field("duration_ms").as_deref(), Some("event.duration"));
/// assert_eq!(keys.of_field("user").as_deref(), Some("fields.user"));
/// assert!(keys.context().any(|(key, _value)| key == "log.level"));
/// ```
#[derive(Debug, Clone)]
pub struct EcsKeys {
    layout: JsonLayout,
}

impl EcsKeys {
    pub(crate) fn new(layout: JsonLayout) -> Self {
        Self { layout }
    }

    /// Returns the keys of the context fields in order, each with its JSON value if that is the same in every
    /// record.
    pub fn context(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let fields = self.layout.context.iter();
        fields.map(|field| {
            let value = match &field.source {
                Source::Fixed(json) => Some(json.as_slice()),
                _ => None,
            };
            (field.key.as_str(), value)
        })
    }

    /// Returns the key of a field of an event; `None` if the formatter excludes it.
    #[must_use]
    pub fn of_field(&self, name: &str) -> Option<String> {
        let (name, _is_milliseconds) = self.layout.event_name(name);
        self.layout.key(name).map(Cow::into_owned)
    }
}
