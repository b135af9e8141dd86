//! From a JSON Schema (2020-12) to rules.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::pattern::Pattern;
use super::rules::{
    ArrayRule, Choice, Id, Member, NumberRule, ObjectRule, Range, Rule, Rules, TextRule, Types,
};
use crate::hosting::body::Parsed;

/// Keywords without which a schema would mean something else. A `$id` changes the meaning of references, except
/// in the root.
const UNSUPPORTED: [&str; 3] = ["$dynamicRef", "$recursiveRef", "$id"];

/// Compiles a schema and all schemas in it. The first one is the schema itself.
///
/// # Errors
///
/// Fails with place and reason if it is not valid, or uses a keyword that is not supported.
pub(super) fn compile(root: &Value) -> Result<Vec<Rules>, String> {
    let mut compiler = Compiler { root, schemas: Vec::new(), ids: HashMap::new() };
    compiler.schema(root, "")?;
    let schemas = compiler.schemas;
    let mut ended = vec![false; schemas.len()];
    for id in 0..schemas.len() {
        if applies_itself(&schemas, id, &mut vec![false; schemas.len()], &mut ended) {
            return Err("a schema refers to itself for the same value".to_owned());
        }
    }
    Ok(schemas)
}

/// Returns whether the check of a value by this schema would not end.
fn applies_itself(schemas: &[Rules], id: Id, open: &mut [bool], ended: &mut [bool]) -> bool {
    if open[id] || ended[id] {
        return open[id];
    }
    open[id] = true;
    let applied = schemas[id].iter().flat_map(|rule| match rule {
        Rule::Reference(id) | Rule::Not(id) => vec![*id],
        Rule::All(ids) | Rule::Any(ids) | Rule::One(ids) => ids.clone(),
        Rule::If { condition, then, otherwise } => {
            [Some(*condition), *then, *otherwise].into_iter().flatten().collect()
        }
        Rule::Object(rule) => rule.dependent_schemas.iter().map(|(_, id)| *id).collect(),
        _ => Vec::new(),
    });
    let found = applied.into_iter().any(|id| applies_itself(schemas, id, open, ended));
    (open[id], ended[id]) = (false, true);
    found
}

struct Compiler<'s> {
    root: &'s Value,
    schemas: Vec<Rules>,
    /// The schemas by address, so that each is compiled once, recursive ones included.
    ids: HashMap<*const Value, Id>,
}

impl<'s> Compiler<'s> {
    fn schema(&mut self, schema: &'s Value, place: &str) -> Result<Id, String> {
        let address = std::ptr::from_ref(schema);
        if let Some(id) = self.ids.get(&address) {
            return Ok(*id);
        }
        let id = self.schemas.len();
        self.ids.insert(address, id);
        self.schemas.push(Rules::new());
        self.schemas[id] = match schema {
            Value::Bool(true) => Rules::new(),
            Value::Bool(false) => vec![Rule::Never],
            Value::Object(keywords) => Keywords { keywords, place, compiler: self }.rules()?,
            _ => return Err(mistake(place, "expected a schema: an object or a boolean")),
        };
        Ok(id)
    }

    fn reference(&mut self, reference: &str, place: &str) -> Result<Id, String> {
        let pointer = reference
            .strip_prefix('#')
            .and_then(|pointer| percent_encoding::percent_decode_str(pointer).decode_utf8().ok());
        match pointer.as_deref().and_then(|pointer| self.root.pointer(pointer)) {
            Some(target) => self.schema(target, reference.trim_start_matches('#')),
            None => Err(mistake(
                place,
                &format!("`{reference}` does not refer to a part of this schema"),
            )),
        }
    }
}

fn mistake(place: &str, problem: &str) -> String {
    let place = if place.is_empty() { "/" } else { place };
    format!("at `{place}`: {problem}")
}

/// The keywords of one schema.
struct Keywords<'k, 's> {
    keywords: &'s Map<String, Value>,
    place: &'k str,
    compiler: &'k mut Compiler<'s>,
}

