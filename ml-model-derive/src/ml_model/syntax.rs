//! Parses `#[ml_model(...)]` and `#[decorate(...)]`.

use std::time::Duration;

use heck::ToSnakeCase;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Lit, LitStr, Path, PathArguments, Token, token};

use super::field::Field;
use crate::did_you_mean;
use crate::errors::Errors;
use crate::options::{self, OptionSpec};

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

/// One `#[decorate(...)]` attribute.
pub(super) struct Decorate {
    /// Span of the word `decorate`.
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// The decorator of an attribute. The built-in ones hold the word that names them.
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
    pub(super) sample: Option<Share>,
    pub(super) slow: Option<Duration>,
}

/// The share of predictions in `sample = 0.1`.
pub(super) struct Share {
    pub(super) value: f64,
    /// Span of the value.
    pub(super) span: Span,
}

const MODEL_OPTIONS: &[OptionSpec] = &[
    OptionSpec { name: "display_name", form: "display_name = \"...\"" },
    OptionSpec { name: "qualified_name", form: "qualified_name = \"...\"" },
    OptionSpec { name: "description", form: "description = \"...\"" },
    OptionSpec { name: "version", form: "version = \"...\"" },
    OptionSpec { name: "execution", form: "execution = inline` or `execution = blocking" },
    OptionSpec { name: "crate", form: "crate = path::to::ml_model_core" },
];
const LOGGING_OPTIONS: &[OptionSpec] = &[
    OptionSpec { name: "input_fields", form: "input_fields = [\"age\", \"bmi\"]" },
    OptionSpec { name: "output_fields", form: "output_fields = [\"charges\"]" },
    OptionSpec { name: "level", form: "level = info" },
    OptionSpec { name: "target", form: "target = \"...\"" },
    OptionSpec { name: "sample", form: "sample = 0.1" },
    OptionSpec { name: "slow", form: "slow = \"50ms\"" },
];
pub(super) const DECORATORS: &[&str] = &["prediction_id", "logging", "metrics"];
const DECORATE: &str = "#[decorate(prediction_id)]`, `#[decorate(logging(...))]`, \
                        `#[decorate(metrics)]` or `#[decorate(path::to::YourDecorator)]";

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
                decorator(input, errors)
            });
            read.decorators.extend(kind.map(|kind| Decorate { span, kind }));
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
    options::read(input, "ml_model", MODEL_OPTIONS, given, errors, |name, input, _| {
        let value = match name {
            "display_name" => &mut read.display_name,
            "qualified_name" => &mut read.qualified_name,
            "description" => &mut read.description,
            "version" => &mut read.version,
            "execution" => {
                read.execution = Some(word(input, "expected `inline` or `blocking`")?);
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

/// Reads one decorator. Its first word decides whether it is built in or custom.
fn decorator(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Kind> {
    if let Some(error) = not_a_decorator(input) {
        // A second error about the rest of this attribute would not help.
        input.parse::<TokenStream>()?;
        return Err(error);
    }
    let fork = input.fork();
    let kind = match fork.call(Ident::parse_any) {
        Ok(name) if DECORATORS.iter().any(|known| name == known) && is_word(&fork) => {
            input.call(Ident::parse_any)?;
            built_in(name, input, errors)?
        }
        Ok(name) if is_misspelt_built_in(&name, &fork) => {
            input.parse::<TokenStream>()?;
            let what = format!("decorator `{name}`");
            let snake_case = name.to_string().to_snake_case();
            let unknown = did_you_mean::unknown(&what, &snake_case, DECORATORS);
            let custom = "a custom decorator is a path or an expression, such as \
                          `crate::Timing`, `Cache::with_ttl(60)` or `self::function()`";
            return Err(syn::Error::new(name.span(), format!("{unknown}; {custom}")));
        }
        _ => {
            let expression = expression(input)?;
            if let Some(span) = self_value(&expression) {
                let message = "`self` is not available here: the decorator is created once per type, \
                               without a model; pass it what it needs, as in `Cache::with_ttl(60)`";
                // A second error about the rest of this attribute would not help.
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

/// Returns the error of tokens that cannot be a decorator: a literal, a closure, a built-in one that is
/// written like a macro or a statement.
fn not_a_decorator(input: ParseStream<'_>) -> Option<syn::Error> {
    let fork = input.fork();
    let span = input.span();
    if let Ok(literal) = fork.parse::<Lit>() {
        let message = match &literal {
            Lit::Str(text) if DECORATORS.contains(&text.value().as_str()) => {
                format!("a decorator is not quoted: `{}`", text.value())
            }
            _ => format!("a literal is not a decorator; expected `{DECORATE}`"),
        };
        return Some(syn::Error::new(span, message));
    }
    if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
        let message = "a closure is not a decorator: implement `Decorator` for a type and name it here, as \
                       in `#[decorate(crate::Timing)]`";
        return Some(syn::Error::new(span, message));
    }
    if let Some(error) = without_turbofish(input) {
        return Some(error);
    }
    let name = fork.call(Ident::parse_any).ok()?;
    let text = name.to_string();
    if fork.peek(Token![=])
        && !fork.peek(Token![==])
        && did_you_mean::nearest(&text, DECORATORS).is_none()
    {
        let message = format!(
            "`{name} =` is not needed: write the decorator alone, as in `#[decorate(logging)]`"
        );
        return Some(syn::Error::new(span, message));
    }
    if !DECORATORS.iter().any(|known| name == known) {
        return None;
    }
    let next = fork.span();
    if fork.peek(Token![!]) {
        let message = format!("`{name}` is not a macro: remove the `!`");
        return Some(syn::Error::new(next, message));
    }
    fork.peek(Token![;]).then(|| syn::Error::new(next, "remove the `;`"))
}

/// Returns the error of `Cache<u8>::new()`, which rustc would read as comparisons.
fn without_turbofish(input: ParseStream<'_>) -> Option<syn::Error> {
    let path: Path = input.fork().parse().ok()?;
    let segment = path.segments.iter().find_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(list) if list.colon2_token.is_none() => {
            Some((segment, list.lt_token.span))
        }
        _ => None,
    });
    let (segment, span) = segment?;
    let name = &segment.ident;
    let message = format!("type arguments of an expression need `::`, as in `{name}::<...>`");
    Some(syn::Error::new(span, message))
}

/// Finds the value `self` in an expression. The `self` of a path, as in `self::function`, and the
/// `self` of a function inside the expression are not such values.
fn self_value(expression: &TokenStream) -> Option<Span> {
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
            TokenTree::Group(group) => self_value(&group.stream()),
            _ => None,
        };
        found = found.or(span);
    }
    found
}

/// Reads a path or an expression.
///
/// If `syn` can parse the expression, `syn` determines its end, which may lie behind commas in angle
/// brackets. Otherwise the next comma ends it, and rustc reports the errors in it.
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

/// Returns whether a name stands for a built-in decorator: it is followed by nothing, by options or
/// by a misplaced `=`. In other positions it may be an item of the user, such as a module `logging`.
fn is_word(after_name: ParseStream<'_>) -> bool {
    after_name.is_empty()
        || after_name.peek(token::Paren)
        || after_name.peek(token::Bracket)
        || after_name.peek(token::Brace)
        || after_name.peek(Token![=])
        || after_name.peek(Token![,])
}

/// Returns whether a name that is not known is a misspelt built-in decorator.
///
/// A custom decorator is a type, a constant or a function call. It is therefore neither a lone word
/// in snake_case nor a call with options. A call of a function whose name is close to that of a
/// built-in decorator is taken as a misspelling, too.
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
    is_in_snake_case && did_you_mean::nearest(&text, DECORATORS).is_some()
        || has_options(&after_name.fork()).unwrap_or_default()
}

/// Reads the options of the built-in decorator `name`.
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
            "sample" => logging.sample = Some(share(input)?),
            "slow" => logging.slow = Some(duration(input)?),
            _ => logging.level = Some(level(input)?),
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

/// Reads the name of a level: `info`, `"info"` or the path of a constant, `Level::INFO`.
fn level(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    if input.peek2(Token![::])
        && let Ok(path) = input.call(Path::parse_mod_style)
        && let Some(last) = path.segments.last()
    {
        return Ok((last.ident.to_string(), last.ident.span()));
    }
    word(input, "expected the name of a level")
}

/// Reads a word that may be quoted: `info` or `"info"`.
fn word(input: ParseStream<'_>, expected: &str) -> syn::Result<(String, Span)> {
    if let Some(literal) = input.parse::<Option<LitStr>>()? {
        return Ok((literal.value(), literal.span()));
    }
    match input.call(Ident::parse_any) {
        Ok(ident) => Ok((ident.to_string(), ident.span())),
        Err(error) => Err(syn::Error::new(error.span(), expected)),
    }
}
