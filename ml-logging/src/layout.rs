//! The layout: a format whose every field has found its source, with whatever is the same in all
//! records rendered already.

use std::{borrow::Cow, sync::Arc};

use crate::{format::Form, json, time::TimeFormat};

/// The fields that need no filter.
pub(crate) const BUILT_IN: [&str; 14] = [
    "asctime",
    "created",
    "msecs",
    "name",
    "levelname",
    "levelno",
    "message",
    "pathname",
    "filename",
    "lineno",
    "module",
    "process",
    "thread",
    "threadName",
];

/// What an event or span field is called if its own name belongs to the context.
const PREFIX: &str = "fields.";

/// Where a context field's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// The time in Python's form and in UTC.
    Asctime,
    /// The time in another form.
    Time(Arc<TimeFormat>),
    Created,
    Msecs,
    Name,
    LevelName,
    /// In lower case.
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
    /// The same in every record: JSON.
    Fixed(Vec<u8>),
}

/// A key of every record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContextField {
    pub(crate) key: String,
    pub(crate) source: Source,
}

/// The context fields in their order, and with them the names that are taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonLayout {
    pub(crate) context: Vec<ContextField>,
    /// The key of the message if it is the first field of the event, and not one of the context.
    pub(crate) unplaced_message: Option<String>,
    /// What follows the event's own fields.
    pub(crate) tail: Vec<ContextField>,
    /// The keys of fields of events and spans that have another one than their name.
    renames: Vec<(String, String)>,
    /// The keys of the context and of the renamed fields without any prefixes they have; `message`
    /// always among them.
    reserved: Vec<String>,
    /// How many prefixes lead out of the context.
    prefixes: usize,
    ecs: Option<Ecs>,
}

impl JsonLayout {
    /// A layout with these keys, which must all be different. `renames` are of fields that are not
    /// among them.
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

    /// The same with the rules of the Elastic Common Schema for the fields of events and spans.
    #[must_use]
    pub(crate) fn with_ecs(mut self, ecs: Ecs) -> Self {
        self.ecs = Some(ecs);
        self
    }

    /// What a field of a span is called before its key is made from that. Fields that are called the
    /// same are the same field.
    pub(crate) fn span_name<'n>(&self, name: &'n str) -> &'n str {
        if self.ecs.is_some() { Ecs::name(name) } else { name }
    }

    /// The same for a field of an event, and whether its value is milliseconds that are to become
    /// nanoseconds.
    pub(crate) fn event_name<'n>(&self, name: &'n str) -> (&'n str, bool) {
        match self.ecs {
            Some(_) if name == Ecs::MILLISECONDS => (Ecs::DURATION, true),
            _ => (self.span_name(name), false),
        }
    }

    /// Writes `,"key":` for an event's or a span's field; nothing, and `false`, if it is to be left out.
    pub(crate) fn write_key(&self, out: &mut Vec<u8>, name: &str) -> bool {
        let Some(key) = self.key(name) else { return false };
        out.extend_from_slice(b",\"");
        json::escape(out, &key);
        out.extend_from_slice(b"\":");
        true
    }

    /// Returns the key of an event's or a span's field; `None` if it is to be left out.
    ///
    /// A name of the context gets the prefix `fields.`, and so does such a name that has the
    /// prefix already. The key thus depends on nothing but the field's own name, it is never one of
    /// the context, and two names never get the same key.
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
        // Keys with dots are objects there, in which no value can have the same place.
        let meets = |reserved: &String| {
            reserved == name || is_below(name, reserved) || is_below(reserved, name)
        };
        Ecs::is_object(name) || self.reserved.iter().any(meets)
    }
}

/// The rules of the Elastic Common Schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ecs {
    /// Keys that are left out, with all below them.
    pub(crate) excluded: Vec<String>,
}

impl Ecs {
    /// In nanoseconds.
    pub(crate) const DURATION: &str = "event.duration";
    const MILLISECONDS: &str = "duration_ms";

    /// Fields that the schema has other names for.
    const NAMES: [(&str, &str); 4] = [
        ("error_info", "error.message"),
        ("trace_id", "trace.id"),
        ("span_id", "span.id"),
        ("transaction_id", "transaction.id"),
    ];

    /// The names at its top level that are objects: a value of that name would make Elasticsearch
    /// refuse the record. Those that are objects only inside of others, as `geo` and `risk`, are not
    /// among them.
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

    /// Whether a value cannot have this name, because the schema has an object there.
    pub(crate) fn is_object(name: &str) -> bool {
        Self::OBJECTS.contains(&name)
    }

    pub(crate) fn is_excluded(&self, key: &str) -> bool {
        self.excluded.iter().any(|excluded| key == excluded || is_below(key, excluded))
    }
}

/// Whether a key with dots is one inside of the object that another key is.
fn is_below(key: &str, object: &str) -> bool {
    key.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'))
}

/// A line of text, of which the fields of the event and of the spans are the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextLayout {
    pub(crate) parts: Vec<TextPart>,
    /// Whether a terminal shows it in colours.
    pub(crate) color: bool,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TextPart {
    Text(String),
    Field { source: Source, form: Form, color: Option<Color> },
}

/// How a part of a line is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    Dim,
    /// As bad as the level.
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

/// Where the value of a built-in or provided field comes from.
pub(crate) fn source(
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
            json::string(&mut json, value);
            Source::Fixed(json)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::{collection::hash_set, prelude::*};

    use crate::{
        EcsFormatter, Error, JsonFormatter,
        formatter::{Formatter, Layout},
    };

    use super::*;

    fn layout(
        formatter: impl Into<Formatter>,
        provided: &[(&str, &str)],
    ) -> Result<JsonLayout, Error> {
        let provided =
            provided.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        match Formatter::layout(Some(formatter.into()), provided, false)? {
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
    fn an_unknown_field_is_named_with_its_nearest_and_all_there_are() {
        let error = layout(json("%(asctime)s %(node_pi)s"), &[("node_ip", "::1")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("column 13: nothing provides the field `node_pi`"), "{text}");
        assert!(text.contains("did you mean `node_ip`?"), "{text}");
        assert!(text.contains("available are asctime, created, "), "{text}");
        assert!(text.ends_with("threadName, node_ip"), "{text}");
    }

    #[test]
    fn a_filter_may_not_take_a_name_that_is_taken() {
        let twice = layout(json("%(message)s"), &[("a", "1"), ("a", "2")]);
        assert!(matches!(twice, Err(Error::FieldProvidedTwice(name)) if name == "a"));
        let built_in = layout(json("%(message)s"), &[("name", "1")]);
        assert!(matches!(built_in, Err(Error::BuiltInField(name)) if name == "name"));
    }

    #[test]
    fn keys_leave_the_context_and_never_meet() {
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
    fn renamed_fields_meet_no_other() {
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
    fn the_elastic_common_schema_has_no_value_where_an_object_is() {
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
        fn no_two_fields_meet_in_the_elastic_common_schema(
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
