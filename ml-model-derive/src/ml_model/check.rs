//! Validates the attributes of a type and fills in their defaults.

use std::time::Duration;

use heck::ToSnakeCase;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Data, DeriveInput, Expr, ExprLit, Generics, Lit, LitStr, Path, parse_quote};

use super::decorator::{self, Decorate, Kind};
use super::field::{Field, PREDICTION_ID};
use super::syntax::Attributes;
use crate::errors::Errors;
use crate::{did_you_mean, options};

/// A type with its validated attributes.
pub(super) struct Model<'a> {
    pub(super) ident: &'a Ident,
    /// Generics of the type with the bounds of a model.
    pub(super) generics: Generics,
    /// Generics of the type without these bounds.
    pub(super) own_generics: Generics,
    pub(super) display_name: String,
    pub(super) qualified_name: String,
    /// An expression of type `&'static str`.
    pub(super) description: TokenStream,
    pub(super) version: String,
    /// Name of a variant of `Execution`.
    pub(super) execution: &'static str,
    pub(super) krate: Path,
    pub(super) is_deprecated: bool,
    /// The decorators, outermost first.
    pub(super) decorators: Vec<Decorator>,
}

pub(super) enum Decorator {
    PredictionId,
    Logging(Logging),
    Metrics,
    Custom(TokenStream),
}

pub(super) struct Logging {
    /// Span of the word `decorate`: the source location of the records.
    pub(super) span: Span,
    /// Name of a constant of `tracing::Level`.
    pub(super) level: &'static str,
    pub(super) target: String,
    pub(super) input_fields: Vec<Field>,
    pub(super) output_fields: Vec<Field>,
    pub(super) sample: Option<f64>,
    pub(super) slow: Option<Duration>,
}

/// Keys that are reserved in every record. A test compares them with the list of `ml-model-core`.
const RECORD_KEYS: &[&str] = &[
    "message",
    "action",
    "model_qualified_name",
    "model_version",
    "batch_id",
    "row",
    "sample_rate",
    "status",
    "duration_ms",
    "error_info",
];

/// Validates the attributes of `input`. `version` is the version of its crate.
pub(super) fn check<'a>(
    input: &'a DeriveInput,
    attributes: Attributes,
    version: Option<&str>,
    errors: &mut Errors,
) -> Model<'a> {
    if let Data::Union(data) = &input.data {
        errors.at(
            data.union_token.span,
            "a union cannot be a model: use a struct or an enum, which can be shared between threads",
        );
    }
    let name = input.ident.to_string();
    let name = name.trim_start_matches("r#");
    let text = |literal: &Option<LitStr>| literal.as_ref().map(LitStr::value);

    let qualified_name = text(&attributes.qualified_name).unwrap_or_else(|| name.to_snake_case());
    if !is_qualified_name(&qualified_name) {
        let literal = attributes.qualified_name.as_ref();
        errors.at(
            literal.map_or(input.ident.span(), LitStr::span),
            format!(
                "{qualified_name:?} cannot name a model in URLs, logs and configuration: set \
                 `#[ml_model(qualified_name = \"...\")]` to ASCII letters, digits and `_`, with no \
                 digit at the start"
            ),
        );
    }
    reject_empty(&attributes.display_name, "display_name", errors);
    reject_empty(&attributes.version, "version", errors);
    reject_attributes_inside(&input.data, errors);
    let version = text(&attributes.version).or(version.map(str::to_owned)).unwrap_or_else(|| {
        errors.at(
            input.ident.span(),
            "the version of this crate is unknown because cargo does not build it: \
             set `#[ml_model(version = \"...\")]`",
        );
        String::new()
    });
    let own_generics = own_generics(input);
    Model {
        ident: &input.ident,
        generics: bounded(&input.ident, own_generics.clone()),
        own_generics,
        display_name: text(&attributes.display_name).unwrap_or_else(|| title(name)),
        description: description(attributes.description, attributes.doc),
        version,
        is_deprecated: attributes.is_deprecated,
        execution: execution(attributes.execution.as_ref(), errors),
        krate: attributes.krate.unwrap_or_else(|| parse_quote!(::ml_model_core)),
        decorators: decorators(attributes.decorators, &qualified_name, errors),
        qualified_name,
    }
}

