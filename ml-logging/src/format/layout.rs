//! Layouts: formats in which every field has a source. Values that are the same in all records are rendered
//! already.

use std::{borrow::Cow, sync::Arc};

use super::{escape, format_string::FieldFormat, time::TimeFormat};

/// Prefix of a field of an event or span whose name belongs to the context.
const PREFIX: &str = "fields.";

/// Source of the value of a context field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// Time in Python's format, in UTC.
    Asctime,
    /// Time in another format.
    Time(Arc<TimeFormat>),
    Created,
    Msecs,
    Name,
    LevelName,
    /// Level name in lower case.
    LowerLevelName,
    LevelNo,
    Message,
    Pathname,
    Filename,
    Lineno,
    Module,
    Process,
    Thread,
    ThreadName,
    /// JSON that is the same in every record.
    Fixed(Vec<u8>),
}

/// Field that every record has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContextField {
    pub(crate) key: String,
    pub(crate) source: Source,
}

/// Layout of a JSON record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonLayout {
    pub(crate) context: Vec<ContextField>,
    /// Key of the message if the context does not contain it. It is the first field of the event then.
    pub(crate) unplaced_message: Option<String>,
    /// Fields after those of the event.
    pub(crate) tail: Vec<ContextField>,
    /// New keys of fields of events and spans, by name.
    renames: Vec<(String, String)>,
    /// Keys of the context and of the renamed fields, without their prefixes, and `message`.
    reserved: Vec<String>,
    /// Number of prefixes that makes any reserved name unique.
    prefixes: usize,
    ecs: Option<Ecs>,
}

impl JsonLayout {
    /// Creates a layout. All keys must be different, and `renames` must not contain fields of the context.
    pub(crate) fn new(
        context: Vec<ContextField>,
        unplaced_message: Option<String>,
        tail: Vec<ContextField>,
        renames: Vec<(String, String)>,
    ) -> Self {
        let keys = context.iter().chain(&tail).map(|field| &field.key);
        let keys = keys.chain(&unplaced_message).chain(renames.iter().map(|(_, to)| to));
        let stripped = keys.map(|key| strip_prefixes(key));
        let (mut reserved, depths): (Vec<_>, Vec<_>) =
            stripped.map(|(name, depth)| (name.to_owned(), depth)).unzip();
        reserved.push("message".to_owned());
        let prefixes = depths.into_iter().max().unwrap_or(0) + 1;
        Self { context, unplaced_message, tail, renames, reserved, prefixes, ecs: None }
    }

    /// Adds the rules of the Elastic Common Schema for fields of events and spans.
    #[must_use]
    pub(super) fn with_ecs(mut self, ecs: Ecs) -> Self {
        self.ecs = Some(ecs);
        self
    }

    /// Returns whether floats that JSON lacks are `null`. As text they would not fit an index that has numbers.
    pub(crate) fn has_null_floats(&self) -> bool {
        self.ecs.is_some()
    }

    /// Returns the canonical name of a span's field, from which its key is made. Two fields with the same
    /// canonical name are the same field.
    pub(crate) fn span_name<'n>(&self, name: &'n str) -> &'n str {
        if self.ecs.is_some() { Ecs::name(name) } else { name }
    }

    /// Returns the canonical name of an event's field, and whether its milliseconds become nanoseconds.
    pub(crate) fn event_name<'n>(&self, name: &'n str) -> (&'n str, bool) {
        match self.ecs {
            Some(_) if name == Ecs::MILLISECONDS => (Ecs::DURATION, true),
            _ => (self.span_name(name), false),
        }
    }

    /// Writes `,"key":` for a field of an event or span. Returns `false` if the field is excluded.
    pub(crate) fn write_key(&self, out: &mut Vec<u8>, name: &str) -> bool {
        let Some(key) = self.key(name) else { return false };
        out.extend_from_slice(b",\"");
        escape::escape(out, &key);
        out.extend_from_slice(b"\":");
        true
    }

    /// Returns the key of a field of an event or span; `None` if the field is excluded.
    ///
    /// A name of the context gets the prefix `fields.`, even if it has that prefix already. The key thus
    /// depends only on the name of the field, is never a key of the context, and is unique.
    pub(crate) fn key<'k>(&'k self, name: &'k str) -> Option<Cow<'k, str>> {
        let renamed = self.renames.iter().find(|(from, _)| from == name);
        let key = match renamed {
            Some((_, key)) => Cow::from(key),
            None if self.is_taken(strip_prefixes(name).0) => {
                Cow::from(PREFIX.repeat(self.prefixes) + name)
            }
            None => Cow::from(name),
        };
        let excluded = |ecs: &Ecs| ecs.is_excluded(name) || ecs.is_excluded(&key);
        if self.ecs.as_ref().is_some_and(excluded) { None } else { Some(key) }
    }

    fn is_taken(&self, name: &str) -> bool {
        if self.ecs.is_none() {
            return self.reserved.iter().any(|reserved| reserved == name);
        }
        // Keys with dots are objects, so that a value and an object must not share a name.
        let meets = |reserved: &String| {
            reserved == name || is_below(name, reserved) || is_below(reserved, name)
        };
        Ecs::is_object(name) || self.reserved.iter().any(meets)
    }
}

