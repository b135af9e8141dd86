//! Parses the decorator in `#[decorate(...)]`.

use heck::ToSnakeCase;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, Meta, Path, PathArguments, Token, token};

use super::logging::{self, Logging};
use super::policy;
use crate::errors::Errors;
use crate::{did_you_mean, options};

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

/// The built-in decorators.
pub(super) const DECORATORS: &[&str] = &["prediction_id", "logging", "metrics"];
/// The forms of the attribute, for error messages.
pub(super) const DECORATE: &str = "#[decorate(prediction_id)]`, `#[decorate(logging(...))]`, \
                        `#[decorate(metrics)]` or `#[decorate(path::to::YourDecorator)]";

const ONE_EACH: &str = "one decorator per attribute: write a second `#[decorate(...)]`";

/// Types of the built-in decorators, of which the first is that of the Python packages. A type of the user with such a
/// name is written as a path.
const TYPES: &[&str] =
    &["PredictionIDDecorator", "PredictionIdDecorator", "LoggingDecorator", "MetricsDecorator"];

/// Returns the error of an attribute that is named like a built-in decorator, such as `#[logging]`.
pub(super) fn without_decorate(attribute: &Attribute) -> Option<syn::Error> {
    let name = DECORATORS.iter().find(|name| attribute.path().is_ident(name))?;
    let options = if matches!(attribute.meta, Meta::List(_)) { "(...)" } else { "" };
    let message =
        format!("`{name}` is a decorator: write `#[decorate({name}{options})]` above the type");
    Some(syn::Error::new(options::span(attribute), message))
}

/// Reads one decorator. Its first word decides whether it is built in or custom.
pub(super) fn read(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Kind> {
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
            let short = snake_case.trim_end_matches("_decorator");
            let unknown = did_you_mean::unknown(&what, short, DECORATORS);
            let custom = "a custom decorator is a path or an expression, such as \
                          `crate::Timing`, `Cache::with_ttl(60)` or `self::function()`";
            return Err(syn::Error::new(name.span(), format!("{unknown}; {custom}")));
        }
        _ => {
            let expression = expression(input)?;
            if let Some(error) = without_value(&expression) {
                // A second error about the rest of this attribute would not help.
                input.parse::<TokenStream>()?;
                return Err(error);
            }
            Kind::Custom(isolated(expression))
        }
    };
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        let span = input.span();
        let option = input.fork().call(Ident::parse_any).ok();
        let message = option.and_then(|name| logging::outside(&name));
        input.parse::<TokenStream>()?;
        errors.at(span, message.as_deref().unwrap_or(ONE_EACH));
    }
    Ok(kind)
}

/// Returns the error of tokens that cannot be a decorator: a literal, a closure, a policy, a built-in one that is
/// written with hyphens, like a macro or like a statement.
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
    if policy::is_policy(&text) && is_word(&fork) {
        let example = match fork.parse::<Group>() {
            Ok(field) => format!("{text}{field}"),
            Err(_) => policy::example(&text, "customer_id"),
        };
        let message = format!(
            "`{text}` is a policy of a field: list `{example}` in the `input_fields` of `#[decorate(logging(...))]`"
        );
        return Some(syn::Error::new(span, message));
    }
    if let Some(decorator) = hyphenated(input) {
        return Some(syn::Error::new(span, format!("a name has no `-`: write `{decorator}`")));
    }
    if fork.peek(Token![=])
        && !fork.peek(Token![==])
        && did_you_mean::nearest(&text, DECORATORS).is_none()
    {
        let message = logging::outside(&name).unwrap_or_else(|| {
            format!(
                "`{name} =` is not needed: write the decorator alone, as in `#[decorate(logging)]`"
            )
        });
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
    fork.peek(Token![;]).then(|| at_semicolon(&fork))
}

/// Returns the built-in decorator that words with hyphens between them stand for.
fn hyphenated(input: ParseStream<'_>) -> Option<&'static str> {
    let words = input.fork().call(Punctuated::<Ident, Token![-]>::parse_separated_nonempty).ok()?;
    let words: Vec<String> = words.iter().map(Ident::to_string).collect();
    (words.len() > 1).then(|| did_you_mean::nearest(&words.join("_"), DECORATORS))?
}

/// Returns the error of the `;` that is next.
fn at_semicolon(input: ParseStream<'_>) -> syn::Error {
    let span = input.span();
    let is_last = input.cursor().token_tree().is_none_or(|(_, rest)| rest.eof());
    syn::Error::new(span, if is_last { "remove the `;`" } else { ONE_EACH })
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

/// Returns the error of an expression that has no value outside a function: one with `self`, or with `?` at its
/// end.
fn without_value(expression: &TokenStream) -> Option<syn::Error> {
    if let Some(span) = self_value(expression) {
        let message = "`self` is not available here: the decorator is created once per type, \
                       without a model; pass it what it needs, as in `Cache::with_ttl(60)`";
        return Some(syn::Error::new(span, message));
    }
    let last = expression.clone().into_iter().last();
    let last = last.filter(|last| matches!(last, TokenTree::Punct(mark) if mark.as_char() == '?'));
    let message = "`?` has no function to return from here: take the value, as in \
                   `Cache::open(\"...\").expect(\"reason\")`";
    last.map(|mark| syn::Error::new(mark.span(), message))
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
    if fork.parse::<Expr>().is_ok() && (fork.is_empty() || fork.peek(Token![,])) {
        return Ok(input.parse::<Expr>()?.into_token_stream());
    }
    let start = input.span();
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.peek(Token![;]) {
            let error = at_semicolon(input);
            input.parse::<TokenStream>()?;
            return Err(error);
        }
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    if tokens.is_empty() {
        input.parse::<TokenStream>()?;
        return Err(syn::Error::new(start, format!("expected a decorator: `{DECORATE}`")));
    }
    Ok(tokens)
}

/// Makes an expression that `syn` cannot parse the argument of a macro, so that a mistake in its syntax does not
/// concern the code around it.
fn isolated(expression: TokenStream) -> TokenStream {
    match expression.clone().into_iter().next() {
        Some(first) if syn::parse2::<Expr>(expression.clone()).is_err() => {
            quote_spanned!(first.span()=> __core::expression!(#expression))
        }
        _ => expression,
    }
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
/// built-in decorator is taken as a misspelling, too, and so is the type of one.
fn is_misspelt_built_in(name: &Ident, after_name: ParseStream<'_>) -> bool {
    let text = name.to_string();
    let is_in_snake_case = !text.contains(char::is_uppercase);
    if !is_word(after_name) {
        return false;
    }
    if TYPES.contains(&text.as_str()) {
        return true;
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
        let logging = options.map(|options| logging::read(options, errors));
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