/// Returns the generics of the type with its name in place of `Self`, and with `Send + Sync`, which a model needs, for
/// its parameters.
fn own_generics(input: &DeriveInput) -> Generics {
    let mut generics = input.generics.clone();
    if let Some(clause) = &mut generics.where_clause {
        // The generated functions stand outside the `impl`, where there is no `Self`.
        let (ident, (_, type_generics, _)) = (&input.ident, input.generics.split_for_impl());
        let tokens = without_self(quote!(#clause), &quote!(#ident #type_generics));
        *clause = parse_quote!(#tokens);
    }
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(__core::Send));
        parameter.bounds.push(parse_quote!(__core::Sync));
    }
    generics
}

/// Adds the bounds of a model to a generic type, which is a model for those parameters that meet them.
///
/// A missing `Infer` of another type is reported where its input is named. With the bound, the fields of the input
/// would be unknown, and each of them an error.
fn bounded(ident: &Ident, mut generics: Generics) -> Generics {
    if !generics.params.is_empty() {
        let (_, parameters, _) = generics.split_for_impl();
        let bound = parse_quote!(#ident #parameters: __core::Infer + __core::Send + __core::Sync);
        generics.make_where_clause().predicates.push(bound);
    }
    generics
}

/// Replaces `Self` by the name of the type.
fn without_self(tokens: TokenStream, name: &TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => name.clone(),
            TokenTree::Group(group) => {
                let inner = without_self(group.stream(), name);
                TokenTree::from(Group::new(group.delimiter(), inner)).into()
            }
            token => token.into(),
        })
        .collect()
}