/// Rules of the Elastic Common Schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ecs {
    /// Excluded keys, which include all keys below them.
    pub(super) excluded: Vec<String>,
}

impl Ecs {
    /// Duration in nanoseconds.
    pub(super) const DURATION: &str = "event.duration";
    const MILLISECONDS: &str = "duration_ms";

    /// Fields that have other names in the schema.
    const NAMES: [(&str, &str); 4] = [
        ("error_info", "error.message"),
        ("trace_id", "trace.id"),
        ("span_id", "span.id"),
        ("transaction_id", "transaction.id"),
    ];

    /// Names of the top-level objects. Elasticsearch would refuse a record with a value of that name. Nested
    /// objects such as `geo` and `risk` are not included.
    #[rustfmt::skip]
    const OBJECTS: &[&str] = &[
        "agent", "client", "cloud", "container", "data_stream", "destination", "device", "dll", "dns",
        "ecs", "email", "entity", "error", "event", "faas", "file", "gen_ai", "group", "host", "http",
        "labels", "log", "network", "observer", "orchestrator", "organization", "package", "process",
        "registry", "related", "rule", "server", "service", "source", "span", "threat", "tls", "trace",
        "transaction", "url", "user", "user_agent", "volume", "vulnerability",
    ];

    fn name(name: &str) -> &str {
        Self::NAMES.iter().find(|(own, _)| *own == name).map_or(name, |(_, to)| to)
    }

    /// Returns whether the schema has an object of this name.
    pub(super) fn is_object(name: &str) -> bool {
        Self::OBJECTS.contains(&name)
    }

    pub(super) fn is_excluded(&self, key: &str) -> bool {
        self.excluded.iter().any(|excluded| key == excluded || is_below(key, excluded))
    }
}

/// Returns whether a key with dots is inside an object.
fn is_below(key: &str, object: &str) -> bool {
    key.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'))
}

/// Layout of a line of text. The fields of the event and of the spans follow at the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextLayout {
    pub(crate) parts: Vec<TextPart>,
    /// Whether the line contains color codes.
    pub(crate) color: bool,
}

/// Part of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TextPart {
    Text(String),
    Field { source: Source, format: FieldFormat, color: Option<Color> },
}

/// Color of a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    Dim,
    /// Color of the level.
    Level,
}

fn strip_prefixes(name: &str) -> (&str, usize) {
    let mut stripped = name;
    let mut count = 0;
    while let Some(rest) = stripped.strip_prefix(PREFIX) {
        stripped = rest;
        count += 1;
    }
    (stripped, count)
}

