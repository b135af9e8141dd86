//! Reads `#[ml_model(...)]` and `#[decorate(...)]` as they are written.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Path, token};

use super::field::Field;
use crate::errors::Errors;
use crate::options::{self, Entry};
use crate::words;

/// The attributes of one type, unchecked.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) display_name: Option<LitStr>,
    pub(super) qualified_name: Option<LitStr>,
    pub(super) description: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) krate: Option<Path>,
    /// Text of the doc comment.
    pub(super) doc: String,
    /// Outermost first.
    pub(super) decorators: Vec<Decorate>,
}

/// One `#[decorate(...)]`.
pub(super) struct Decorate {
    /// Of the word `decorate`.
    pub(super) span: Span,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    PredictionId(Ident),
    Logging(Ident, Logging),
    Custom(TokenStream),
}

/// Options of `logging(...)`.
#[derive(Default)]
pub(super) struct Logging {
    pub(super) input_fields: Vec<Field>,
    pub(super) output_fields: Vec<Field>,
    pub(super) level: Option<(String, Span)>,
    pub(super) target: Option<LitStr>,
}

const MODEL_KEYS: &[&str] = &["display_name", "qualified_name", "description", "version", "crate"];
const LOGGING_OPTIONS: &[&str] = &["input_fields", "output_fields", "level", "target"];
const DECORATORS: &[&str] = &["prediction_id", "logging"];
const DECORATE: &str = "#[decorate(prediction_id)]`, `#[decorate(logging(...))]` or \
                        `#[decorate(path::to::YourDecorator)]";

pub(super) fn read(attributes: &[Attribute], errors: &mut Errors) -> Attributes {
    let mut read = Attributes::default();
    for attribute in attributes {
        if attribute.path().is_ident("ml_model") {
            let example = "#[ml_model(qualified_name = \"...\")]";
            if let Some(tokens) = options::in_parentheses(attribute, example, errors) {
                read_ml_model(tokens, &mut read, errors);
            }
        } else if attribute.path().is_ident("decorate") {
            if let Some(tokens) = options::in_parentheses(attribute, DECORATE, errors)
                && let Some(kind) = decorator(attribute_span(attribute), tokens, errors)
            {
                read.decorators.push(Decorate { span: attribute_span(attribute), kind });
            }
        } else if attribute.path().is_ident("doc") {
            read_doc(attribute, &mut read.doc);
        }
    }
    read
}

fn attribute_span(attribute: &Attribute) -> Span {
    attribute.path().segments.first().map_or_else(Span::call_site, |segment| segment.ident.span())
}

fn read_ml_model(tokens: TokenStream, read: &mut Attributes, errors: &mut Errors) {
    for entry in options::entries(tokens, "ml_model", MODEL_KEYS, errors) {
        let name = entry.name.to_string();
        let place = match name.as_str() {
            "display_name" => &mut read.display_name,
            "qualified_name" => &mut read.qualified_name,
            "description" => &mut read.description,
            "version" => &mut read.version,
            _ => {
                read.krate =
                    entry.parse("crate = path::to::ml_model_core", errors, Path::parse_mod_style);
                continue;
            }
        };
        if place.is_some() {
            errors.at(entry.name.span(), format!("`{name}` is given twice"));
        }
        *place = entry.string(errors);
    }
}

/// Lines of a doc comment, without the blank before each; paragraphs stay apart.
fn read_doc(attribute: &Attribute, doc: &mut String) {
    if let syn::Meta::NameValue(meta) = &attribute.meta
        && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) = &meta.value
    {
        if !doc.is_empty() {
            doc.push('\n');
        }
        doc.push_str(line.value().trim());
    }
}

/// One decorator, by its first words: a built-in one or the user's.
fn decorator(attribute: Span, tokens: TokenStream, errors: &mut Errors) -> Option<Kind> {
    if tokens.is_empty() {
        errors.at(attribute, format!("expected a decorator: `{DECORATE}`"));
        return None;
    }
    if let [_, second, ..] = options::split_commas(tokens.clone()).as_slice() {
        errors.at(
            options::first_span(second),
            "one decorator per attribute: write a second `#[decorate(...)]`",
        );
        return None;
    }
    match Words::parse.parse2(tokens.clone()) {
        Ok(Words { name, arguments }) if DECORATORS.iter().any(|known| name == known) => {
            built_in(name, arguments, errors)
        }
        Ok(Words { name, arguments }) if is_misspelt_built_in(&name, &arguments) => {
            let name_text = name.to_string();
            let hint = words::nearest(&name_text, DECORATORS)
                .map_or(String::new(), |nearest| format!(", did you mean `{nearest}`?"));
            errors.at(
                name.span(),
                format!(
                    "unknown decorator `{name}`{hint}; built in are {}, a decorator of your own \
                     is a path or an expression such as `crate::Timing` or `Cache::with_ttl(60)`",
                    words::list(DECORATORS)
                ),
            );
            None
        }
        _ => Some(Kind::Custom(tokens)),
    }
}