/// Returns the given description or the doc comment.
///
/// Lines of a doc comment may be calls of macros such as `include_str!`, which only the compiler can
/// expand.
fn description(given: Option<LitStr>, doc: Vec<Expr>) -> TokenStream {
    if let Some(given) = given {
        return quote!(#given);
    }
    let lines: Option<Vec<String>> = doc
        .iter()
        .map(|line| match line {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        })
        .collect();
    match lines {
        Some(lines) => {
            let text = unindented(&lines);
            quote!(#text)
        }
        None => {
            let mut lines = doc.iter();
            let first = lines.next();
            quote!(__core::concat!(#first #(, "\n", #lines)*))
        }
    }
}

/// Joins the lines of a doc comment without the space behind `///`. Further indentation, as in lists and
/// code, is kept.
fn unindented(lines: &[String]) -> String {
    let lines: Vec<&str> = lines
        .iter()
        .flat_map(|text| text.split('\n'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// Reports an empty string.
fn reject_empty(literal: &Option<LitStr>, name: &str, errors: &mut Errors) {
    if let Some(literal) = literal
        && literal.value().is_empty()
    {
        errors.at(literal.span(), format!("`{name}` must not be empty"));
    }
}

/// Reports a target that `RUST_LOG` could not name, because it contains a character that ends a
/// target there.
fn reject_unnameable(target: Option<&LitStr>, errors: &mut Errors) {
    let Some(literal) = target else { return };
    let ends_target = |c: char| c.is_whitespace() || c.is_control() || "=,[]{}\"".contains(c);
    if let Some(c) = literal.value().chars().find(|c| ends_target(*c)) {
        let message = format!(
            "{c:?} cannot be part of a target because `RUST_LOG` could not name it: use letters, \
             digits, `_`, `-`, `.` and `::`"
        );
        errors.at(literal.span(), message);
    }
}

/// Reports attributes on fields and variants: the compiler accepts them there, but they belong on
/// the type.
fn reject_attributes_inside(data: &Data, errors: &mut Errors) {
    let (variants, fields): (Vec<_>, Vec<_>) = match data {
        Data::Struct(data) => (Vec::new(), data.fields.iter().collect()),
        Data::Enum(data) => (
            data.variants.iter().collect(),
            data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        ),
        Data::Union(data) => (Vec::new(), data.fields.named.iter().collect()),
    };
    let of_variants = variants.into_iter().flat_map(|variant: &syn::Variant| &variant.attrs);
    let of_fields = fields.into_iter().flat_map(|field: &syn::Field| &field.attrs);
    for attribute in of_variants.chain(of_fields) {
        for name in ["decorate", "ml_model"] {
            if attribute.path().is_ident(name) {
                let message = format!("`#[{name}(...)]` belongs on the type, not inside it");
                errors.at(options::span(attribute), message);
            }
        }
        if let Some(error) = decorator::without_decorate(attribute) {
            errors.push(error);
        }
    }
}

/// Returns the name of a type in words: `InsuranceChargesModel` as `Insurance Charges Model`.
/// Capital letters are kept, as in `XGB Model`.
fn title(name: &str) -> String {
    let mut letters = name.chars().filter(|c| *c != '_');
    let snake_case = name.to_snake_case();
    let words = snake_case.split('_');
    let words = words.map(|word| letters.by_ref().take(word.chars().count()).collect());
    words.collect::<Vec<String>>().join(" ")
}

fn is_qualified_name(name: &str) -> bool {
    name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
}

fn decorators(listed: Vec<Decorate>, qualified_name: &str, errors: &mut Errors) -> Vec<Decorator> {
    let mut has_id = false;
    let mut has_logging = false;
    let mut has_metrics = false;
    // Whether an error about the id of the `logging` decorator exists already.
    let mut misses_id = false;
    listed
        .into_iter()
        .map(|Decorate { span, kind }| match kind {
            Kind::PredictionId(word) => {
                if has_logging && !has_id && !misses_id {
                    let message = "the `logging` decorator above has no access to this prediction id: put \
                                   `#[decorate(prediction_id)]` above `#[decorate(logging(...))]`";
                    errors.at(word.span(), message);
                }
                reject_second(&word, &mut has_id, errors);
                Decorator::PredictionId
            }
            Kind::Logging(word, options) => {
                reject_second(&word, &mut has_logging, errors);
                reject_empty(&options.target, "target", errors);
                reject_unnameable(options.target.as_ref(), errors);
                let mut listed = options.input_fields.iter().chain(&options.output_fields);
                misses_id |=
                    !has_id && (options.sample.is_some() || listed.any(Field::is_prediction_id));
                if let Some(share) = options.sample.as_ref().filter(|_| !has_id) {
                    let message = "there is no prediction id to sample by here: put \
                                   `#[decorate(prediction_id)]` above `#[decorate(logging(...))]`";
                    errors.at(share.span, message);
                }
                let target = options
                    .target
                    .as_ref()
                    .map_or(format!("{qualified_name}_logger"), LitStr::value);
                Decorator::Logging(Logging {
                    span,
                    level: level(options.level.as_ref(), errors),
                    target,
                    input_fields: fields(options.input_fields, has_id, errors),
                    output_fields: fields(options.output_fields, has_id, errors),
                    sample: options.sample.map(|share| share.value),
                    slow: options.slow,
                })
            }
            Kind::Metrics(word) => {
                reject_second(&word, &mut has_metrics, errors);
                Decorator::Metrics
            }
            Kind::Custom(tokens) => Decorator::Custom(tokens),
        })
        .collect()
}

/// Reports the second use of a built-in decorator.
fn reject_second(word: &Ident, has_one: &mut bool, errors: &mut Errors) {
    if *has_one {
        let remedy = match word == "logging" {
            true => "list all fields in one, which has one target",
            false => "remove one of them",
        };
        errors.at(word.span(), format!("`{word}` is applied twice: {remedy}"));
    }
    *has_one = true;
}

fn execution(execution: Option<&(String, Span)>, errors: &mut Errors) -> &'static str {
    let Some((name, span)) = execution else { return "Blocking" };
    match name.to_lowercase().as_str() {
        "blocking" => "Blocking",
        "inline" => "Inline",
        "async" => {
            let message = "`infer` is not async: leave out `execution`, and the model may block and drive a \
                           runtime, as with `Handle::block_on`";
            errors.at(*span, message);
            "Blocking"
        }
        unknown => {
            let what = format!("execution `{name}`");
            errors.at(*span, did_you_mean::unknown(&what, unknown, &["inline", "blocking"]));
            "Blocking"
        }
    }
}

fn level(level: Option<&(String, Span)>, errors: &mut Errors) -> &'static str {
    const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "error"];
    let Some((name, span)) = level else { return "INFO" };
    match name.to_lowercase().as_str() {
        "trace" => "TRACE",
        "debug" => "DEBUG",
        "info" => "INFO",
        "warn" | "warning" => "WARN",
        "error" => "ERROR",
        unknown => {
            let what = format!("level `{name}`");
            errors.at(*span, did_you_mean::unknown(&what, unknown, LEVELS));
            "INFO"
        }
    }
}

/// Returns the fields to read.
///
/// `prediction_id` is not among them, because the record contains it in any case. Fields with an
/// invalid new name are, so that rustc checks their paths.
fn fields(listed: Vec<Field>, has_id: bool, errors: &mut Errors) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    let mut names_id = false;
    for field in listed {
        let span = field.key_span;
        let key = field.key.as_str();
        if field.is_prediction_id() {
            if names_id {
                errors.at(span, "`prediction_id` is listed twice");
            } else if !has_id {
                errors.at(
                    span,
                    "there is no prediction id here: put `#[decorate(prediction_id)]` above \
                     `#[decorate(logging(...))]`",
                );
            }
            names_id = true;
        } else if key == PREDICTION_ID || RECORD_KEYS.contains(&key) {
            let remedy = if field.is_renamed {
                "choose another name".to_owned()
            } else {
                format!("rename the field, as in `{} as {key}_value`", field.listed())
            };
            errors.at(span, format!("every record has its own `{key}`: {remedy}"));
            fields.extend(field.is_renamed.then_some(field));
        } else if fields.iter().any(|other| other.key == field.key) {
            let message = if field.is_renamed {
                format!("another field is already named `{key}`: choose another name")
            } else {
                format!(
                    "`{key}` is listed twice: remove one of them, or rename it, as in `{} as other_name`",
                    field.listed()
                )
            };
            errors.at(span, message);
            fields.extend(field.is_renamed.then_some(field));
        } else {
            fields.push(field);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_keys_are_those_of_the_core() {
        assert_eq!(RECORD_KEYS, ml_model_core::decorators::logging::RECORD_KEYS);
    }

    #[test]
    fn mistakes_have_the_words_of_the_core() {
        use ml_model_core::decorators::logging::FieldError;
        let input = quote! {
            #[decorate(logging(
                input_fields = ["age", "age", "bmi as age", "status", "sex as row", "hashed(age)"],
                output_fields = ["redacted(status)", "a.id as hashed", "a.b as bucketed"],
            ))]
            struct Model;
        };
        let output = crate::ml_model::expand(input, Some("1")).to_string();
        for field in [Some("age"), None, Some("hashed(age)")] {
            let (key, field) = ("age".to_owned(), field.map(str::to_owned));
            let error = FieldError::Repeated { key, field };
            assert!(output.contains(&error.to_string()), "{error}");
        }
        for (key, field) in
            [("status", Some("status")), ("row", None), ("status", Some("redacted(status)"))]
        {
            let (key, field) = (key.to_owned(), field.map(str::to_owned));
            let error = FieldError::Reserved { key, field };
            assert!(output.contains(&error.to_string()), "{error}");
        }
        for (policy, path) in [("hashed", "a.id"), ("bucketed", "a.b")] {
            let (policy, path) = (policy.to_owned(), path.to_owned());
            let error = FieldError::PolicyAsKey { policy, path };
            assert!(output.contains(&error.to_string()), "{error}");
        }
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, words, snake_case) in [
            ("InsuranceChargesModel", "Insurance Charges Model", "insurance_charges_model"),
            ("IrisModelV2", "Iris Model V2", "iris_model_v2"),
            ("XGBModel", "XGB Model", "xgb_model"),
            ("Model", "Model", "model"),
            ("ML", "ML", "ml"),
            ("_Hidden_Name", "Hidden Name", "hidden_name"),
            ("ÉtéModel", "Été Model", "été_model"),
        ] {
            assert_eq!(title(name), words);
            assert_eq!(name.to_snake_case(), snake_case);
        }
    }
}
