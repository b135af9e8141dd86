//! Parses the attributes of a type, of which `#[ml_model(...)]` itself.

use proc_macro2::{Ident, Span};
use syn::parse::ParseStream;
use syn::{Attribute, LitStr, Path};

use super::decorator::{self, DECORATE, DECORATORS, Decorate};
use super::logging;
use crate::errors::Errors;
use crate::options::{self, OptionSpec, Options};

/// The attributes of one type, parsed but not yet validated.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) display_name: Option<LitStr>,
    pub(super) qualified_name: Option<LitStr>,
    pub(super) description: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) execution: Option<(String, Span)>,
    pub(super) krate: Option<Path>,
    /// Whether the type has `#[deprecated]`.
    pub(super) is_deprecated: bool,
    /// The doc comment, one expression per line.
    pub(super) doc: Vec<syn::Expr>,
    /// The decorators, outermost first.
    pub(super) decorators: Vec<Decorate>,
}

const OPTIONS: Options = Options { owner: "ml_model", specs: SPECS, remedy: misplaced };
const SPECS: &[OptionSpec] = &[
    OptionSpec { name: "display_name", form: "display_name = \"...\"" },
    OptionSpec { name: "qualified_name", form: "qualified_name = \"...\"" },
    OptionSpec { name: "description", form: "description = \"...\"" },
    OptionSpec {
        name: "version",
        form: "version = \"...\"`, or left out for that of the crate, `CARGO_PKG_VERSION",
    },
    OptionSpec { name: "execution", form: "execution = inline` or `execution = blocking" },
    OptionSpec { name: "crate", form: "crate = path::to::ml_model_core" },
];

/// Returns the remedy for an option that has its place elsewhere.
fn misplaced(name: &Ident) -> Option<String> {
    let text = name.to_string();
    let remedy = match text.as_str() {
        "inline" | "blocking" => format!("`execution` has a value: write `execution = {text}`"),
        "input" | "output" | "error" => {
            let item = text[..1].to_uppercase() + &text[1..];
            format!("the types of a model are in `impl Infer`: write `type {item} = ...;` there")
        }
        "create_endpoint" | "concurrency_limit" => {
            format!("`{text}` is a key of the configuration file, not of the attribute")
        }
        "decorate" | "decorator" | "decorators" => {
            format!("each decorator has its own attribute: write `{DECORATE}`")
        }
        _ if DECORATORS.contains(&text.as_str()) => {
            let options = if text == "logging" { "(...)" } else { "" };
            format!("a decorator has its own attribute: write `#[decorate({text}{options})]`")
        }
        _ => return logging::outside(name),
    };
    Some(remedy)
}

/// Reads the attributes of one type.
pub(super) fn read(attributes: &[Attribute], errors: &mut Errors) -> Attributes {
    let mut read = Attributes::default();
    let mut given = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("ml_model") {
            let example = "#[ml_model(qualified_name = \"...\")]";
            options::in_parentheses(attribute, example, errors, |input, errors| {
                read_ml_model(input, &mut read, &mut given, errors);
                Ok(())
            });
        } else if attribute.path().is_ident("decorate") {
            let span = options::span(attribute);
            let kind = options::in_parentheses(attribute, DECORATE, errors, |input, errors| {
                if input.is_empty() {
                    let message = format!("expected a decorator: `{DECORATE}`");
                    return Err(syn::Error::new(span, message));
                }
                decorator::read(input, errors)
            });
            read.decorators.extend(kind.map(|kind| Decorate { span, kind }));
        } else if let Some(error) = decorator::without_decorate(attribute) {
            errors.push(error);
        } else if attribute.path().is_ident("deprecated") {
            read.is_deprecated = true;
        } else if attribute.path().is_ident("doc") {
            read.doc.extend(attribute.meta.require_name_value().ok().map(|doc| doc.value.clone()));
        }
    }
    read
}

fn read_ml_model(
    input: ParseStream<'_>,
    read: &mut Attributes,
    given: &mut Vec<&'static str>,
    errors: &mut Errors,
) {
    options::read(input, &OPTIONS, given, errors, |name, input, _| {
        let value = match name {
            "display_name" => &mut read.display_name,
            "qualified_name" => &mut read.qualified_name,
            "description" => &mut read.description,
            "version" => &mut read.version,
            "execution" => {
                read.execution = Some(options::word(input, "expected `inline` or `blocking`")?);
                return Ok(());
            }
            _ => {
                read.krate = Some(options::crate_path(input)?);
                return Ok(());
            }
        };
        *value = Some(options::string(input)?);
        Ok(())
    });
}
