//! Reads `#[ml_model(...)]` and `#[decorate(...)]` as they are written.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, LitStr, Path, Token, token};

use super::field::Field;
use crate::errors::Errors;
use crate::options::{self, Known};
use crate::words;

/// The attributes of one type, unchecked.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) display_name: Option<LitStr>,
    pub(super) qualified_name: Option<LitStr>,
    pub(super) description: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) execution: Option<(String, Span)>,
    pub(super) krate: Option<Path>,
    /// The doc comment, a value per line.
    pub(super) doc: Vec<syn::Expr>,
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
    Metrics(Ident),
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

const MODEL_OPTIONS: &[Known] = &[
    Known { name: "display_name", form: "display_name = \"...\"" },
    Known { name: "qualified_name", form: "qualified_name = \"...\"" },
    Known { name: "description", form: "description = \"...\"" },
    Known { name: "version", form: "version = \"...\"" },
    Known { name: "execution", form: "execution = inline` or `execution = blocking" },
    Known { name: "crate", form: "crate = path::to::ml_model_core" },
];
const LOGGING_OPTIONS: &[Known] = &[
    Known { name: "input_fields", form: "input_fields = [\"age\", \"bmi\"]" },
    Known { name: "output_fields", form: "output_fields = [\"charges\"]" },
    Known { name: "level", form: "level = info" },
    Known { name: "target", form: "target = \"...\"" },
];
pub(super) const DECORATORS: &[&str] = &["prediction_id", "logging", "metrics"];
const DECORATE: &str = "#[decorate(prediction_id)]`, `#[decorate(logging(...))]`, \
                        `#[decorate(metrics)]` or `#[decorate(path::to::YourDecorator)]";

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
                decorator(input, errors)
            });
            read.decorators.extend(kind.map(|kind| Decorate { span, kind }));
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
    options::read(input, "ml_model", MODEL_OPTIONS, given, errors, |name, input, _| {
        let place = match name {
            "display_name" => &mut read.display_name,
            "qualified_name" => &mut read.qualified_name,
            "description" => &mut read.description,
            "version" => &mut read.version,
            "execution" => {
                read.execution = Some(word(input, "expected `inline` or `blocking`")?);
                return Ok(());
            }
            _ => {
                read.krate = Some(Path::parse_mod_style(input)?);
                return Ok(());
            }
        };
        *place = Some(options::string(input)?);
        Ok(())
    });
}

/// One decorator, by its first word: a built-in one or the user's.
fn decorator(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Kind> {
    let fork = input.fork();
    let kind = match fork.call(Ident::parse_any) {
        Ok(name) if DECORATORS.iter().any(|known| name == known) && is_word(&fork) => {
            input.call(Ident::parse_any)?;
            built_in(name, input, errors)?
        }
        Ok(name) if is_misspelt_built_in(&name, &fork) => {
            input.parse::<TokenStream>()?;
            let what = format!("decorator `{name}`");
            let unknown = words::unknown(&what, &words::snake_case(&name.to_string()), DECORATORS);
            let own = "a decorator of your own is a path or an expression, such as \
                       `crate::Timing`, `Cache::with_ttl(60)` or `self::function()`";
            return Err(syn::Error::new(name.span(), format!("{unknown}; {own}")));
        }
        _ => {
            let expression = expression(input)?;
            if let Some(span) = model_itself(&expression) {
                let message = "`self` is not known here: the decorator is made once for the type, \
                               without a model; give it what it needs, as in `Cache::with_ttl(60)`";
                // What follows is another attribute's.
                input.parse::<TokenStream>()?;
                return Err(syn::Error::new(span, message));
            }
            Kind::Custom(expression)
        }
    };
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        let span = input.span();
        input.parse::<TokenStream>()?;
        errors.at(span, "one decorator per attribute: write a second `#[decorate(...)]`");
    }
    Ok(kind)
}

/// The value `self` in an expression; not that of a path `self::function`, nor that of a function
/// inside of the expression.
fn model_itself(expression: &TokenStream) -> Option<Span> {
    let mut found = None;
    let mut tokens = expression.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let span = match &token {
            TokenTree::Ident(word) if word == "fn" => return None,
            TokenTree::Ident(word) if word == "self" => {
                let is_path = matches!(
                    tokens.peek(),
                    Some(TokenTree::Punct(punct)) if punct.as_char() == ':'
                );
                (!is_path).then(|| word.span())
            }
            TokenTree::Group(group) => model_itself(&group.stream()),
            _ => None,
        };
        found = found.or(span);
    }
    found
}

