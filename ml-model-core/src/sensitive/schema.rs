//! The sensitive parts of a JSON Schema, which [`Sensitive`](super::Sensitive) marks.

use schemars::Schema;
use serde_json::Value;

use crate::error::Violation;

/// Keyword that marks sensitive parts.
pub(super) const KEYWORD: &str = "x-sensitive";

/// Message about an invalid value that is not shown.
pub(crate) const NOT_VALID: &str = "the value is not valid; it is sensitive and not shown";

/// Keywords whose value is a schema.
const SCHEMA: [&str; 11] = [
    "items",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "contentSchema",
    "not",
    "if",
    "then",
    "else",
];
/// Keywords whose value is a list of schemas.
const LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value has a schema per name.
const MAP: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];

/// The sensitive parts of an input or output.
///
/// Where the place of a value in the schema is not clear, the value counts as sensitive.
#[derive(Debug, Clone)]
pub struct SensitiveParts {
    schema: Schema,
}

impl SensitiveParts {
    /// Finds the sensitive parts of `schema`; `None` if it has none.
    #[must_use]
    pub fn of(schema: &Schema) -> Option<Self> {
        let root = schema.as_value();
        contains(root, root, &mut Vec::new()).then(|| Self { schema: schema.clone() })
    }

    /// Returns how many segments of `path` a message may show, if it must not show the value there: the
    /// value is sensitive, inside a sensitive one, or contains one. `None` if the value may be shown.
    ///
    /// A segment is the name of a member or the index of an item. Names inside a sensitive value are
    /// sensitive, too.
    #[must_use]
    pub fn hidden_at<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<usize> {
        let root = self.schema.as_value();
        let mut forms = Vec::new();
        expand(root, root, &mut forms);
        let mut depth = 0;
        for segment in path {
            if forms.is_empty() || forms.iter().any(|form| is_marked(form)) {
                return Some(depth);
            }
            let mut inner = Vec::new();
            for form in &forms {
                step(form, segment, |schema| expand(root, schema, &mut inner));
            }
            forms = inner;
            depth += 1;
        }
        let is_hidden =
            forms.is_empty() || forms.iter().any(|form| contains(root, form, &mut Vec::new()));
        is_hidden.then_some(depth)
    }

    /// Removes what a violation shows of sensitive values: its message may quote the value at its path.
    pub(crate) fn redact(&self, mut violation: Violation) -> Violation {
        let path: Vec<&str> = violation.segments().collect();
        if let Some(visible) = self.hidden_at(path.iter().copied()) {
            let path = path[..visible].join(".");
            violation = Violation::new(path, NOT_VALID);
        }
        violation
    }
}

/// Removes the examples and defaults of sensitive parts and of the schemas around them.
pub(crate) fn without_examples(schema: Schema) -> Schema {
    if !contains(schema.as_value(), schema.as_value(), &mut Vec::new()) {
        return schema;
    }
    let original = schema.to_value();
    let mut inside = Vec::new();
    inner_references(&original, &original, false, &mut inside);
    let mut value = original.clone();
    remove_examples(&original, &mut value, false);
    if let Some(definitions) = value.get_mut("$defs").and_then(Value::as_object_mut) {
        for (name, definition) in definitions {
            let is_it =
                |reference: &&str| reference.strip_prefix("#/$defs/") == Some(name.as_str());
            remove_examples(&original, definition, inside.iter().any(is_it));
        }
    }
    Schema::try_from(value).expect("a schema without some keywords is a schema")
}

fn remove_examples(root: &Value, schema: &mut Value, is_inside: bool) {
    let is_inside = is_inside || is_marked(schema);
    if (is_inside || contains(root, schema, &mut Vec::new()))
        && let Some(schema) = schema.as_object_mut()
    {
        for key in ["example", "examples", "default"] {
            schema.shift_remove(key);
        }
    }
    for_each_inner_mut(schema, &mut |inner| remove_examples(root, inner, is_inside));
}