/// `name`, `name(...)` or `name = ...`.
struct Words {
    name: Ident,
    arguments: Arguments,
}

enum Arguments {
    None,
    Parentheses(TokenStream),
    Equals,
}

impl Words {
    /// Fails on everything else, such as paths and method calls.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let arguments = if input.is_empty() {
            Arguments::None
        } else if input.peek(token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            if !input.is_empty() {
                return Err(input.error("more than a call"));
            }
            Arguments::Parentheses(content.parse()?)
        } else {
            input.parse::<syn::Token![=]>()?;
            input.parse::<TokenStream>()?;
            Arguments::Equals
        };
        Ok(Self { name, arguments })
    }
}

/// A user's decorator is a type, a constant or a function call. A lone word in snake_case is none
/// of these, nor are options in a call; and a call of what is nearly `logging` is no accident.
fn is_misspelt_built_in(name: &Ident, arguments: &Arguments) -> bool {
    let text = name.to_string();
    if text.chars().any(char::is_uppercase) {
        return false;
    }
    match arguments {
        Arguments::None | Arguments::Equals => true,
        Arguments::Parentheses(arguments) => {
            let mut arguments = arguments.clone().into_iter();
            let is_option = matches!(
                (arguments.next(), arguments.next(), arguments.next()),
                (Some(TokenTree::Ident(_)), Some(TokenTree::Punct(equals)), Some(value))
                    if equals.as_char() == '=' && !matches!(&value, TokenTree::Punct(p) if p.as_char() == '=')
            );
            is_option || words::nearest(&text, DECORATORS).is_some()
        }
    }
}

fn built_in(name: Ident, arguments: Arguments, errors: &mut Errors) -> Option<Kind> {
    let options = match arguments {
        Arguments::None => TokenStream::new(),
        Arguments::Parentheses(options) => options,
        Arguments::Equals => {
            let form = if name == "logging" { "logging(...)" } else { "prediction_id" };
            errors.at(name.span(), format!("`{name}` takes no `=`: it is written `{form}`"));
            return None;
        }
    };
    if name == "logging" {
        let logging = logging(options, errors);
        return Some(Kind::Logging(name, logging));
    }
    if !options.is_empty() {
        errors.at(options::first_span(&options), "`prediction_id` has no options");
    }
    Some(Kind::PredictionId(name))
}

fn logging(tokens: TokenStream, errors: &mut Errors) -> Logging {
    let mut logging = Logging::default();
    for entry in options::entries(tokens, "logging", LOGGING_OPTIONS, errors) {
        match entry.name.to_string().as_str() {
            "input_fields" => logging.input_fields = fields(&entry, errors),
            "output_fields" => logging.output_fields = fields(&entry, errors),
            "target" => logging.target = entry.string(errors),
            _ => logging.level = entry.parse("level = info", errors, level),
        }
    }
    logging
}

fn fields(entry: &Entry, errors: &mut Errors) -> Vec<Field> {
    let form = format!("{} = [\"age\", \"bmi\"]", entry.name);
    let list = entry.parse(&form, errors, |input| {
        if !input.peek(token::Bracket) {
            return Err(input.error("expected a list of fields"));
        }
        let content;
        syn::bracketed!(content in input);
        content.parse::<TokenStream>()
    });
    let pieces = options::split_commas(list.unwrap_or_default());
    pieces
        .into_iter()
        .filter_map(|piece| {
            if piece.is_empty() {
                errors.at(entry.name.span(), "a field is missing between two commas");
                return None;
            }
            errors.ok(syn::parse2(piece))
        })
        .collect()
}

/// `info`, `"info"`.
fn level(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    if let Some(literal) = input.parse::<Option<LitStr>>()? {
        return Ok((literal.value(), literal.span()));
    }
    match input.call(Ident::parse_any) {
        Ok(ident) => Ok((ident.to_string(), ident.span())),
        Err(error) => Err(syn::Error::new(error.span(), "expected the name of a level")),
    }
}
