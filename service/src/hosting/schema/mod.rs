//! The input schema as the contract for bodies.
//!
//! Existing validators collect all mistakes in a body, each with a copy of the invalid value. This one stops at
//! the number of mistakes that is reported, and limits its steps. Tests compare it with `jsonschema`.
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
use super::shorten::{MOST_MESSAGES, MessageSpace, left_out};
use check::{Check, Found, steps_for};
use mistakes::{Mistake, Path};
pub(crate) use pattern::Pattern;
use rules::{Rule, Rules};

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Validator {
    schemas: Vec<Rules>,
    most_alternatives: usize,
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

impl Validator {
    /// Compiles `schema`.
    ///
    /// # Errors
    ///
    /// Fails if it is not a valid JSON Schema, with place and reason.
    pub(crate) fn new(schema: &Value) -> Result<Self, String> {
        let schemas = compile::compile(schema)?;
        let alternatives = |rule: &Rule| match rule {
            Rule::Any(alternatives) | Rule::One(alternatives) => alternatives.len(),
            _ => 0,
        };
        let most_alternatives = schemas.iter().flatten().map(alternatives).max().unwrap_or(0);
        let sensitive = Schema::try_from(schema.clone()).ok();
        let sensitive = sensitive.and_then(|schema| SensitiveParts::of(&schema));
        Ok(Self { schemas, most_alternatives, sensitive })
    }

    /// Returns whether `body` is valid.
    pub(crate) fn is_valid(&self, body: Body<'_>) -> bool {
        self.start(body).is_valid(0, body)
    }

    /// Checks `body`. The last violation counts those for which `space` is too small, so that the answer and the
    /// records stay small.
    pub(crate) fn check(&self, body: Body<'_>, space: &mut MessageSpace) -> Validity {
        let mut check = self.start(body);
        if check.is_valid(0, body) {
            return Validity::Valid { has_other_integers: check.has_other_integers };
        }
        let mut reported =
            Reported { violations: Vec::new(), more: 0, space, sensitive: self.sensitive.as_ref() };
        let ended = check.check(0, body, &Path::ROOT, &mut reported);
        let Reported { mut violations, more, .. } = reported;
        let remaining = match ended {
            ControlFlow::Continue(()) if more == 0 => None,
            ControlFlow::Continue(()) => Some(left_out(violations.len(), more)),
            ControlFlow::Break(()) => Some(
                "there are too many alternatives to check them all: send smaller parts".to_owned(),
            ),
        };
        violations.extend(remaining.map(|remaining| Violation::new("", remaining)));
        Validity::Invalid(violations)
    }

    /// Starts a check with a limit of steps. Recursive types with several alternatives may need a number of steps
    /// that is exponential in the depth of the body, for serde as well.
    fn start(&self, body: Body<'_>) -> Check<'_> {
        const STEPS: usize = 100_000;
        let parts = steps_for(body.text()) + 2 * body.values();
        Check::new(&self.schemas, STEPS + parts * (4 + self.most_alternatives))
    }
}

/// Collects the first mistakes and counts the others.
struct Reported<'r> {
    violations: Vec<Violation>,
    more: usize,
    space: &'r mut MessageSpace,
    sensitive: Option<&'r SensitiveParts>,
}

impl<'s, 'b> Found<'s, 'b> for Reported<'_> {
    fn add(&mut self, mistake: &dyn Fn() -> Mistake<'s, 'b>) -> ControlFlow<()> {
        let violation = self.explains().then(|| mistake().violation(self.sensitive));
        let fits =
            |violation: &Violation| self.space.take(violation.path.len() + violation.message.len());
        match violation.filter(fits) {
            Some(violation) => self.violations.push(violation),
            None => self.more += 1,
        }
        ControlFlow::Continue(())
    }

    fn explains(&self) -> bool {
        self.violations.len() < MOST_MESSAGES && !self.space.is_used_up()
    }
}

#[cfg(test)]
mod tests;
