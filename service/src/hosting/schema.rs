//! The input schema as the contract for bodies.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{Draft, ValidationError, Validator};
use ml_model_core::{SensitiveParts, Violation};
use schemars::Schema;

use super::body::{Body, BodyJson};
use super::shorten::{LONGEST_MESSAGE, MOST_MESSAGES, cut, shortened};

/// The compiled input schema of one model.
#[derive(Debug)]
pub(crate) struct InputSchema {
    validator: Validator<BodyJson>,
    /// `None` if no part of the input is sensitive.
    sensitive: Option<SensitiveParts>,
}

impl InputSchema {
    /// Compiles `schema`.
    ///
    /// # Errors
    ///
    /// Fails if it is not a valid JSON Schema, with the reason.
    pub(crate) fn new(schema: &Schema) -> Result<Self, String> {
        let options = jsonschema::options_for().with_draft(Draft::Draft202012);
        let validator = options.build(schema.as_value()).map_err(|error| error.to_string())?;
        Ok(Self { validator, sensitive: SensitiveParts::of(schema) })
    }

    /// Finds the violations in `body`. The last one counts the remaining ones if there are many, so that
    /// the answer and the record stay small.
    pub(crate) fn violations(&self, body: &Body<'_>) -> Vec<Violation> {
        if self.validator.is_valid(body) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(body);
        let mut all = errors.flat_map(|error| self.violations_of(&error));
        let mut violations: Vec<_> = all.by_ref().take(MOST_MESSAGES).collect();
        let more = all.count();
        if more > 0 {
            violations.push(Violation::new("", format!("and {more} more")));
        }
        violations
    }

    /// Converts an error into one violation, or into one per missing or unknown field.
    fn violations_of(&self, error: &ValidationError<'_>) -> Vec<Violation> {
        let segments = segments(error.instance_path());
        let path = |name: Option<&str>| {
            let name = name.map(|name| shortened(name).into_owned());
            let path: Vec<_> = segments.iter().cloned().chain(name).collect();
            let shown = self.hidden_at(&path).unwrap_or(path.len());
            shortened(&path[..shown].join(".")).into_owned()
        };
        let violation = || Violation::new(path(None), self.message(error));
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                vec![Violation::new(path(property.as_str()), "is required")]
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
                .iter()
                .map(|name| Violation::new(path(Some(name)), "is not known to this model"))
                .collect(),
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                match branch_meant(error, context) {
                    Some(branch) => {
                        branch.iter().flat_map(|error| self.violations_of(error)).collect()
                    }
                    None => vec![violation()],
                }
            }
            _ => vec![violation()],
        }
    }

    /// Returns how much of a path a message may show if it must not show the value there.
    fn hidden_at(&self, path: &[String]) -> Option<usize> {
        self.sensitive.as_ref()?.hidden_at(path.iter().map(String::as_str))
    }

    fn message(&self, error: &ValidationError<'_>) -> String {
        let value = match self.hidden_at(&segments(error.instance_path())) {
            Some(_) => "the value".to_owned(),
            None => cut(&error.instance().to_string(), 80).into_owned(),
        };
        let message = match error.kind() {
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => match choices(context) {
                Some(choices) => format!("{value} is none of {}", choices.join(", ")),
                None if let Some(types) = types_only(error, context) => {
                    format!("{value} is not of type {}", types.join(" or "))
                }
                None => {
                    let branches: Vec<_> =
                        context.iter().flatten().map(|branch| self.message(branch)).collect();
                    branches.join(" and ")
                }
            },
            ValidationErrorKind::Enum { options } => {
                let options: Vec<_> = options.as_array().into_iter().flatten().collect();
                let options: Vec<_> = options.iter().map(ToString::to_string).collect();
                format!("{value} is none of {}", options.join(", "))
            }
            ValidationErrorKind::Type { kind } => {
                format!("{value} is not of type {}", types(kind).join(" or "))
            }
            // The message of the library would contain the whole value.
            _ => error.masked_with(value).to_string(),
        };
        cut(&message, LONGEST_MESSAGE).into_owned()
    }
}

/// Returns the only branch of a choice whose type matches the value, such as that of an optional object:
/// the mistake is then inside the value.
fn branch_meant<'c>(
    error: &ValidationError<'_>,
    context: &'c [Vec<ValidationError<'static>>],
) -> Option<&'c [ValidationError<'static>]> {
    let is_of_other_type = |branch: &[ValidationError<'_>]| {
        branch.iter().any(|inner| {
            matches!(inner.kind(), ValidationErrorKind::Type { .. })
                && inner.instance_path() == error.instance_path()
        })
    };
    let mut meant = context.iter().filter(|branch| !is_of_other_type(branch));
    match (meant.next(), meant.next()) {
        (Some(branch), None) if choices(context).is_none() => Some(branch),
        _ => None,
    }
}

/// Returns the names of types, null last.
fn types(kind: &TypeKind) -> Vec<String> {
    let mut names: Vec<_> = match kind {
        TypeKind::Single(kind) => vec![kind.to_string()],
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect(),
    };
    names.sort_by_key(|name| name == "null");
    names
}

/// Returns the valid types, if the branches of a choice only restrict the type.
fn types_only(
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'_>>],
) -> Option<Vec<String>> {
    let branches = context.iter().map(|branch| match branch.as_slice() {
        [inner] if inner.instance_path() == error.instance_path() => match inner.kind() {
            ValidationErrorKind::Type { kind } => Some(types(kind)),
            _ => None,
        },
        _ => None,
    });
    Some(branches.collect::<Option<Vec<_>>>()?.concat())
}

/// Returns the valid values, if the branches of a choice only list values.
fn choices(context: &[Vec<ValidationError<'_>>]) -> Option<Vec<String>> {
    let mut choices = Vec::new();
    for error in context.iter().flatten() {
        match error.kind() {
            ValidationErrorKind::Constant { expected_value } => {
                choices.push(expected_value.to_string());
            }
            ValidationErrorKind::Enum { options } => {
                choices.extend(options.as_array().into_iter().flatten().map(ToString::to_string));
            }
            ValidationErrorKind::Type { kind: TypeKind::Single(kind) }
                if kind.to_string() == "null" =>
            {
                choices.push("null".to_owned());
            }
            _ => return None,
        }
    }
    Some(choices)
}

/// Returns the segments of a location, such as `address`, `lines`, `3`.
fn segments(location: &Location) -> Vec<String> {
    location
        .iter()
        .map(|segment| match segment {
            LocationSegment::Property(name) => shortened(&name).into_owned(),
            LocationSegment::Index(index) => index.to_string(),
        })
        .collect()
}
