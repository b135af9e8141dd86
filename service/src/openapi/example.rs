//! Example values for a schema.
//!
//! The examples, defaults and choices of the schema come first, then values made from types and bounds.
//! Every value is validated against the whole schema: a keyword that is unknown here leads to no example,
//! not to a wrong one.

use std::cell::Cell;

use serde_json::{Map, Number, Value};

use crate::hosting::body::Parsed;
use crate::hosting::schema::{Pattern, Validator};

/// Maximum number of steps of a search.
const STEPS: usize = 20_000;
/// Maximum number of combinations of choices.
const WAYS: usize = 32;
/// Maximum number of items, members and characters of an example.
const LONGEST: u64 = 1000;
/// Keywords of a map.
const MAPS: [&str; 2] = ["additionalProperties", "patternProperties"];

/// Finds a value that `schema` accepts.
pub(super) fn of(schema: &Value) -> Option<Value> {
    let validator = Validator::new(schema).ok()?;
    let tries = [(true, true), (false, true), (true, false), (false, false)];
    tries.into_iter().find_map(|(with_authors, with_optional)| {
        let steps = Cell::new(0);
        let search = Search { root: schema, with_authors, with_optional, steps };
        let ways = search.ways(schema, &["#"]);
        let mut values = ways.iter().filter_map(|way| search.value(way));
        values.find(|value| is_valid(&validator, value))
    })
}

fn is_valid(schema: &Validator, value: &Value) -> bool {
    let text = value.to_string();
    Parsed::new(text.as_bytes()).is_ok_and(|parsed| schema.is_valid(parsed.body()))
}

/// One search for a value.
struct Search<'s> {
    root: &'s Value,
    /// Whether to use the examples and defaults of the schema.
    with_authors: bool,
    with_optional: bool,
    steps: Cell<usize>,
}

/// One combination of the choices in a schema.
#[derive(Clone)]
struct Way<'s> {
    /// Schemas that a value must satisfy, each without its references and choices.
    schemas: Vec<&'s Map<String, Value>>,
    /// The references from the root to here. None is followed twice: either the recursive part of a type
    /// is optional, or no value exists.
    path: Vec<&'s str>,
}

impl<'s> Search<'s> {
    fn find(&self, schema: &'s Value, inside: &Way<'s>) -> Option<Value> {
        self.ways(schema, &inside.path).iter().find_map(|way| self.value(way))
    }

