//! Checks of a body against the rules of a schema.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::mistakes::{Mistake, Path, Problem, Unit};
use super::rules::{ArrayRule, Choice, Id, NumberRule, ObjectRule, Range, Rule, Rules, Types};
use crate::hosting::body::{Body, Number, Value};

/// One check of one body.
pub(super) struct Check<'s> {
    pub(super) schemas: &'s [Rules],
    /// The check ends after this number of steps, because nested alternatives multiply them.
    steps: usize,
    /// Whether the schema takes a number such as 30.0 for an integer.
    pub(super) has_other_integers: bool,
}

/// What to do with the mistakes that are found.
pub(super) trait Found<'s, 'b> {
    /// Receives the next mistake. Decides whether the check continues.
    fn add(&mut self, mistake: &dyn Fn() -> Mistake<'s, 'b>) -> ControlFlow<()>;

    /// Returns whether alternatives are to be compared to find the mistakes in the best one.
    fn explains(&self) -> bool;
}

/// Ends the check at the first mistake.
struct First;

impl<'s, 'b> Found<'s, 'b> for First {
    fn add(&mut self, _mistake: &dyn Fn() -> Mistake<'s, 'b>) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn explains(&self) -> bool {
        false
    }
}

impl<'s> Check<'s> {
    pub(super) fn new(schemas: &'s [Rules], steps: usize) -> Self {
        Self { schemas, steps, has_other_integers: false }
    }

    /// Returns whether a value is valid.
    pub(super) fn is_valid(&mut self, id: Id, body: Body<'_>) -> bool {
        self.check(id, body, &Path::ROOT, &mut First).is_continue()
    }

    pub(super) fn step(&mut self, steps: usize) -> ControlFlow<()> {
        self.steps = self.steps.saturating_sub(steps);
        if self.steps == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Finds the mistakes in a value.
    pub(super) fn check<'b>(
        &mut self,
        id: Id,
        body: Body<'b>,
        path: &Path<'_>,
        found: &mut dyn Found<'s, 'b>,
    ) -> ControlFlow<()> {
        self.step(1)?;
        let value = body.value();
        for rule in &self.schemas[id] {
            let problem = match (rule, &value) {
                (Rule::Types(types), _) => {
                    (!self.is_of_type(&value, *types)).then_some(Problem::Type(*types))
                }
                (Rule::Options(choices), _) => {
                    self.step(choices.len() / 8)?;
                    (!is_one_of(body, &value, choices)).then_some(Problem::Options(choices))
                }
                (Rule::Number(rule), Value::Number(number)) => {
                    (!fits(*number, rule)).then_some(Problem::Number(rule))
                }
                (Rule::Text(rule), Value::String(text)) => {
                    if rule.length.least.is_some() || rule.length.most.is_some() {
                        let length = text.chars().count();
                        self.length(body, path, found, Unit::Characters, length, rule.length)?;
                    }
                    match &rule.pattern {
                        Some(pattern) => {
                            self.step(steps_for(text))?;
                            (!pattern.matches(text)).then_some(Problem::Pattern(&pattern.source))
                        }
                        None => None,
                    }
                }
                (Rule::Array(rule), Value::Array) => {
                    self.array(id, rule, body, path, found)?;
                    None
                }
                (Rule::Object(rule), Value::Object) => {
                    self.object(id, rule, body, path, found)?;
                    None
                }
                (Rule::Reference(other), _) => {
                    self.check(*other, body, path, found)?;
                    None
                }
                (Rule::All(all), _) => {
                    for other in all {
                        self.check(*other, body, path, found)?;
                    }
                    None
                }
                (Rule::Any(alternatives), _) => {
                    if !alternatives.iter().any(|other| self.is_valid(*other, body)) {
                        self.no_alternative(alternatives, body, path, found)?;
                    }
                    None
                }
                (Rule::One(alternatives), _) => {
                    let mut fitting = alternatives.iter().filter(|id| self.is_valid(**id, body));
                    match (fitting.next(), fitting.next()) {
                        (Some(_), None) => None,
                        (Some(_), Some(_)) => Some(Problem::Ambiguous),
                        (None, _) => {
                            self.no_alternative(alternatives, body, path, found)?;
                            None
                        }
                    }
                }
                (Rule::Not(other), _) => self.is_valid(*other, body).then_some(Problem::NotAllowed),
                (Rule::If { condition, then, otherwise }, _) => {
                    let next = if self.is_valid(*condition, body) { then } else { otherwise };
                    if let Some(next) = next {
                        self.check(*next, body, path, found)?;
                    }
                    None
                }
                (Rule::Never, _) => Some(Problem::NotAllowed),
                (Rule::Number(_) | Rule::Text(_) | Rule::Array(_) | Rule::Object(_), _) => None,
            };
            if let Some(problem) = problem {
                self.report(body, path, found, &problem)?;
            }
        }
        // A part of the value that could not be checked counts as invalid.
        self.step(0)
    }

