//! Looks up logged fields in a JSON Schema.

use schemars::Schema;
use serde_json::{Map, Value};

use super::error::FieldError;

/// Kind of value that a schema declares for a logged field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// `true` or `false`.
    Boolean,
    /// A whole number that fits into a signed 64-bit integer.
    Integer,
    /// A whole number that may exceed a signed 64-bit integer.
    WideInteger,
    /// Any number.
    Number,
    /// A date, or a date with a time, in the format of RFC 3339.
    Date,
    /// Text.
    Text,
    /// Values of several kinds, or values that the schema does not restrict.
    Any,
}

impl FieldKind {
    /// Returns the kind that covers the values of all `forms`. `null` does not count.
    pub(super) fn of(forms: &[&Value]) -> Self {
        let mut kinds = forms.iter().flat_map(|form| Self::of_form(form));
        let Some(first) = kinds.next() else { return Self::Any };
        kinds.fold(first, |kind, other| match (kind, other) {
            (kind, other) if kind == other => kind,
            (Self::Integer, Self::WideInteger) | (Self::WideInteger, Self::Integer) => {
                Self::WideInteger
            }
            (
                Self::Integer | Self::WideInteger | Self::Number,
                Self::Integer | Self::WideInteger | Self::Number,
            ) => Self::Number,
            (Self::Date | Self::Text, Self::Date | Self::Text) => Self::Text,
            _ => Self::Any,
        })
    }

    fn of_form(form: &Value) -> Vec<Self> {
        let format = form.get("format").and_then(Value::as_str).unwrap_or_default();
        let of_name = |name: &str| match name {
            "null" => None,
            "boolean" => Some(Self::Boolean),
            "integer" => {
                let may_be_wide = matches!(format, "uint" | "uint64" | "uint128" | "int128");
                let is_bounded = form.get("maximum").is_some_and(|maximum| {
                    maximum.as_f64().is_some_and(|maximum| maximum <= i64::MAX as f64)
                });
                Some(if may_be_wide && !is_bounded { Self::WideInteger } else { Self::Integer })
            }
            "number" => Some(Self::Number),
            "string" if matches!(format, "date" | "date-time") => Some(Self::Date),
            "string" => Some(Self::Text),
            _ => Some(Self::Any),
        };
        match form.get("type") {
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).filter_map(of_name).collect()
            }
            // A record has the text of a duration.
            Some(_) if is_duration(form) => vec![Self::Text],
            Some(name) => name.as_str().and_then(of_name).into_iter().collect(),
            None => {
                let listed = form.get("enum").and_then(Value::as_array).into_iter().flatten();
                let values: Vec<&Value> = listed.chain(form.get("const")).collect();
                if values.is_empty() {
                    return vec![Self::Any];
                }
                values.into_iter().filter_map(|value| of_name(kind_name(value))).collect()
            }
        }
    }
}

/// Returns the name of a value's type in JSON Schema.
pub(super) fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Comparison of the names in a path with those in a schema.
#[derive(Clone, Copy)]
pub(super) enum Naming {
    Exact,
    /// Ignores case, `_` and `-`.
    Loose,
}

impl Naming {
    fn property<'s>(
        self,
        properties: &'s Map<String, Value>,
        name: &str,
    ) -> Option<(&'s str, &'s Value)> {
        let letters = |name: &str| -> String {
            let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
            letters.flat_map(char::to_lowercase).collect()
        };
        let property = match self {
            Self::Exact => properties.get_key_value(name),
            Self::Loose => properties.iter().find(|(known, _)| letters(known) == letters(name)),
        };
        property.map(|(name, schema)| (name.as_str(), schema))
    }
}

/// A field in a schema.
pub(super) struct Found<'s> {
    /// Path with the names of the schema.
    pub(super) path: Vec<String>,
    /// Forms that the value may have; none where the schema does not restrict it.
    pub(super) forms: Vec<&'s Value>,
}

/// Finds the field at `path`.
pub(super) fn find<'s>(
    schema: &'s Schema,
    path: &[String],
    naming: Naming,
) -> Result<Found<'s>, FieldError> {
    let root = schema.as_value();
    let mut names = Vec::new();
    let forms = Lookup { root, naming }.find(root, path, &mut names)?;
    Ok(Found { path: names, forms })
}