    /// Returns the combinations of choices in a schema, in order.
    fn ways(&self, schema: &'s Value, path: &[&'s str]) -> Vec<Way<'s>> {
        self.steps.update(|steps| steps + 1);
        let way = Way { schemas: Vec::new(), path: path.to_owned() };
        let schema = match schema {
            Value::Object(schema) if self.steps.get() < STEPS => schema,
            Value::Bool(true) => return vec![way],
            _ => return Vec::new(),
        };
        let mut ways = vec![Way { schemas: vec![schema], ..way }];
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.resolve(reference).filter(|_| !path.contains(&reference));
            let path = [path, &[reference]].concat();
            ways = both(&ways, &target.map_or(Vec::new(), |target| self.ways(target, &path)));
        }
        for part in list(schema, "allOf") {
            ways = both(&ways, &self.ways(part, path));
        }
        for choice in ["oneOf", "anyOf"].into_iter().filter(|choice| schema.contains_key(*choice)) {
            let branches = list(schema, choice).iter();
            let branches: Vec<_> = branches.flat_map(|branch| self.ways(branch, path)).collect();
            ways = both(&ways, &branches);
        }
        ways
    }

    fn resolve(&self, reference: &str) -> Option<&'s Value> {
        let pointer = percent_encoding::percent_decode_str(reference.strip_prefix('#')?);
        self.root.pointer(&pointer.decode_utf8().ok()?)
    }

    fn value(&self, way: &Way<'s>) -> Option<Value> {
        if let Some(value) = self.given(way) {
            return Some(value.clone());
        }
        match type_of(way)? {
            "null" => Some(Value::Null),
            "boolean" => Some(Value::Bool(true)),
            "integer" => integer(way),
            "number" => number(way),
            "string" => string(way),
            "array" => self.array(way),
            _ => self.object(way),
        }
    }

    /// Returns a value that the schema contains.
    fn given(&self, way: &Way<'s>) -> Option<&'s Value> {
        let allowed = |value: &Value| {
            way.schemas.iter().all(|schema| {
                schema.get("const").is_none_or(|only| only == value)
                    && (!schema.contains_key("enum") || list(schema, "enum").contains(value))
            })
        };
        let required = way
            .schemas
            .iter()
            .flat_map(|schema| schema.get("const").into_iter().chain(list(schema, "enum")));
        let authors = way.schemas.iter().filter(|_| self.with_authors).flat_map(|schema| {
            let one = ["example", "default"].into_iter().filter_map(|key| schema.get(key));
            list(schema, "examples").iter().chain(one)
        });
        // `null` is not a helpful example; the type makes it one where nothing else is valid.
        authors.chain(required).find(|value| !value.is_null() && allowed(value))
    }

    fn array(&self, way: &Way<'s>) -> Option<Value> {
        let least = most_demanding(way, "minItems", u64::max).unwrap_or(0);
        let most = most_demanding(way, "maxItems", u64::min).unwrap_or(u64::MAX);
        let first: Vec<_> =
            way.schemas.iter().flat_map(|schema| list(schema, "prefixItems")).collect();
        let wanted = least.max(if self.with_optional { 1 } else { 0 }).max(first.len() as u64);
        let others: Vec<_> = way.schemas.iter().filter_map(|schema| schema.get("items")).collect();
        let is_set =
            way.schemas.iter().any(|schema| schema.get("uniqueItems") == Some(&Value::Bool(true)));
        let mut items = Vec::new();
        for index in 0..wanted.min(most).min(LONGEST) as usize {
            let item = match (first.get(index), others.first()) {
                (Some(schema), _) | (None, Some(schema)) => self.find(schema, way),
                (None, None) => Some(Value::from("item")),
            };
            match item {
                Some(item) => items.push(if is_set { distinct(item, index) } else { item }),
                None if index as u64 >= least => break,
                None => return None,
            }
        }
        Some(Value::Array(items))
    }

    fn object(&self, way: &Way<'s>) -> Option<Value> {
        let required: Vec<_> =
            way.schemas.iter().flat_map(|schema| list(schema, "required")).collect();
        let mut members = Map::new();
        for (name, schema) in way.schemas.iter().flat_map(|schema| members_of(schema, "properties"))
        {
            if members.contains_key(name) {
                continue;
            }
            let is_required = required.iter().any(|required| *required == name);
            if is_required || self.with_optional {
                match self.find(schema, way) {
                    Some(value) => drop(members.insert(name.clone(), value)),
                    None if is_required => return None,
                    None => {}
                }
            }
        }
        for name in required.iter().filter_map(|name| name.as_str()) {
            if !members.contains_key(name) {
                members.insert(name.to_owned(), self.further_member(way)?);
            }
        }
        let is_map = members.is_empty()
            && way.schemas.iter().any(|schema| MAPS.iter().any(|map| schema.contains_key(*map)));
        let shown = u64::from(is_map && self.with_optional);
        let least = most_demanding(way, "minProperties", u64::max).unwrap_or(0).min(LONGEST);
        let most = most_demanding(way, "maxProperties", u64::min).unwrap_or(u64::MAX);
        let mut further = names(way);
        while (members.len() as u64) < least.max(shown).min(most) {
            match (further.next(), self.further_member(way)) {
                (Some(name), Some(value)) => drop(members.insert(name, value)),
                _ => break,
            }
        }
        Some(Value::Object(members))
    }

    /// Makes the value of a member without a schema of its own.
    fn further_member(&self, way: &Way<'s>) -> Option<Value> {
        let patterns =
            way.schemas.iter().flat_map(|schema| members_of(schema, "patternProperties"));
        let others = way.schemas.iter().filter_map(|schema| schema.get("additionalProperties"));
        match patterns.map(|(_, schema)| schema).chain(others).next() {
            Some(Value::Bool(true)) | None => Some(Value::from("value")),
            Some(schema) => self.find(schema, way),
        }
    }
}