impl<'s> Keywords<'_, 's> {
    fn rules(mut self) -> Result<Rules, String> {
        for keyword in UNSUPPORTED {
            let is_root = self.place.is_empty();
            if self.keywords.contains_key(keyword) && !(is_root && keyword == "$id") {
                return Err(self.mistake(keyword, "this keyword is not supported"));
            }
        }
        let mut rules = Vec::new();
        rules.extend(self.types()?.map(Rule::Types));
        rules.extend(
            self.get("const", |value| Some(vec![choice(value)]), "a value")?.map(Rule::Options),
        );
        let options = self.list("enum")?.map(|values| values.iter().map(choice).collect());
        rules.extend(options.map(Rule::Options));
        for (keyword, rule) in [
            ("minimum", NumberRule::Minimum as fn(String) -> NumberRule),
            ("exclusiveMinimum", NumberRule::ExclusiveMinimum),
            ("maximum", NumberRule::Maximum),
            ("exclusiveMaximum", NumberRule::ExclusiveMaximum),
            ("multipleOf", NumberRule::MultipleOf),
        ] {
            let bound = self.get(keyword, |value| value.as_number(), "a number")?;
            rules.extend(bound.map(|bound| Rule::Number(rule(bound.to_string()))));
        }
        rules.extend(self.text()?.map(Rule::Text));
        rules.extend(self.array()?.map(Rule::Array));
        rules.extend(self.object()?.map(|rule| Rule::Object(Box::new(rule))));
        if let Some(reference) = self.get("$ref", Value::as_str, "text")? {
            rules.push(Rule::Reference(self.compiler.reference(reference, self.place)?));
        }
        rules.extend(self.schemas("allOf")?.map(Rule::All));
        rules.extend(self.schemas("anyOf")?.map(Rule::Any));
        rules.extend(self.schemas("oneOf")?.map(Rule::One));
        rules.extend(self.schema("not")?.map(Rule::Not));
        if let Some(condition) = self.schema("if")? {
            let (then, otherwise) = (self.schema("then")?, self.schema("else")?);
            rules.push(Rule::If { condition, then, otherwise });
        }
        Ok(rules)
    }

    fn types(&self) -> Result<Option<Types>, String> {
        let types = |value: &Value| match value {
            Value::String(name) => Types::of(name),
            Value::Array(names) => {
                let types: Option<Vec<_>> =
                    names.iter().map(|name| Types::of(name.as_str()?)).collect();
                types?.into_iter().reduce(|one, other| one | other)
            }
            _ => None,
        };
        self.get("type", types, "the name of a type or a list of such names")
    }

    fn text(&self) -> Result<Option<TextRule>, String> {
        let pattern = self.get("pattern", Value::as_str, "text")?;
        let pattern = pattern.map(|pattern| self.pattern("pattern", pattern)).transpose()?;
        let length = self.range("minLength", "maxLength")?;
        let is_present = pattern.is_some() || length.is_some();
        Ok(is_present.then(|| TextRule { length: length.unwrap_or_default(), pattern }))
    }

    fn array(&mut self) -> Result<Option<ArrayRule>, String> {
        let unique = self.get("uniqueItems", Value::as_bool, "a boolean")?;
        let length = self.range("minItems", "maxItems")?;
        let first = self.schemas("prefixItems")?;
        let items = self.schema("items")?;
        let contained = self.range("minContains", "maxContains")?.unwrap_or_default();
        let contained = Range { least: contained.least.or(Some(1)), ..contained };
        let contains = self.schema("contains")?.map(|schema| (schema, contained));
        let unevaluated = self.schema("unevaluatedItems")?;
        let is_present = unique.is_some()
            || length.is_some()
            || first.is_some()
            || [items, contains.map(|(schema, _)| schema), unevaluated].iter().any(Option::is_some);
        Ok(is_present.then(|| ArrayRule {
            length: length.unwrap_or_default(),
            is_unique: unique.unwrap_or_default(),
            first: first.unwrap_or_default(),
            items,
            contains,
            unevaluated,
        }))
    }

    fn object(&mut self) -> Result<Option<ObjectRule>, String> {
        const KEYWORDS: [&str; 10] = [
            "minProperties",
            "maxProperties",
            "properties",
            "required",
            "patternProperties",
            "additionalProperties",
            "propertyNames",
            "dependentRequired",
            "dependentSchemas",
            "unevaluatedProperties",
        ];
        if !KEYWORDS.iter().any(|keyword| self.keywords.contains_key(*keyword)) {
            return Ok(None);
        }
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        for (name, schema) in self.named_schemas("properties")? {
            members.entry(name.to_owned()).or_default().schema = Some(schema);
        }
        let mut required = Vec::new();
        for name in self.list("required")?.into_iter().flatten() {
            let name = self.name("required", name)?.to_owned();
            let member = members.entry(name.clone()).or_default();
            if !member.is_required {
                member.is_required = true;
                required.push(name);
            }
        }
        let patterns = self.named_schemas("patternProperties")?.into_iter();
        let patterns = patterns
            .map(|(source, schema)| Ok((self.pattern("patternProperties", source)?, schema)));
        let patterns = patterns.collect::<Result<_, String>>()?;
        let mut dependent = Vec::new();
        for (name, names) in self.map("dependentRequired")? {
            let names = names
                .as_array()
                .ok_or_else(|| self.mistake("dependentRequired", "expected lists of names"))?;
            let names =
                names.iter().map(|name| Ok(self.name("dependentRequired", name)?.to_owned()));
            dependent.push((name.to_owned(), names.collect::<Result<_, String>>()?));
        }
        let dependent_schemas = self.named_schemas("dependentSchemas")?.into_iter();
        Ok(Some(ObjectRule {
            length: self.range("minProperties", "maxProperties")?.unwrap_or_default(),
            members,
            required,
            patterns,
            additional: self.schema("additionalProperties")?,
            names: self.schema("propertyNames")?,
            dependent,
            dependent_schemas: dependent_schemas.map(|(name, id)| (name.to_owned(), id)).collect(),
            unevaluated: self.schema("unevaluatedProperties")?,
        }))
    }

    fn mistake(&self, keyword: &str, problem: &str) -> String {
        mistake(&format!("{}/{keyword}", self.place), problem)
    }

    /// Reads the value of a keyword, if it is present.
    fn get<T>(
        &self,
        keyword: &str,
        read: impl FnOnce(&'s Value) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.keywords.get(keyword) else { return Ok(None) };
        let problem = || self.mistake(keyword, &format!("expected {expected}"));
        read(value).ok_or_else(problem).map(Some)
    }

    fn list(&self, keyword: &str) -> Result<Option<&'s Vec<Value>>, String> {
        self.get(keyword, Value::as_array, "a list")
    }

    fn name(&self, keyword: &str, name: &'s Value) -> Result<&'s str, String> {
        name.as_str().ok_or_else(|| self.mistake(keyword, "expected names"))
    }

    fn map(
        &self,
        keyword: &str,
    ) -> Result<impl Iterator<Item = (&'s str, &'s Value)> + use<'s>, String> {
        let map = self.get(keyword, Value::as_object, "an object")?;
        Ok(map.into_iter().flatten().map(|(name, value)| (name.as_str(), value)))
    }

    fn range(&self, least: &str, most: &str) -> Result<Option<Range>, String> {
        // 3.0 is an integer in JSON Schema.
        let count = |value: &Value| {
            let whole = || value.as_f64().filter(|count| count.fract() == 0.0 && *count >= 0.0);
            value.as_u64().or_else(|| whole().map(|count| count as u64))
        };
        let least = self.get(least, count, "a number of 0 or more")?;
        let most = self.get(most, count, "a number of 0 or more")?;
        Ok((least.is_some() || most.is_some()).then_some(Range { least, most }))
    }

    fn pattern(&self, keyword: &str, source: &str) -> Result<Pattern, String> {
        Pattern::new(source).map_err(|problem| self.mistake(keyword, &problem))
    }

    fn schema(&mut self, keyword: &str) -> Result<Option<Id>, String> {
        let Some(schema) = self.keywords.get(keyword) else { return Ok(None) };
        self.compiler.schema(schema, &format!("{}/{keyword}", self.place)).map(Some)
    }

    fn schemas(&mut self, keyword: &str) -> Result<Option<Vec<Id>>, String> {
        let Some(schemas) = self.list(keyword)? else { return Ok(None) };
        let schemas = schemas.iter().enumerate().map(|(index, schema)| {
            self.compiler.schema(schema, &format!("{}/{keyword}/{index}", self.place))
        });
        schemas.collect::<Result<_, _>>().map(Some)
    }

    fn named_schemas(&mut self, keyword: &str) -> Result<Vec<(&'s str, Id)>, String> {
        let mut schemas = Vec::new();
        for (name, schema) in self.map(keyword)? {
            let place = format!("{}/{keyword}/{name}", self.place);
            schemas.push((name, self.compiler.schema(schema, &place)?));
        }
        Ok(schemas)
    }
}

fn choice(value: &Value) -> Choice {
    let shown = value.to_string();
    let canonical = Parsed::new(shown.as_bytes()).map(|parsed| parsed.body().canonical());
    Choice {
        text: value.as_str().map(str::to_owned),
        canonical: canonical.unwrap_or_else(|_| shown.clone()),
        shown,
    }
}
