//! The schemas of all models as components of one document.
//!
//! The schema of a model is a document with `$defs` and references from its root `#`. Its parts become
//! `components/schemas`, and the references are adapted. Two models may use the same type, or different
//! types with one name: two parts are equal if they and everything that they refer to are equal.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use schemars::Schema;
use serde_json::{Map, Value};

const ROOT: &str = "#";
const DEFINITIONS: &str = "/$defs/";

/// The schemas collected so far.
pub(super) struct Components {
    schemas: Map<String, Value>,
    /// The original of each collected schema, to recognise equal ones.
    sources: BTreeMap<String, Parts>,
}

/// Parts of one schema document by address: `#` or `#/$defs/Name`.
type Parts = BTreeMap<String, Value>;

/// Side of a model that a schema describes.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Input,
    Output,
}

impl Components {
    /// Starts with schemas that keep their names.
    pub(super) fn new(schemas: Map<String, Value>) -> Self {
        Self { schemas, sources: BTreeMap::new() }
    }

    pub(super) fn into_schemas(self) -> Map<String, Value> {
        self.schemas
    }

    /// Adds the schema of a model with the types that it uses. Returns a reference to it.
    pub(super) fn add(&mut self, qualified_name: &str, side: Side, schema: &Schema) -> Value {
        let document = SchemaDocument::new(schema);
        let prefixes = prefixes(qualified_name, side);
        let mut names = BTreeMap::new();
        let mut added = Vec::new();
        for address in document.reachable_from(ROOT).into_keys() {
            let source = document.reachable_from(&address);
            let name = self.name_for(&address, &prefixes, &source);
            if !self.schemas.contains_key(&name) {
                // A placeholder, until the names for the references in it are known.
                self.schemas.insert(name.clone(), Value::Null);
                self.sources.insert(name.clone(), source);
                added.push((address.clone(), name.clone()));
            }
            names.insert(address, name);
        }
        for (address, name) in added {
            let mut part = document.parts[&address].clone();
            for_each_reference(&mut part, &mut |reference| {
                if let Some((address, rest)) = document.resolve(reference) {
                    *reference = format!("#/components/schemas/{}{rest}", names[&address]);
                }
            });
            self.schemas.insert(name, part);
        }
        reference_to(&names[ROOT])
    }

    /// Returns the first name that is free or belongs to an equal schema.
    fn name_for(&self, address: &str, prefixes: &[String; 2], source: &Parts) -> String {
        let [model, side] = prefixes;
        let definition = address.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix(DEFINITIONS));
        let names = match definition.map(component_name) {
            None => vec![side.clone()],
            Some(own) => vec![own.clone(), format!("{model}{own}"), format!("{side}{own}")],
        };
        let numbered = (2..).map(|number| format!("{}{number}", names[names.len() - 1]));
        (names.iter().cloned().chain(numbered))
            .find(|name| !self.schemas.contains_key(name) || self.sources.get(name) == Some(source))
            .expect("there is a number that is not taken")
    }
}

/// Makes a reference, `{"$ref": "#/components/schemas/{name}"}`.
pub(super) fn reference_to(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A schema split into its parts.
struct SchemaDocument {
    parts: Parts,
}

impl SchemaDocument {
    fn new(schema: &Schema) -> Self {
        let mut root = schema.as_value().clone();
        let mut parts = Parts::new();
        if let Some(root) = root.as_object_mut() {
            root.shift_remove("$schema");
            if let Some(Value::Object(definitions)) = root.shift_remove("$defs") {
                let at = |(name, part)| (format!("{ROOT}{DEFINITIONS}{name}"), part);
                parts.extend(definitions.into_iter().map(at));
            }
        }
        parts.insert(ROOT.to_owned(), root);
        Self { parts }
    }

    /// Returns the part at `address` and all parts that it refers to, directly or indirectly.
    fn reachable_from(&self, address: &str) -> Parts {
        let mut reached = Parts::new();
        let mut waiting = vec![address.to_owned()];
        while let Some(address) = waiting.pop() {
            if reached.contains_key(&address) {
                continue;
            }
            let mut part = self.parts[&address].clone();
            for_each_reference(&mut part, &mut |reference| {
                waiting.extend(self.resolve(reference).map(|(address, _)| address));
            });
            reached.insert(address, part);
        }
        reached
    }

    /// Returns the part that a reference within this document leads to, and the rest of the path.
    fn resolve<'r>(&self, reference: &'r str) -> Option<(String, Cow<'r, str>)> {
        let pointer = reference.strip_prefix('#')?;
        if let Some(definition) = pointer.strip_prefix(DEFINITIONS) {
            let end = definition.find('/').unwrap_or(definition.len());
            let name = percent_decode_str(&definition[..end]).decode_utf8().ok()?;
            let name = name.replace("~1", "/").replace("~0", "~");
            let address = format!("{ROOT}{DEFINITIONS}{name}");
            if self.parts.contains_key(&address) {
                return Some((address, definition[end..].into()));
            }
        }
        // Anchors and other documents stay as they are.
        (pointer.is_empty() || pointer.starts_with('/')).then(|| (ROOT.to_owned(), pointer.into()))
    }
}

/// Calls `f` with each `$ref` of a schema, except in data such as examples.
pub(super) fn for_each_reference(schema: &mut Value, f: &mut impl FnMut(&mut String)) {
    match schema {
        Value::Object(members) => {
            for (keyword, value) in members {
                match (keyword.as_str(), value) {
                    ("$ref", Value::String(reference)) => f(reference),
                    ("const" | "enum" | "default" | "example" | "examples", _) => {}
                    (extension, _) if extension.starts_with("x-") => {}
                    (
                        "properties" | "patternProperties" | "dependentSchemas" | "$defs",
                        Value::Object(schemas),
                    ) => schemas.values_mut().for_each(|schema| for_each_reference(schema, f)),
                    (_, value) => for_each_reference(value, f),
                }
            }
        }
        Value::Array(schemas) => {
            schemas.iter_mut().for_each(|schema| for_each_reference(schema, f));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Makes the name of a component: `InsuranceChargesModelInput`.
fn prefixes(qualified_name: &str, side: Side) -> [String; 2] {
    let mut model = String::new();
    for word in qualified_name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        model.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        model.push_str(letters.as_str());
    }
    let side = match side {
        Side::Input => "Input",
        Side::Output => "Output",
    };
    let side = format!("{model}{side}");
    [model, side]
}

/// Replaces characters that OpenAPI does not permit in names of components.
fn component_name(name: &str) -> String {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if is_fine(c) { c } else { '_' }).collect()
}