/// Combines one of each.
fn both<'s>(these: &[Way<'s>], those: &[Way<'s>]) -> Vec<Way<'s>> {
    let pairs = those.iter().flat_map(|that| these.iter().map(move |this| (this, that)));
    let pairs = pairs.map(|(this, that)| {
        let mut both = this.clone();
        both.schemas.extend(&that.schemas);
        let new = that.path.iter().filter(|reference| !this.path.contains(reference));
        both.path.extend(new);
        both
    });
    pairs.take(WAYS).collect()
}

fn list<'s>(schema: &'s Map<String, Value>, keyword: &str) -> &'s [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn members_of<'s>(
    schema: &'s Map<String, Value>,
    keyword: &str,
) -> impl Iterator<Item = (&'s String, &'s Value)> {
    schema.get(keyword).and_then(Value::as_object).into_iter().flatten()
}

fn most_demanding(way: &Way<'_>, keyword: &str, demand: fn(u64, u64) -> u64) -> Option<u64> {
    way.schemas.iter().filter_map(|schema| schema.get(keyword)?.as_u64()).reduce(demand)
}

/// Returns the type that all schemas of a combination permit, or that their keywords imply.
fn type_of(way: &Way<'_>) -> Option<&'static str> {
    const TYPES: [(&str, &[&str]); 7] = [
        ("object", &["properties", "required", "additionalProperties", "patternProperties"]),
        ("array", &["items", "prefixItems", "minItems"]),
        ("string", &["pattern", "format", "minLength", "maxLength"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
        ("integer", &[]),
        ("boolean", &[]),
        ("null", &[]),
    ];
    let is_one =
        |known: &str, name: &str| known == name || (known == "number" && name == "integer");
    let fits = |name: &str| {
        way.schemas.iter().filter_map(|schema| schema.get("type")).all(|known| match known {
            Value::Array(several) => {
                several.iter().filter_map(Value::as_str).any(|known| is_one(known, name))
            }
            known => known.as_str().is_some_and(|known| is_one(known, name)),
        })
    };
    let is_about = |keywords: &[&str]| {
        way.schemas
            .iter()
            .any(|schema| keywords.iter().any(|keyword| schema.contains_key(*keyword)))
    };
    let fitting = || TYPES.iter().filter(|(name, _)| fits(name));
    let found = fitting().find(|(_, keywords)| is_about(keywords)).or_else(|| {
        // Any value is valid.
        fitting().find(|(name, _)| *name == "string").or_else(|| fitting().next())
    });
    found.map(|(name, _)| *name)
}

fn distinct(item: Value, index: usize) -> Value {
    match item {
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::from(integer.saturating_add(index as i64)),
            None => Value::from(number.as_f64().unwrap_or_default() + index as f64),
        },
        Value::String(text) if index > 0 => Value::String(format!("{text}{index}")),
        item => item,
    }
}

/// Makes names for the members of a map.
fn names(way: &Way<'_>) -> impl Iterator<Item = String> {
    let pattern =
        way.schemas.iter().flat_map(|schema| members_of(schema, "patternProperties")).next();
    let pattern = pattern.and_then(|(pattern, _)| matcher(pattern));
    let numbered = (2..=LONGEST).map(|number| format!("key{number}"));
    let key = std::iter::once("key".to_owned());
    // Similar names, unless a pattern requires others.
    key.chain(numbered)
        .chain(samples())
        .filter(move |name| pattern.as_ref().is_none_or(|pattern| pattern.matches(name)))
}

/// Example texts by format.
const FORMATS: [(&str, &str); 17] = [
    ("uuid", "05351f67-d5bd-4302-b762-1d9dfe251f99"),
    ("date", "2026-01-31"),
    ("date-time", "2026-01-31T12:30:00Z"),
    ("partial-date-time", "2026-01-31T12:30:00"),
    ("time", "12:30:00Z"),
    ("partial-time", "12:30:00"),
    ("duration", "PT1H30M"),
    ("email", "name@example.com"),
    ("hostname", "example.com"),
    ("uri", "https://example.com/"),
    ("url", "https://example.com/"),
    ("uri-reference", "/path"),
    ("ipv4", "192.0.2.1"),
    ("ip", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("byte", "dGV4dA=="),
    ("regex", "^a+$"),
];

/// Further texts that common patterns accept.
const TEXTS: [&str; 9] = ["a", "A", "AB", "ABC", "1", "12", "123", "1234", "12345"];

fn samples() -> impl Iterator<Item = String> {
    let formats = FORMATS.iter().map(|(_, sample)| *sample);
    TEXTS.into_iter().chain(formats).map(str::to_owned)
}

fn matcher(pattern: &str) -> Option<Pattern> {
    Pattern::new(pattern).ok()
}

fn string(way: &Way<'_>) -> Option<Value> {
    let texts =
        |keyword| way.schemas.iter().filter_map(move |schema| schema.get(keyword)?.as_str());
    let least = most_demanding(way, "minLength", u64::max).unwrap_or(0);
    let most = most_demanding(way, "maxLength", u64::min).unwrap_or(u64::MAX);
    if least > LONGEST {
        return None;
    }
    let patterns = texts("pattern").map(matcher).collect::<Option<Vec<_>>>()?;
    let format = texts("format").next().unwrap_or_default();
    let of_format = FORMATS.iter().filter(|(known, _)| *known == format);
    let of_format = of_format.map(|(_, sample)| (*sample).to_owned());
    let of_length = "string".chars().cycle().take(least.max(6).min(most) as usize).collect();
    of_format.chain([of_length]).chain(samples()).find_map(|text: String| {
        // The texts are ASCII: characters are bytes.
        let is_long_enough = (least..=most).contains(&(text.len() as u64));
        let fits = is_long_enough && patterns.iter().all(|pattern| pattern.matches(&text));
        fits.then(|| Value::from(text))
    })
}

/// Returns the tightest bounds. `step` is the distance of a value from an excluded bound.
fn bounds(way: &Way<'_>, step: f64) -> (Option<f64>, Option<f64>) {
    let all = |keyword: &'static str| {
        way.schemas.iter().filter_map(move |schema| schema.get(keyword)?.as_f64())
    };
    let least = all("minimum").chain(all("exclusiveMinimum").map(|bound| bound + step));
    let most = all("maximum").chain(all("exclusiveMaximum").map(|bound| bound - step));
    (least.reduce(f64::max), most.reduce(f64::min))
}

fn number(way: &Way<'_>) -> Option<Value> {
    let (least, most) = match bounds(way, 0.0) {
        (Some(least), Some(most)) if most - least < 1.0 => (Some(least), Some(most)),
        // Not at the bounds, which may be excluded.
        _ => bounds(way, 0.5),
    };
    let middle = between(least, most, 1.5);
    let step =
        way.schemas.iter().filter_map(|schema| schema.get("multipleOf")?.as_f64()).reduce(f64::max);
    let value = step.map_or(middle, |step| (middle / step).round() * step);
    Number::from_f64(value).map(Value::Number)
}

fn integer(way: &Way<'_>) -> Option<Value> {
    let (least, most) = bounds(way, 1.0);
    let (least, most) = (least.map(f64::ceil), most.map(f64::floor));
    let step =
        way.schemas.iter().filter_map(|schema| schema.get("multipleOf")?.as_f64()).reduce(f64::max);
    let step = step.unwrap_or(1.0);
    let down = (between(least, most, 1.0) / step).floor() * step;
    let value = if least.is_some_and(|least| down < least) { down + step } else { down };
    // A bound of a 64-bit type is rounded as a float: a value at the bound may be outside.
    (value.abs() < i64::MAX as f64).then(|| Value::from(value as i64))
}

/// Chooses a common value within the bounds, else the middle, or the value next to the only bound.
fn between(least: Option<f64>, most: Option<f64>, usual: f64) -> f64 {
    match (least, most) {
        // The middle of the range of a type is not a helpful example.
        (Some(least), Some(most)) if most - least > 1e6 => usual.clamp(least, most),
        (Some(least), Some(most)) => least + (most - least) / 2.0,
        (Some(least), None) => usual.max(least),
        (None, Some(most)) => usual.min(most),
        (None, None) => usual,
    }
}
