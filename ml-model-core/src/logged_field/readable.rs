//! The fields of a refused input that a record can still have.

use schemars::Schema;
use serde_json::Value;

use super::LoggedField;
use super::schema::kind_name;
use crate::sensitive::schema::SensitiveParts;

/// The logged fields of an input that can be read without the input's type: those that the schema describes
/// as single values and not as sensitive.
#[derive(Debug, Clone, Default)]
pub struct ReadableFields(Vec<ReadableField>);

#[derive(Debug, Clone)]
struct ReadableField {
    /// Path in the list of logged fields.
    listed: Vec<String>,
    /// Path in the JSON, where serde may give names another case.
    path: Vec<String>,
    /// Forms of the value; empty if the schema does not restrict it.
    forms: Vec<Value>,
}

impl ReadableFields {
    /// Finds the readable ones among the logged fields of an input.
    #[must_use]
    pub fn new(fields: &[LoggedField], schema: &Schema) -> Self {
        let sensitive = SensitiveParts::of(schema);
        let readable = fields.iter().filter_map(|field| {
            let found = field.find(schema).ok()?;
            let path = found.path.iter().map(String::as_str);
            if sensitive.as_ref().is_some_and(|parts| parts.hidden_at(path).is_some()) {
                return None;
            }
            let forms = found.forms.into_iter().cloned().collect();
            Some(ReadableField { listed: field.path.clone(), path: found.path, forms })
        });
        Self(readable.collect())
    }

    /// Reads the fields of a refused input. `value_at` returns the value at a path, which consists of names
    /// and indices.
    pub fn read(&self, value_at: impl Fn(&[String]) -> Option<Value>) -> RefusedFields {
        let fields = self.0.iter().filter_map(|field| {
            let value = value_at(&field.path)?;
            Some((field.listed.clone(), field.typed(value)?))
        });
        RefusedFields(fields.collect())
    }

    /// Reads the fields of a refused input that is a [`Value`].
    pub(crate) fn read_value(&self, input: &Value) -> RefusedFields {
        self.read(|path| {
            let mut value = input;
            for segment in path {
                value = match value {
                    Value::Array(items) => items.get(segment.parse::<usize>().ok()?)?,
                    other => other.get(segment)?,
                };
            }
            Some(value.clone())
        })
    }
}

impl ReadableField {
    /// Returns a value as the field's type writes it; `None` if it does not have that type.
    fn typed(&self, value: Value) -> Option<Value> {
        if matches!(value, Value::Array(_) | Value::Object(_)) {
            return None;
        }
        if self.forms.is_empty() {
            return Some(value);
        }
        self.forms.iter().find_map(|form| typed(form, &value))
    }
}

fn typed(form: &Value, value: &Value) -> Option<Value> {
    // Only the type itself knows whether a text has a format.
    if value.is_string() && form.get("format").is_some()
        || form.get("const").is_some_and(|only| only != value)
        || form
            .get("enum")
            .is_some_and(|listed| listed.as_array().is_some_and(|listed| !listed.contains(value)))
    {
        return None;
    }
    let kinds = match form.get("type") {
        Some(Value::Array(kinds)) => kinds.as_slice(),
        Some(kind) => std::slice::from_ref(kind),
        None => return Some(value.clone()),
    };
    kinds.iter().find_map(|kind| match (kind.as_str()?, value) {
        ("number", Value::Number(number)) => number.as_f64().map(Value::from),
        ("integer", Value::Number(number)) if !number.is_f64() => Some(value.clone()),
        // 30.0 is an integer in JSON Schema.
        ("integer", Value::Number(number)) => {
            let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
            let is_exact = float.abs() < (1_u64 << f64::MANTISSA_DIGITS) as f64;
            is_exact.then(|| Value::from(float as i64))
        }
        (kind, value) => (kind == kind_name(value)).then(|| value.clone()),
    })
}

/// Values of logged fields in a refused input, as [`ReadableFields`] finds them.
///
/// They are single values that have the type of the field. Texts with a format, such as dates, are left out,
/// because only the type of the field can read them. Sensitive fields are left out, too. The record has
/// `null` for a field that is left out.
#[derive(Debug, Clone, Default)]
pub struct RefusedFields(Vec<(Vec<String>, Value)>);

impl RefusedFields {
    /// Returns the value of a field.
    pub(crate) fn get(&self, field: &LoggedField) -> Option<&Value> {
        self.0.iter().find(|(path, _)| *path == field.path).map(|(_, value)| value)
    }
}