    pub(super) fn report<'b>(
        &self,
        body: Body<'b>,
        path: &Path<'_>,
        found: &mut dyn Found<'s, 'b>,
        problem: &Problem<'s>,
    ) -> ControlFlow<()> {
        found.add(&|| Mistake::new(path, body, problem.clone()))
    }

    fn is_of_type(&mut self, value: &Value<'_>, types: Types) -> bool {
        let of_value = match value {
            Value::Null => Types::NULL,
            Value::Boolean => Types::BOOLEAN,
            Value::String(_) => Types::STRING,
            Value::Array => Types::ARRAY,
            Value::Object => Types::OBJECT,
            Value::Number(_) if types.contains(Types::NUMBER) => return true,
            Value::Number(number) => {
                let is_valid = types.contains(Types::INTEGER) && number.is_integer();
                self.has_other_integers |= is_valid && !number.is_written_as_integer();
                return is_valid;
            }
        };
        types.contains(of_value)
    }

    fn length<'b>(
        &self,
        body: Body<'b>,
        path: &Path<'_>,
        found: &mut dyn Found<'s, 'b>,
        unit: Unit,
        length: usize,
        Range { least, most }: Range,
    ) -> ControlFlow<()> {
        let length = length as u64;
        if let Some(least) = least.filter(|least| length < *least) {
            self.report(body, path, found, &Problem::TooFew(unit, least))?;
        }
        if let Some(most) = most.filter(|most| length > *most) {
            self.report(body, path, found, &Problem::TooMany(unit, most))?;
        }
        ControlFlow::Continue(())
    }

    fn array<'b>(
        &mut self,
        id: Id,
        rule: &'s ArrayRule,
        body: Body<'b>,
        path: &Path<'_>,
        found: &mut dyn Found<'s, 'b>,
    ) -> ControlFlow<()> {
        let mut length = 0;
        for (index, item) in body.items().enumerate() {
            length += 1;
            if let Some(schema) = rule.first.get(index).or(rule.items.as_ref()) {
                self.check(*schema, item, &path.item(index), found)?;
            }
        }
        self.length(body, path, found, Unit::Items, length, rule.length)?;
        if rule.is_unique {
            self.step(steps_for(body.text()))?;
            let mut distinct = HashSet::new();
            if !body.items().all(|item| distinct.insert(item.canonical())) {
                self.report(body, path, found, &Problem::Repeated)?;
            }
        }
        if let Some((schema, range)) = rule.contains {
            let fitting = body.items().filter(|item| self.is_valid(schema, *item)).count() as u64;
            let Range { least, most } = range;
            if least.is_some_and(|least| fitting < least) || most.is_some_and(|most| fitting > most)
            {
                self.report(body, path, found, &Problem::Contained(range))?;
            }
        }
        if let Some(schema) = rule.unevaluated {
            let mut evaluated = vec![false; length];
            self.mark(id, body, &mut evaluated, false);
            for (index, item) in body.items().enumerate().filter(|(index, _)| !evaluated[*index]) {
                self.check(schema, item, &path.item(index), found)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn object<'b>(
        &mut self,
        id: Id,
        rule: &'s ObjectRule,
        body: Body<'b>,
        path: &Path<'_>,
        found: &mut dyn Found<'s, 'b>,
    ) -> ControlFlow<()> {
        let (mut length, mut present) = (0, 0);
        for (name, value) in body.members() {
            length += 1;
            let path = path.member(&name);
            let member = rule.member(&name);
            let schema = member.and_then(|member| member.schema);
            present += usize::from(member.is_some_and(|member| member.is_required));
            if let Some(schema) = schema {
                self.check(schema, value, &path, found)?;
            }
            let mut is_known = schema.is_some();
            for (pattern, schema) in &rule.patterns {
                self.step(steps_for(&name))?;
                if pattern.matches(&name) {
                    is_known = true;
                    self.check(*schema, value, &path, found)?;
                }
            }
            if let Some(schema) = rule.additional.filter(|_| !is_known) {
                self.other_member(schema, value, &path, found)?;
            }
        }
        // Each name is there once.
        if present < rule.required.len() {
            let names: HashSet<_> = body.members().map(|(name, _)| name).collect();
            for name in rule.required.iter().filter(|name| !names.contains(name.as_str())) {
                self.report(body, &path.member(name), found, &Problem::Missing)?;
            }
        }
        self.length(body, path, found, Unit::Members, length, rule.length)?;
        for (name, required) in &rule.dependent {
            if body.member(name).is_some() {
                for name in required.iter().filter(|name| body.member(name).is_none()) {
                    self.report(body, &path.member(name), found, &Problem::Missing)?;
                }
            }
        }
        for (name, schema) in &rule.dependent_schemas {
            if body.member(name).is_some() {
                self.check(*schema, body, path, found)?;
            }
        }
        if let Some(schema) = rule.names {
            for name in body.names() {
                self.check(schema, name, path, found)?;
            }
        }
        if let Some(schema) = rule.unevaluated {
            let mut evaluated = vec![false; length];
            self.mark(id, body, &mut evaluated, false);
            for ((name, value), is_evaluated) in body.members().zip(evaluated) {
                if !is_evaluated {
                    self.other_member(schema, value, &path.member(&name), found)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Checks a member that no keyword names.
    fn other_member<'b>(
        &mut self,
        schema: Id,
        value: Body<'b>,
        path: &Path<'_>,
        found: &mut dyn Found<'s, 'b>,
    ) -> ControlFlow<()> {
        match self.schemas[schema].as_slice() {
            [Rule::Never] => self.report(value, path, found, &Problem::Unknown),
            _ => self.check(schema, value, path, found),
        }
    }

    /// Marks the members or items that a schema, or another schema for the same value, evaluates.
    fn mark(&mut self, id: Id, body: Body<'_>, evaluated: &mut [bool], with_unevaluated: bool) {
        let schemas = self.schemas;
        for rule in &schemas[id] {
            match rule {
                Rule::Array(rule) if body.is_array() => {
                    let rest = rule.unevaluated.filter(|_| with_unevaluated).or(rule.items);
                    for (index, item) in body.items().enumerate() {
                        evaluated[index] |= rest.is_some()
                            || index < rule.first.len()
                            || rule.contains.is_some_and(|(id, _)| self.is_valid(id, item));
                    }
                }
                Rule::Object(rule) if body.is_object() => {
                    let rest = rule.unevaluated.filter(|_| with_unevaluated).or(rule.additional);
                    for ((name, _), evaluated) in body.members().zip(evaluated.iter_mut()) {
                        *evaluated |= rest.is_some()
                            || rule.member(&name).is_some_and(|member| member.schema.is_some())
                            || rule.patterns.iter().any(|(pattern, _)| pattern.matches(&name));
                    }
                    for (name, other) in &rule.dependent_schemas {
                        if body.member(name).is_some() {
                            self.mark(*other, body, evaluated, true);
                        }
                    }
                }
                Rule::Reference(other) => self.mark(*other, body, evaluated, true),
                Rule::All(others) | Rule::Any(others) | Rule::One(others) => {
                    for other in others {
                        if self.is_valid(*other, body) {
                            self.mark(*other, body, evaluated, true);
                        }
                    }
                }
                Rule::If { condition, then, otherwise } => {
                    let is_met = self.is_valid(*condition, body);
                    if is_met {
                        self.mark(*condition, body, evaluated, true);
                    }
                    if let Some(next) = if is_met { then } else { otherwise } {
                        self.mark(*next, body, evaluated, true);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Number of steps that reading a text costs.
pub(super) fn steps_for(text: &str) -> usize {
    text.len() / 8
}

/// Returns whether a value is one of the valid ones.
fn is_one_of(body: Body<'_>, value: &Value<'_>, choices: &[Choice]) -> bool {
    let canonical = match value {
        Value::String(text) => {
            return choices.iter().any(|choice| choice.text.as_deref() == Some(text));
        }
        _ => body.canonical(),
    };
    choices.iter().any(|choice| choice.canonical == canonical)
}

fn fits(number: Number<'_>, rule: &NumberRule) -> bool {
    match rule {
        NumberRule::Minimum(bound) => number.compare(Number(bound)).is_ge(),
        NumberRule::ExclusiveMinimum(bound) => number.compare(Number(bound)).is_gt(),
        NumberRule::Maximum(bound) => number.compare(Number(bound)).is_le(),
        NumberRule::ExclusiveMaximum(bound) => number.compare(Number(bound)).is_lt(),
        NumberRule::MultipleOf(step) => number.is_multiple_of(Number(step)),
    }
}