/// A path or an expression. `syn` finds its end if it knows the expression, as it does paths with
/// commas between angle brackets; otherwise a comma ends it, and rustc judges the rest.
fn expression(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let fork = input.fork();
    if fork.parse::<syn::Expr>().is_ok() && (fork.is_empty() || fork.peek(Token![,])) {
        return Ok(input.parse::<syn::Expr>()?.into_token_stream());
    }
    let start = input.span();
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        let token: TokenTree = input.parse()?;
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';') {
            input.parse::<TokenStream>()?;
            return Err(syn::Error::new(token.span(), "expected one expression"));
        }
        tokens.extend([token]);
    }
    if tokens.is_empty() {
        input.parse::<TokenStream>()?;
        return Err(syn::Error::new(start, format!("expected a decorator: `{DECORATE}`")));
    }
    Ok(tokens)
}

/// Whether what follows a name makes it a word of this language: nothing, options, or a mistaken
/// `=`. A user's module may be called `logging`.
fn is_word(after_name: ParseStream<'_>) -> bool {
    after_name.is_empty()
        || after_name.peek(token::Paren)
        || after_name.peek(token::Bracket)
        || after_name.peek(token::Brace)
        || after_name.peek(Token![=])
        || after_name.peek(Token![,])
}

/// A user's decorator is a type, a constant or a function call. A lone word in snake_case is none
/// of these, nor are options in a call; and a call of what is nearly `logging` is no accident.
fn is_misspelt_built_in(name: &Ident, after_name: ParseStream<'_>) -> bool {
    let text = name.to_string();
    let is_in_snake_case = !text.contains(char::is_uppercase);
    if !is_word(after_name) {
        return false;
    }
    if !after_name.peek(token::Paren) {
        return is_in_snake_case;
    }
    let has_options = |input: ParseStream<'_>| {
        let content;
        syn::parenthesized!(content in input);
        content.call(Ident::parse_any)?;
        let is_option = content.peek(Token![=]) && !content.peek(Token![==]);
        content.parse::<TokenStream>()?;
        Ok(is_option)
    };
    is_in_snake_case && words::nearest(&text, DECORATORS).is_some()
        || has_options(&after_name.fork()).unwrap_or_default()
}

fn built_in(name: Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Kind> {
    if !input.is_empty() && !input.peek(token::Paren) && !input.peek(Token![,]) {
        input.parse::<TokenStream>()?;
        let message = if name == "logging" {
            "options are in parentheses: `logging(...)`".to_owned()
        } else {
            format!("`{name}` has no options")
        };
        return Err(syn::Error::new(name.span(), message));
    }
    let options;
    let options = if input.peek(token::Paren) {
        syn::parenthesized!(options in input);
        Some(&options)
    } else {
        None
    };
    if name == "logging" {
        let logging = options.map(|options| logging(options, errors));
        return Ok(Kind::Logging(name, logging.unwrap_or_default()));
    }
    if let Some(options) = options
        && !options.is_empty()
    {
        errors.push(options.error(format!("`{name}` has no options")));
        options.parse::<TokenStream>()?;
    }
    Ok(if name == "metrics" { Kind::Metrics(name) } else { Kind::PredictionId(name) })
}

fn logging(input: ParseStream<'_>, errors: &mut Errors) -> Logging {
    let mut logging = Logging::default();
    let mut given = Vec::new();
    options::read(input, "logging", LOGGING_OPTIONS, &mut given, errors, |name, input, errors| {
        match name {
            "input_fields" => logging.input_fields = fields(input, errors)?,
            "output_fields" => logging.output_fields = fields(input, errors)?,
            "target" => logging.target = Some(options::string(input)?),
            _ => logging.level = Some(word(input, "expected the name of a level")?),
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
        fields.push(Field::parse(input)?);
        Ok(())
    });
    Ok(fields)
}

/// `info` or `"info"`.
fn word(input: ParseStream<'_>, expected: &str) -> syn::Result<(String, Span)> {
    if let Some(literal) = input.parse::<Option<LitStr>>()? {
        return Ok((literal.value(), literal.span()));
    }
    match input.call(Ident::parse_any) {
        Ok(ident) => Ok((ident.to_string(), ident.span())),
        Err(error) => Err(syn::Error::new(error.span(), expected)),
    }
}
