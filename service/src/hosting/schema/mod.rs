//! The input schema as the contract for bodies.
//!
//! The validators that exist collect all mistakes in a body, each with a copy of the invalid value: a body of
//! 1 MB can have 350,000 of them. This one stops where nothing more is reported, and limits its steps.
//! `jsonschema` is the reference of its tests.
//!
//! | module | contents |
//! |---|---|
//! | `compile` | from a JSON Schema to rules |
//! | `rules` | the rules of a schema |
//! | `pattern` | regular expressions |
//! | `check` | checks of a body against the rules |
//! | `explain` | the mistakes to report where a schema takes alternatives |
//! | `mistakes` | mistakes, their places and messages |

mod check;
mod compile;
mod explain;
mod mistakes;
mod pattern;
mod rules;

use std::ops::ControlFlow;

use ml_model_core::{SensitiveParts, Violation};
use schemars::Schema;
use serde_json::Value;

use super::body::Body;
use super::shorten::MOST_MESSAGES;
use check::{Check, Found, steps_for};
use mistakes::{Mistake, Path};
pub(crate) use pattern::Pattern;
use rules::{Rule, Rules};

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct JsonSchema {
    schemas: Vec<Rules>,
    /// `None` if no part of the values is sensitive.
    sensitive: Option<SensitiveParts>,
}

/// Result of the check of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    Valid {
        /// Whether integers are written in another way, such as 30.0.
        has_other_integers: bool,
    },
    Invalid(Vec<Violation>),
}

impl JsonSchema {
    /// Compiles `schema`.
    ///
    /// # Errors
    ///
    /// Fails if it is not a valid JSON Schema, with place and reason.
    pub(crate) fn new(schema: &Value) -> Result<Self, String> {
        let schemas = compile::compile(schema)?;
        let sensitive = Schema::try_from(schema.clone()).ok();
        Ok(Self { schemas, sensitive: sensitive.and_then(|schema| SensitiveParts::of(&schema)) })
    }

    /// Returns whether `body` is valid.
    pub(crate) fn is_valid(&self, body: Body<'_>) -> bool {
        self.start(body).is_valid(0, body)
    }

    /// Checks `body`. The last violation counts the remaining ones if there are many, so that the answer
    /// and the record stay small.
    pub(crate) fn check(&self, body: Body<'_>) -> Validity {
        let mut check = self.start(body);
        if check.is_valid(0, body) {
            return Validity::Valid { has_other_integers: check.has_other_integers };
        }
        let mut reported = Reported::default();
        let ended = check.check(0, body, &Path::ROOT, &mut reported);
        let Reported { mut violations, more } = reported;
        let remaining = match ended {
            ControlFlow::Continue(()) if more == 0 => None,
            ControlFlow::Continue(()) => Some(format!("and {more} more")),
            ControlFlow::Break(()) => Some(
                "there are too many alternatives to check them all: send smaller parts".to_owned(),
            ),
        };
        violations.extend(remaining.map(|remaining| Violation::new("", remaining)));
        Validity::Invalid(violations)
    }

    /// Starts a check, whose steps are limited: alternatives in alternatives may need a number of steps that
    /// is exponential in the depth of the body, for serde as well. Without recursive types the limit is
    /// not reached.
    fn start(&self, body: Body<'_>) -> Check<'_> {
        const STEPS: usize = 100_000;
        let alternatives = |rule: &Rule| match rule {
            Rule::Any(alternatives) | Rule::One(alternatives) => alternatives.len(),
            _ => 0,
        };
        let widest = self.schemas.iter().flatten().map(alternatives).max();
        let parts = steps_for(body.text()) + 2 * body.values();
        Check::new(
            &self.schemas,
            self.sensitive.as_ref(),
            STEPS + parts * (4 + widest.unwrap_or(0)),
        )
    }
}

/// Collects the first mistakes and counts the others.
#[derive(Default)]
struct Reported {
    violations: Vec<Violation>,
    more: usize,
}

impl<'s, 'b> Found<'s, 'b> for Reported {
    fn add(&mut self, mistake: &dyn Fn() -> Mistake<'s, 'b>) -> ControlFlow<()> {
        match self.explains() {
            true => self.violations.push(mistake().violation()),
            false => self.more += 1,
        }
        ControlFlow::Continue(())
    }

    fn explains(&self) -> bool {
        self.violations.len() < MOST_MESSAGES
    }
}

#[cfg(test)]
mod tests;