/// Returns the source of a built-in or provided field.
pub(super) fn source(
    name: &str,
    asctime: &Source,
    provided: &[(String, String)],
) -> Option<Source> {
    Some(match name {
        "asctime" => asctime.clone(),
        "created" => Source::Created,
        "msecs" => Source::Msecs,
        "name" => Source::Name,
        "levelname" => Source::LevelName,
        "levelno" => Source::LevelNo,
        "message" => Source::Message,
        "pathname" => Source::Pathname,
        "filename" => Source::Filename,
        "lineno" => Source::Lineno,
        "module" => Source::Module,
        "thread" => Source::Thread,
        "threadName" => Source::ThreadName,
        "process" => Source::Process,
        _ => {
            let (_, value) = provided.iter().find(|(provided, _)| provided == name)?;
            let mut json = Vec::new();
            escape::string(&mut json, value);
            Source::Fixed(json)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::{collection::hash_set, prelude::*};

    use crate::format::{EcsFormatter, FormatError, Formatter, JsonFormatter, Layout};

    use super::{super::built_in::BUILT_IN, *};

    fn layout(
        formatter: impl Into<Formatter>,
        provided: &[(&str, &str)],
    ) -> Result<JsonLayout, FormatError> {
        let provided: Vec<_> =
            provided.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        match formatter.into().layout(&provided, false)? {
            Layout::Json(layout) => Ok(layout),
            Layout::Text(_) => unreachable!("these formatters write JSON"),
        }
    }

    fn json(format: &str) -> JsonFormatter {
        JsonFormatter::new(format).unwrap()
    }

    fn key(layout: &JsonLayout, name: &str) -> String {
        let mut out = Vec::new();
        if !layout.write_key(&mut out, name) {
            return String::new();
        }
        String::from_utf8(out).unwrap().trim_start_matches(',').to_owned()
    }

    #[test]
    fn every_built_in_field_has_a_source() {
        for name in BUILT_IN {
            assert!(source(name, &Source::Asctime, &[]).is_some(), "{name}");
        }
    }

    #[test]
    fn an_unknown_field_is_reported_with_the_nearest_and_all_available_names() {
        let error = layout(json("%(asctime)s %(node_pi)s"), &[("node_ip", "::1")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("column 13: nothing provides the field `node_pi`"), "{text}");
        assert!(text.contains("did you mean `node_ip`?"), "{text}");
        assert!(text.contains("available are asctime, created, "), "{text}");
        assert!(text.ends_with("threadName, node_ip"), "{text}");
    }

    #[test]
    fn keys_are_outside_of_the_context_and_unique() {
        let plain = layout(json("%(name)s"), &[]).unwrap();
        assert_eq!(key(&plain, "age"), r#""age":"#);
        assert_eq!(key(&plain, "process"), r#""process":"#);
        assert_eq!(key(&plain, "fields.age"), r#""fields.age":"#);
        assert_eq!(key(&plain, "name"), r#""fields.name":"#);
        assert_eq!(key(&plain, "message"), r#""fields.message":"#);
        assert_eq!(key(&plain, "fields.name"), r#""fields.fields.name":"#);

        let nested = layout(json("%(name)s %(fields.name)s"), &[("fields.name", "x")]).unwrap();
        let names = ["name", "fields.name", "fields.fields.name", "fields.fields.fields.name"];
        let mut keys: Vec<_> = names.iter().map(|name| key(&nested, name)).collect();
        keys.extend([r#""name":"#.to_owned(), r#""fields.name":"#.to_owned()]);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 6, "{keys:?}");
    }

    #[test]
    fn renamed_fields_collide_with_no_other() {
        let renamed = json("%(levelname)s")
            .rename_field("levelname", "level")
            .rename_field("age", "customer_age")
            .rename_field("bmi", "age");
        let layout = layout(renamed, &[]).unwrap();
        assert_eq!(layout.context[0].key, "level");
        for (name, expected) in [
            ("level", "fields.level"),
            ("levelname", "levelname"),
            ("age", "customer_age"),
            ("bmi", "age"),
            ("customer_age", "fields.customer_age"),
            ("fields.age", "fields.fields.age"),
        ] {
            assert_eq!(key(&layout, name), format!("\"{expected}\":"), "{name}");
        }
    }

    #[test]
    fn the_elastic_common_schema_has_no_value_in_place_of_an_object() {
        let layout = layout(EcsFormatter::new().exclude_field("process"), &[]).unwrap();
        for (name, expected) in [
            ("age", "age"),
            ("user.id", "user.id"),
            ("user", "fields.user"),
            ("log", "fields.log"),
            ("log.level", "fields.log.level"),
            ("log.level.x", "fields.log.level.x"),
            ("log.origin", "fields.log.origin"),
            ("risk", "risk"),
            ("message.x", "fields.message.x"),
            ("fields.log", "fields.fields.log"),
            ("logs", "logs"),
        ] {
            assert_eq!(key(&layout, name), format!("\"{expected}\":"), "{name}");
        }
        assert_eq!(key(&layout, "process.title"), "");
        assert!(layout.context.iter().all(|field| !field.key.starts_with("process")));
    }

    proptest! {
        #[test]
        fn no_two_fields_collide_in_the_elastic_common_schema(
            names in hash_set("(fields\\.|labels\\.|log\\.|error\\.){0,2}(log|level|message|error_info|trace_id|trace\\.id|duration_ms|event\\.duration|host|team|x)", 2..12),
        ) {
            let formatter = EcsFormatter::new().static_field("labels.team", "a");
            let layout = layout(formatter, &[("host", "h"), ("fields.x", "y")]).unwrap();
            let mut keys: Vec<_> =
                layout.context.iter().map(|field| format!("\"{}\":", field.key)).collect();
            let names: HashSet<&str> = names
                .into_iter()
                .map(|name| layout.event_name(name.leak()).0)
                .filter(|name| *name != "message")
                .collect();
            keys.extend(names.iter().map(|name| key(&layout, name)));
            let distinct: HashSet<_> = keys.iter().collect();
            prop_assert_eq!(distinct.len(), keys.len(), "{:?}", keys);
        }
    }
}
