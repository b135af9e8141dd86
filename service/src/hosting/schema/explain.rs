//! Mistakes in a value for which a schema has alternatives, such as the variants of an enum.
//!
//! The mistakes are those in one alternative: the one that the value's tag names, or else the one that fits
//! best. Only where all alternatives refuse the same value for the same reason, the reasons are joined.

use std::ops::ControlFlow;

use super::check::{Check, Found};
use super::mistakes::{Mistake, Path, Problem};
use super::rules::{Id, Types};
use crate::hosting::body::Body;

/// Maximum number of mistakes in one alternative that are compared with those in others.
const COMPARED: usize = 16;

type Mistakes<'s, 'b> = Vec<Mistake<'s, 'b>>;

/// Collects the mistakes in one alternative.
#[derive(Default)]
struct Alternative<'s, 'b>(Mistakes<'s, 'b>);

impl<'s, 'b> Found<'s, 'b> for Alternative<'s, 'b> {
    fn add(&mut self, mistake: &dyn Fn() -> Mistake<'s, 'b>) -> ControlFlow<()> {
        self.0.push(mistake());
        if self.0.len() < COMPARED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn explains(&self) -> bool {
        true
    }
}

impl<'s> Check<'s> {
    /// Reports the mistakes in a value that fits none of the alternatives.
    pub(super) fn no_alternative<'b>(
        &mut self,
        alternatives: &'s [Id],
        body: Body<'b>,
        path: &Path<'_>,
        found: &mut dyn Found<'s, 'b>,
    ) -> ControlFlow<()> {
        if !found.explains() {
            return self.report(body, path, found, &Problem::NoAlternative);
        }
        let mut found_in = Vec::new();
        for id in alternatives {
            let mut mistakes = Alternative::default();
            // It ends early if there are many.
            let _ended = self.check(*id, body, path, &mut mistakes);
            // A mistake holds its path.
            self.step(mistakes.0.len() * path.depth())?;
            found_in.push(mistakes.0);
        }
        let mistakes = explained(found_in, path.depth());
        if mistakes.is_empty() {
            return self.report(body, path, found, &Problem::NoAlternative);
        }
        mistakes.into_iter().try_for_each(|mistake| found.add(&|| mistake.clone()))
    }
}

/// Chooses the mistakes to report. `depth` is the depth of the value that has alternatives.
fn explained<'s, 'b>(alternatives: Vec<Mistakes<'s, 'b>>, depth: usize) -> Mistakes<'s, 'b> {
    if let Some(joined) = joined_choices(&alternatives, |mistake| mistake.path.len() == depth) {
        return vec![joined];
    }
    let is_of_other_type = |mistake: &Mistake<'_, '_>| {
        mistake.path.len() == depth && matches!(mistake.problem, Problem::Type(_))
    };
    let (others, fitting): (Vec<_>, Vec<_>) =
        alternatives.into_iter().partition(|mistakes| mistakes.iter().any(is_of_other_type));
    if fitting.is_empty() {
        return joined_types(&others, is_of_other_type).into_iter().collect();
    }
    // A tag that no variant has, or a field that has another type in each variant.
    let first = fitting.iter().flatten().next();
    let is_tag =
        |mistake: &&Mistake<'_, '_>| mistake.path.len() == depth + 1 && mistake.is_constant();
    let tag = fitting.iter().flatten().find(is_tag);
    let joined =
        tag.and_then(|tag| joined_choices(&fitting, |mistake| mistake.path == tag.path)).or_else(
            || joined_types(&fitting, |mistake| Some(&mistake.path) == first.map(|it| &it.path)),
        );
    if let Some(joined) = joined.filter(|_| fitting.len() > 1) {
        return vec![joined];
    }
    if let Some(unnamed) = without_variant(&fitting, depth).filter(|_| fitting.len() > 1) {
        return unnamed;
    }
    let misfit = |mistakes: &Mistakes<'_, '_>| {
        let near = mistakes.iter().filter(|mistake| mistake.path.len() == depth + 1);
        let tags = near.clone().filter(is_tag).count();
        let names =
            near.filter(|mistake| matches!(mistake.problem, Problem::Missing | Problem::Unknown));
        (tags, names.count(), mistakes.len())
    };
    fitting.into_iter().min_by_key(misfit).unwrap_or_default()
}

/// Joins the names of all variants, if the value only lacks the name of a variant: its single member has another
/// name.
fn without_variant<'s, 'b>(fitting: &[Mistakes<'s, 'b>], depth: usize) -> Option<Mistakes<'s, 'b>> {
    let mut names = Vec::new();
    for mistakes in fitting {
        let is_name = |mistake: &&Mistake<'_, '_>| mistake.path.len() == depth + 1;
        let missing = mistakes.iter().filter(is_name);
        let mut missing = missing.filter(|mistake| matches!(mistake.problem, Problem::Missing));
        let (name, None) = (missing.next()?, missing.next()) else { return None };
        names.push(name.path.last()?.clone());
        let unknown = mistakes.iter().filter(|it| matches!(it.problem, Problem::Unknown));
        if unknown.count() + 1 != mistakes.len() {
            return None;
        }
    }
    let unknown = fitting.first()?.iter().filter(|it| matches!(it.problem, Problem::Unknown));
    let value = fitting.first()?.iter().find(|it| matches!(it.problem, Problem::Missing))?;
    Some(unknown.cloned().chain([value.above(Problem::MissingVariant(names))]).collect())
}

/// Joins the valid values of all alternatives, if each of them only lists values for the same place.
fn joined_choices<'s, 'b>(
    alternatives: &[Mistakes<'s, 'b>],
    is_there: impl Fn(&Mistake<'s, 'b>) -> bool,
) -> Option<Mistake<'s, 'b>> {
    let mut joined = None;
    let mut choices = Vec::new();
    for mistakes in alternatives {
        let mut there = mistakes.iter().filter(|mistake| is_there(mistake));
        let mistake = there.find(|mistake| match &mistake.problem {
            Problem::Options(these) => {
                choices.extend(these.iter().map(|choice| choice.shown.as_str()));
                true
            }
            Problem::Joined(these) => {
                choices.extend_from_slice(these);
                true
            }
            Problem::Type(Types::NULL) => {
                choices.push("null");
                true
            }
            _ => false,
        })?;
        joined = joined.or(Some(mistake));
    }
    let is_list = choices.iter().any(|choice| *choice != "null");
    joined.filter(|_| is_list).map(|joined| joined.with(Problem::Joined(choices)))
}

/// Joins the valid types of all alternatives, if each of them requires another type at the same place.
fn joined_types<'s, 'b>(
    alternatives: &[Mistakes<'s, 'b>],
    is_there: impl Fn(&Mistake<'s, 'b>) -> bool,
) -> Option<Mistake<'s, 'b>> {
    let types = alternatives.iter().map(|mistakes| {
        mistakes.iter().filter(|mistake| is_there(mistake)).find_map(|mistake| {
            match mistake.problem {
                Problem::Type(types) => Some((mistake, types)),
                _ => None,
            }
        })
    });
    let types: Vec<_> = types.collect::<Option<_>>()?;
    let joined = types.iter().map(|(_, types)| *types).reduce(|one, other| one | other)?;
    Some(types.first()?.0.with(Problem::Type(joined)))
}
