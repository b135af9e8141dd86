//! Parses the options of `#[decorate(logging(...))]`.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Lit, LitStr, Token, token};

use super::field::Field;
use super::policy;
use crate::errors::Errors;
use crate::options::{self, OptionSpec, Options};

/// Options of `logging(...)`.
#[derive(Default)]
pub(super) struct Logging {
    pub(super) input_fields: Vec<Field>,
    pub(super) output_fields: Vec<Field>,
    pub(super) level: Option<(String, Span)>,
    pub(super) target: Option<LitStr>,
    pub(super) sample: Option<Share>,
    pub(super) slow: Option<Duration>,
}

/// The share of predictions in `sample = 0.1`.
pub(super) struct Share {
    pub(super) value: f64,
    /// Span of the value.
    pub(super) span: Span,
}

const OPTIONS: Options = Options { owner: "logging", specs: SPECS, remedy: misplaced };
const SPECS: &[OptionSpec] = &[
    OptionSpec { name: "input_fields", form: "input_fields = [\"age\", \"bmi\"]" },
    OptionSpec { name: "output_fields", form: "output_fields = [\"charges\"]" },
    OptionSpec { name: "level", form: "level = info" },
    OptionSpec { name: "target", form: "target = \"...\"" },
    OptionSpec { name: "sample", form: "sample = 0.1" },
    OptionSpec { name: "slow", form: "slow = \"50ms\"" },
];

/// Returns the remedy for an unknown option that contains the name of a policy, or that names the logger.
fn misplaced(name: &Ident) -> Option<String> {
    let name = name.to_string();
    if matches!(name.as_str(), "logger" | "logger_name" | "name") {
        return Some(format!("`{name}` is the target of the records: write `target = \"...\"`"));
    }
    let policy = policy::named_in(&name)?;
    let example = policy::example(policy, "customer_id");
    Some(format!("a policy is written at the field, as in `input_fields = [{example}]`"))
}

/// Returns the remedy if `name` is an option of `logging`, for one that stands outside the parentheses.
pub(super) fn outside(name: &Ident) -> Option<String> {
    let spec = spec(name)?;
    Some(format!("`{name}` is an option of `logging`: write `#[decorate(logging({}))]`", spec.form))
}

fn spec(name: &Ident) -> Option<&'static OptionSpec> {
    SPECS.iter().find(|spec| name == spec.name)
}

/// Reads the options between the parentheses.
pub(super) fn read(input: ParseStream<'_>, errors: &mut Errors) -> Logging {
    let mut logging = Logging::default();
    let mut given = Vec::new();
    options::read(input, &OPTIONS, &mut given, errors, |name, input, errors| {
        match name {
            "input_fields" => logging.input_fields = fields(input, errors)?,
            "output_fields" => logging.output_fields = fields(input, errors)?,
            "target" => logging.target = Some(options::string(input)?),
            "sample" => logging.sample = Some(share(input)?),
            "slow" => logging.slow = Some(duration(input)?),
            _ => logging.level = Some(options::word(input, "expected the name of a level")?),
        }
        Ok(())
    });
    logging
}

fn fields(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Field>> {
    if !input.peek(token::Bracket) {
        return Err(input.error("expected a list of fields"));
    }
    let list;
    syn::bracketed!(list in input);
    let mut fields = Vec::new();
    options::for_each(&list, errors, |input, _| {
        let fork = input.fork();
        let name = fork.call(Ident::parse_any).ok();
        let name = name.filter(|_| fork.peek(Token![=]) && !fork.peek(Token![=>]));
        if let Some((name, spec)) = name.and_then(|name| spec(&name).map(|spec| (name, spec))) {
            let form = spec.form;
            let message =
                format!("`{name}` is an option of `logging`: write `{form}` behind the list");
            return Err(syn::Error::new(name.span(), message));
        }
        fields.push(Field::parse(input)?);
        Ok(())
    });
    Ok(fields)
}

/// Reads a share of the predictions.
fn share(input: ParseStream<'_>) -> syn::Result<Share> {
    let span = input.span();
    let value = match input.parse::<Lit>() {
        Ok(Lit::Int(literal)) => literal.base10_parse().ok(),
        Ok(Lit::Float(literal)) => literal.base10_parse().ok(),
        _ => None,
    };
    match value.filter(|share| (f64::MIN_POSITIVE..=1.0).contains(share)) {
        Some(value) => Ok(Share { value, span }),
        None => Err(syn::Error::new(span, "expected a number above 0 and up to 1")),
    }
}

/// Reads a duration such as `"50ms"`.
fn duration(input: ParseStream<'_>) -> syn::Result<Duration> {
    let literal = options::string(input)?;
    match humantime::parse_duration(&literal.value()) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err(syn::Error::new(literal.span(), "expected a duration above 0")),
        Err(error) => Err(syn::Error::new(literal.span(), format!("expected a duration: {error}"))),
    }
}