#[derive(Clone, Copy)]
struct Lookup<'s> {
    /// The whole schema, which references point into.
    root: &'s Value,
    naming: Naming,
}

impl<'s> Lookup<'s> {
    /// Finds the field at `path` in `schema`, the part of the root at the path `names`, and adds its own
    /// path.
    fn find(
        self,
        schema: &'s Value,
        path: &[String],
        names: &mut Vec<String>,
    ) -> Result<Vec<&'s Value>, FieldError> {
        let name = names.last().cloned();
        let mut forms = Vec::new();
        expand(self.root, schema, &mut forms, 0);
        let Some((first, rest)) = path.split_first() else {
            return single_value(forms, name);
        };
        let mut known = Vec::new();
        let mut is_open = forms.is_empty();
        for form in &forms {
            if let Some(properties) = form.get("properties").and_then(Value::as_object) {
                if let Some((name, inner)) = self.naming.property(properties, first) {
                    names.push(name.to_owned());
                    return self.find(inner, rest, names);
                }
                known.extend(properties.keys().cloned());
            }
            for (index, inner) in
                form.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                if *first == index.to_string() {
                    names.push(first.clone());
                    return self.find(inner, rest, names);
                }
                known.push(index.to_string());
            }
            // The form is a map, or allows any value.
            is_open |= form.get("additionalProperties").is_some_and(|more| *more != false)
                || form.as_object().is_some_and(|form| {
                    !["type", "enum", "const"].iter().any(|key| form.contains_key(*key))
                });
        }
        if !known.is_empty() {
            known.dedup();
            Err(FieldError::Unknown { name: first.clone(), known })
        } else if is_open {
            names.extend_from_slice(path);
            Ok(Vec::new())
        } else if has_type(&forms, "array") {
            Err(FieldError::List { name })
        } else {
            let kinds = [
                ("object", "an object"),
                ("string", "text"),
                ("integer", "an integer"),
                ("number", "a number"),
                ("boolean", "a boolean"),
            ];
            let kind = kinds.into_iter().find(|(kind, _)| has_type(&forms, kind));
            let kind = kind.map_or("a single value", |(_, words)| words);
            Err(FieldError::NoFields { of: name, kind })
        }
    }
}

/// Returns the forms of the value `name`, unless it may be an object or a list.
fn single_value(forms: Vec<&Value>, name: Option<String>) -> Result<Vec<&Value>, FieldError> {
    if forms.iter().any(|form| is_duration(form)) {
        return Ok(forms);
    }
    if has_type(&forms, "object") {
        let remedy = "a field inside it by its path";
        Err(FieldError::NotLoggable { name, kind: "an object", remedy })
    } else if !has_type(&forms, "array") {
        Ok(forms)
    } else if forms.iter().any(|form| form.get("prefixItems").is_some()) {
        let remedy = "an item of it by its number, as in `point.0`";
        Err(FieldError::NotLoggable { name, kind: "a list", remedy })
    } else {
        Err(FieldError::List { name })
    }
}

/// Returns whether a form is that of a `std::time::Duration`.
fn is_duration(form: &Value) -> bool {
    form.get("properties").and_then(Value::as_object).is_some_and(|properties| {
        properties.len() == 2 && ["secs", "nanos"].iter().all(|name| properties.contains_key(*name))
    })
}

/// Returns whether one of the forms has the type `kind`.
fn has_type(forms: &[&Value], kind: &str) -> bool {
    forms.iter().any(|form| match form.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
        Some(known) => known == kind,
        None => false,
    })
}

/// Collects the forms of `schema`: the schemas that remain after its references and choices have been
/// resolved.
fn expand<'s>(root: &'s Value, schema: &'s Value, forms: &mut Vec<&'s Value>, depth: usize) {
    // References may be cyclic.
    const MAX_DEPTH: usize = 16;
    if depth > MAX_DEPTH {
        return;
    }
    let mut is_form = true;
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        is_form = schema.get("properties").is_some();
        if let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer))
        {
            expand(root, target, forms, depth + 1);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(branches) = schema.get(key).and_then(Value::as_array) {
            is_form = is_form && schema.get("properties").is_some();
            for branch in branches {
                expand(root, branch, forms, depth + 1);
            }
        }
    }
    if is_form {
        forms.push(schema);
    }
}