/// Collects the references that sensitive parts contain.
fn inner_references<'s>(
    root: &'s Value,
    schema: &'s Value,
    is_inside: bool,
    references: &mut Vec<&'s str>,
) {
    let is_inside = is_inside || is_marked(schema);
    if let Some((reference, target)) = referenced(root, schema)
        && is_inside
        && !references.contains(&reference)
    {
        references.push(reference);
        inner_references(root, target, true, references);
    }
    for inner in inner(schema) {
        inner_references(root, inner, is_inside, references);
    }
    if std::ptr::eq(root, schema)
        && let Some(definitions) = schema.get("$defs").and_then(Value::as_object)
    {
        for definition in definitions.values() {
            inner_references(root, definition, false, references);
        }
    }
}

pub(super) fn is_marked(schema: &Value) -> bool {
    schema.get(KEYWORD).is_some_and(|mark| *mark == true)
}

/// Returns whether `schema` is or contains a sensitive part. `seen` holds the references followed before.
fn contains<'s>(root: &'s Value, schema: &'s Value, seen: &mut Vec<&'s str>) -> bool {
    if is_marked(schema) {
        return true;
    }
    if let Some((reference, target)) = referenced(root, schema)
        && !seen.contains(&reference)
    {
        seen.push(reference);
        if contains(root, target, seen) {
            return true;
        }
    }
    inner(schema).any(|inner| contains(root, inner, seen))
}

/// Collects `schema` and the schemas that it applies to the same value.
pub(super) fn expand<'s>(root: &'s Value, schema: &'s Value, forms: &mut Vec<&'s Value>) {
    if forms.iter().any(|known| std::ptr::eq(*known, schema)) {
        return;
    }
    forms.push(schema);
    if let Some((_, target)) = referenced(root, schema) {
        expand(root, target, forms);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for branch in list(schema, key) {
            expand(root, branch, forms);
        }
    }
    for key in ["if", "then", "else"] {
        if let Some(branch) = schema.get(key) {
            expand(root, branch, forms);
        }
    }
}

/// Calls `found` with the schemas that `form` has for its member or item `segment`.
fn step<'s>(form: &'s Value, segment: &str, mut found: impl FnMut(&'s Value)) {
    if let Some(property) = form.get("properties").and_then(|names| names.get(segment)) {
        return found(property);
    }
    let index: Option<usize> = segment.parse().ok();
    if let Some(item) = index.and_then(|index| list(form, "prefixItems").nth(index)) {
        return found(item);
    }
    if let Some(patterns) = form.get("patternProperties").and_then(Value::as_object) {
        patterns.values().for_each(&mut found);
    }
    if is_open(form) {
        return found(form);
    }
    let others = ["additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems"];
    others.into_iter().filter_map(|key| form.get(key)).for_each(found);
}

/// Returns whether a form allows any value, or any object or list.
fn is_open(form: &Value) -> bool {
    let Some(keywords) = form.as_object() else { return *form == true };
    let is_applicator = |key: &str| [&SCHEMA[..], &LIST, &MAP, &["$ref"]].concat().contains(&key);
    let is_restricted = |key: &String| is_applicator(key) || matches!(&**key, "enum" | "const");
    !keywords.keys().any(is_restricted)
        && form.get("type").is_none_or(|kind| *kind == "object" || *kind == "array")
}

/// Returns the reference of `schema` and its target.
fn referenced<'s>(root: &'s Value, schema: &'s Value) -> Option<(&'s str, &'s Value)> {
    let reference = schema.get("$ref")?.as_str()?;
    Some((reference, root.pointer(reference.strip_prefix('#')?)?))
}

fn list<'s>(schema: &'s Value, key: &str) -> impl Iterator<Item = &'s Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the schemas inside `schema`, without definitions.
fn inner(schema: &Value) -> impl Iterator<Item = &Value> {
    let single = SCHEMA.into_iter().filter_map(|key| schema.get(key));
    let lists = LIST.into_iter().flat_map(|key| list(schema, key));
    let maps = MAP.into_iter().filter_map(|key| schema.get(key)?.as_object());
    single.chain(lists).chain(maps.flat_map(|map| map.values()))
}

fn for_each_inner_mut(schema: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    let Some(schema) = schema.as_object_mut() else { return };
    for (key, value) in schema {
        match value {
            value if SCHEMA.contains(&key.as_str()) => visit(value),
            Value::Array(values) if LIST.contains(&key.as_str()) => {
                values.iter_mut().for_each(&mut *visit);
            }
            Value::Object(values) if MAP.contains(&key.as_str()) => {
                values.values_mut().for_each(&mut *visit);
            }
            _ => {}
        }
    }
}
