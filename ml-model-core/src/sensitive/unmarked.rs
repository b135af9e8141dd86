//! Finds [`Sensitive`](super::Sensitive) values that the schema of their type does not mark.
//!
//! `#[schemars(with = "...")]` replaces the schema of a field without its type. A type is not inspected: it
//! reads bodies that are wrong at one place, and the message of a sensitive value is recognised.

use schemars::Schema;
use serde_json::{Value, json};

use super::schema::{NOT_VALID, expand, is_marked};
use crate::error::Violation;

/// Values of which a type accepts one at most, unless it accepts any value.
const WRONG: [Value; 2] = [Value::Bool(false), Value::String(String::new())];

/// Returns the paths of sensitive values that `schema` does not mark. `read` reads a body and returns the
/// violation in it.
pub(crate) fn unmarked(schema: &Schema, read: &dyn Fn(&str) -> Option<Violation>) -> Vec<String> {
    let root = schema.as_value();
    let mut search = Search { root, read, seen: Vec::new(), found: Vec::new() };
    search.visit(root, &mut Vec::new());
    search.found
}

struct Search<'s> {
    /// The whole schema, which references point into.
    root: &'s Value,
    read: &'s dyn Fn(&str) -> Option<Violation>,
    /// Schemas visited before. A type that occurs twice is visited once.
    seen: Vec<&'s Value>,
    found: Vec<String>,
}

/// A step from a value to a value inside it.
#[derive(Clone, Copy)]
enum Step<'s> {
    Member(&'s str),
    FirstItem,
}

impl<'s> Search<'s> {
    /// Visits `schema`, the part of the root at `path`.
    fn visit(&mut self, schema: &'s Value, path: &mut Vec<Step<'s>>) {
        let mut forms = Vec::new();
        expand(self.root, schema, &mut forms);
        if forms.iter().any(|form| is_marked(form)) {
            return;
        }
        if self.is_sensitive(path) {
            self.found.push(names(path).join("."));
            return;
        }
        for form in forms {
            if self.seen.iter().any(|seen| std::ptr::eq(*seen, form)) {
                continue;
            }
            self.seen.push(form);
            for (name, inner) in
                form.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                self.visit_inner(Step::Member(name), inner, path);
            }
            for (key, step) in
                [("additionalProperties", Step::Member("*")), ("items", Step::FirstItem)]
            {
                if let Some(inner) = form.get(key) {
                    self.visit_inner(step, inner, path);
                }
            }
        }
    }

    fn visit_inner(&mut self, step: Step<'s>, inner: &'s Value, path: &mut Vec<Step<'s>>) {
        path.push(step);
        self.visit(inner, path);
        path.pop();
    }

    /// Returns whether the message about a wrong value at `path` is that of a sensitive value.
    fn is_sensitive(&self, path: &[Step<'_>]) -> bool {
        WRONG.into_iter().any(|wrong| {
            let body = path.iter().rev().fold(wrong, |inner, step| match step {
                Step::Member(name) => json!({*name: inner}),
                Step::FirstItem => json!([inner]),
            });
            (self.read)(&body.to_string()).is_some_and(|violation| {
                violation.message == NOT_VALID && violation.segments().eq(names(path))
            })
        })
    }
}

/// Returns the segments of a path.
fn names<'p>(path: &[Step<'p>]) -> Vec<&'p str> {
    let name = |step: &Step<'p>| match step {
        Step::Member(name) => *name,
        Step::FirstItem => "0",
    };
    path.iter().map(name).collect()
}
