//! Texts with the same value as a body, or without a member of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::index::Kind;
use super::{Body, Number, Value};

impl<'b> Body<'b> {
    /// Returns whether an object in the value has several members with the same name.
    pub(super) fn has_repeated_names(self) -> bool {
        let objects =
            self.entries.iter().enumerate().filter(|(_, entry)| entry.kind == Kind::Object);
        let objects = objects.map(|(index, entry)| {
            let entries = &self.entries[index..index + entry.count as usize];
            Body { text: self.text, entries }
        });
        objects.into_iter().any(Self::repeats_a_name)
    }

    fn repeats_a_name(self) -> bool {
        // Comparing all pairs is fastest for few names.
        const FEW: usize = 16;
        let names = self.names();
        let is_simple = names.clone().all(|name| name.entries[0].kind == Kind::Plain);
        if is_simple && names.clone().nth(FEW).is_none() {
            let mut before = names.clone().enumerate();
            return before.any(|(index, name)| {
                names.clone().take(index).any(|other| other.bytes() == name.bytes())
            });
        }
        let mut distinct = HashSet::new();
        !names.into_iter().all(|name| distinct.insert(name.unquoted()))
    }

    /// Writes the value with each name at its first position, with its last value.
    pub(super) fn with_distinct_names(self) -> String {
        let mut text = String::with_capacity(self.text().len());
        self.write_with_distinct_names(&mut text);
        text
    }

    fn write_with_distinct_names(self, text: &mut String) {
        match self.entries[0].kind {
            Kind::Array => {
                text.push('[');
                for (index, item) in self.items().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    item.write_with_distinct_names(text);
                }
                text.push(']');
            }
            Kind::Object => {
                let last: HashMap<_, _> = self.members().collect();
                let mut written = HashSet::new();
                text.push('{');
                for (spelled, _) in self.spelled_members() {
                    let name = spelled.unquoted();
                    let value = last[&name];
                    if written.contains(&name) {
                        continue;
                    }
                    text.push_str(if written.is_empty() { "" } else { "," });
                    text.push_str(spelled.text());
                    text.push(':');
                    value.write_with_distinct_names(text);
                    written.insert(name);
                }
                text.push('}');
            }
            _ => text.push_str(self.text()),
        }
    }

    /// Writes the value as a model reads it: without the member of this name, and whole numbers such as 30.0
    /// and 3e1 as integers if `with_integers`. In JSON Schema they are integers, for serde they are not.
    /// No number changes its value.
    pub(crate) fn for_model(self, without: Option<&str>, with_integers: bool) -> Cow<'b, str> {
        if without.is_none() && !with_integers {
            return Cow::Borrowed(self.text());
        }
        let mut text = String::with_capacity(self.text().len());
        if without.is_none() {
            self.write(with_integers, &mut text);
            return text.into();
        }
        for (name, value) in self.spelled_members() {
            if Some(&*name.unquoted()) == without {
                continue;
            }
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(name.text());
            text.push(':');
            value.write(with_integers, &mut text);
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        text.into()
    }

    fn write(self, with_integers: bool, text: &mut String) {
        let whole = self.entries[0];
        let mut copied = whole.start as usize;
        let numbers = self.entries.iter().filter(|entry| entry.kind == Kind::Number);
        for entry in numbers.filter(|_| with_integers) {
            let (start, end) = (entry.start as usize, entry.end as usize);
            if let Some(integer) = Number(&self.text[start..end]).written_as_integer() {
                text.push_str(&self.text[copied..start]);
                text.push_str(&integer);
                copied = end;
            }
        }
        text.push_str(&self.text[copied..whole.end as usize]);
    }

    /// Writes the value in such a way that equal values have the same text.
    pub(crate) fn canonical(self) -> String {
        match self.value() {
            Value::Null | Value::Boolean => self.text().to_owned(),
            Value::Number(number) => number.canonical(),
            Value::String(text) => serde_json::Value::from(text).to_string(),
            Value::Array => {
                let items: Vec<_> = self.items().map(Self::canonical).collect();
                format!("[{}]", items.join(","))
            }
            Value::Object => {
                let member = |(name, value): (Cow<'_, str>, Self)| {
                    format!("{}:{}", serde_json::Value::from(name), value.canonical())
                };
                let mut members: Vec<_> = self.members().map(member).collect();
                members.sort_unstable();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}
