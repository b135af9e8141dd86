//! The layout: a format string whose every field has found its source, with whatever is the same
//! in all records rendered already.

use crate::{Error, FormatError, JsonFormatter, json};

/// The fields that need no filter.
pub(crate) const BUILT_IN: [&str; 13] = [
    "asctime",
    "created",
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
    Asctime,
    Created,
    Name,
    LevelName,
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
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// The context fields in their order, and with them the names that are taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) context: Vec<ContextField>,
    /// The names of the context without any prefixes they have; `message` always among them.
    reserved: Vec<String>,
    /// How many prefixes lead out of the context.
    prefixes: usize,
}

impl Layout {
    /// Finds a source for each field of the format.
    pub(crate) fn new(format: JsonFormatter, provided: &[(String, String)]) -> Result<Self, Error> {
        for (index, (name, _)) in provided.iter().enumerate() {
            if BUILT_IN.contains(&name.as_str()) {
                return Err(Error::BuiltInField(name.clone()));
            }
            if provided[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::FieldProvidedTwice(name.clone()));
            }
        }
        let context = format
            .into_fields()
            .into_iter()
            .map(|field| match source(&field.name, provided) {
                Some(source) => Ok(ContextField { name: field.name, source }),
                None => Err(FormatError::Unknown {
                    name: field.name,
                    column: field.column,
                    available: BUILT_IN
                        .map(str::to_owned)
                        .into_iter()
                        .chain(provided.iter().map(|(name, _)| name.clone()))
                        .collect(),
                }),
            })
            .collect::<Result<Vec<_>, _>>()?;

        let stripped = context.iter().map(|field| strip_prefixes(&field.name));
        let (mut reserved, depths): (Vec<_>, Vec<_>) =
            stripped.map(|(name, depth)| (name.to_owned(), depth)).unzip();
        reserved.push("message".to_owned());
        let prefixes = depths.into_iter().max().unwrap_or(0) + 1;
        Ok(Self { context, reserved, prefixes })
    }

    /// Whether the format says where the message stands.
    pub(crate) fn places_message(&self) -> bool {
        self.context.iter().any(|field| field.source == Source::Message)
    }

    /// Writes `"key":` for an event's or a span's field.
    ///
    /// A name of the context gets the prefix `fields.`, and so does such a name that has the
    /// prefix already. The key thus depends on nothing but the field's own name, it is never one of
    /// the context, and two names never get the same key.
    pub(crate) fn write_key(&self, out: &mut Vec<u8>, name: &str) {
        out.push(b'"');
        if self.reserved.iter().any(|reserved| reserved == strip_prefixes(name).0) {
            out.extend_from_slice(PREFIX.repeat(self.prefixes).as_bytes());
        }
        json::escape(out, name);
        out.extend_from_slice(b"\":");
    }
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

fn source(name: &str, provided: &[(String, String)]) -> Option<Source> {
    Some(match name {
        "asctime" => Source::Asctime,
        "created" => Source::Created,
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
    use super::*;

    fn layout(format: &str, provided: &[(&str, &str)]) -> Result<Layout, Error> {
        let provided: Vec<_> =
            provided.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Layout::new(JsonFormatter::new(format).unwrap(), &provided)
    }

    fn key(layout: &Layout, name: &str) -> String {
        let mut out = Vec::new();
        layout.write_key(&mut out, name);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_built_in_field_has_a_source() {
        for name in BUILT_IN {
            assert!(source(name, &[]).is_some(), "{name}");
        }
    }

    #[test]
    fn an_unknown_field_is_named_with_its_nearest_and_all_there_are() {
        let error = layout("%(asctime)s %(node_pi)s", &[("node_ip", "::1")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("column 13: nothing provides the field `node_pi`"), "{text}");
        assert!(text.contains("did you mean `node_ip`?"), "{text}");
        assert!(text.contains("available are asctime, created, "), "{text}");
        assert!(text.ends_with("threadName, node_ip"), "{text}");
    }

    #[test]
    fn a_filter_may_not_take_a_name_that_is_taken() {
        let twice = layout("%(message)s", &[("a", "1"), ("a", "2")]);
        assert!(matches!(twice, Err(Error::FieldProvidedTwice(name)) if name == "a"));
        let built_in = layout("%(message)s", &[("name", "1")]);
        assert!(matches!(built_in, Err(Error::BuiltInField(name)) if name == "name"));
    }

    #[test]
    fn keys_leave_the_context_and_never_meet() {
        let plain = layout("%(name)s", &[]).unwrap();
        assert_eq!(key(&plain, "age"), r#""age":"#);
        assert_eq!(key(&plain, "process"), r#""process":"#);
        assert_eq!(key(&plain, "fields.age"), r#""fields.age":"#);
        assert_eq!(key(&plain, "name"), r#""fields.name":"#);
        assert_eq!(key(&plain, "message"), r#""fields.message":"#);
        assert_eq!(key(&plain, "fields.name"), r#""fields.fields.name":"#);

        let nested = layout("%(name)s %(fields.name)s", &[("fields.name", "x")]).unwrap();
        let names = ["name", "fields.name", "fields.fields.name", "fields.fields.fields.name"];
        let mut keys: Vec<_> = names.iter().map(|name| key(&nested, name)).collect();
        keys.extend([r#""name":"#.to_owned(), r#""fields.name":"#.to_owned()]);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 6, "{keys:?}");
    }
}
