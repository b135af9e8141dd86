//! Reads `name = value, ...`, the syntax that the options of all attributes share.
//!
//! After an error in one option, reading continues behind the next comma, so that errors in the
//! following options are found, too. A value is written where it is read: a macro has no access to constants and other
//! macros.

use std::mem;

use proc_macro2::{Ident, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, LitStr, Meta, Path, Token};

use crate::did_you_mean;
use crate::errors::Errors;

/// Specification of one option of an attribute.
pub(crate) struct OptionSpec {
    pub(crate) name: &'static str,
    /// Syntax of the option, for error messages.
    pub(crate) form: &'static str,
}

/// The options of one attribute or decorator.
pub(crate) struct Options {
    /// Name of the attribute or decorator.
    pub(crate) owner: &'static str,
    pub(crate) specs: &'static [OptionSpec],
    /// Returns what to write in place of an unknown name that has its place elsewhere.
    pub(crate) remedy: fn(&Ident) -> Option<String>,
}

/// Reads all options. `read_value` reads the value of one option. `given` holds the names of the
/// options that were read, including those in other attributes of the same item.
pub(crate) fn read(
    input: ParseStream<'_>,
    &Options { owner, specs, remedy }: &Options,
    given: &mut Vec<&'static str>,
    errors: &mut Errors,
    mut read_value: impl FnMut(&str, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
    let mut has_unnamed = false;
    for_each(input, errors, |input, errors| {
        let Ok(name) = input.call(Ident::parse_any) else {
            if mem::replace(&mut has_unnamed, true) {
                while !is_end(input) {
                    input.parse::<TokenTree>()?;
                }
                return Ok(());
            }
            let form = specs.first().map_or("name = value", |spec| spec.form);
            let message = format!(
                "expected `name = value`, as in `{form}`; the options of `{owner}` are {}",
                did_you_mean::list(&names)
            );
            return Err(input.error(message));
        };
        let text = name.to_string();
        let Some(spec) = specs.iter().find(|spec| spec.name == text) else {
            let message = remedy(&name).unwrap_or_else(|| {
                let what = format!("option `{text}` of `{owner}`");
                did_you_mean::unknown(&what, &text, &names)
            });
            return Err(syn::Error::new(name.span(), message));
        };
        if given.contains(&spec.name) {
            let is_list = spec.form.contains('[');
            let remedy = if is_list { "list all fields in one" } else { "remove one of them" };
            let message = format!("`{text}` is given twice: {remedy}");
            return Err(syn::Error::new(name.span(), message));
        }
        let is_written = || format!("`{text}` is written `{}`", spec.form);
        if input.parse::<Option<Token![=]>>()?.is_none() || is_end(input) {
            return Err(syn::Error::new(name.span(), is_written()));
        }
        let start = input.span();
        let is_computed = is_computed(input);
        let value = read_value(&text, input, errors).and_then(|()| expect_end(input));
        given.push(spec.name);
        value.map_err(|error| {
            let (span, error) = match is_computed {
                true => (start, COMPUTED.to_owned()),
                false => (error.span(), error.to_string()),
            };
            syn::Error::new(span, format!("{error}; {}", is_written()))
        })
    });
}

const COMPUTED: &str =
    "expected the value itself: constants, macros and expressions cannot be read here";

/// Returns whether the next value is a constant, a macro or an expression.
fn is_computed(input: ParseStream<'_>) -> bool {
    fn computed(value: &Expr) -> bool {
        match value {
            Expr::Path(path) => {
                let path = &path.path;
                // One word with small letters is a text without quotes.
                path.get_ident().is_none_or(|word| !word.to_string().contains(char::is_lowercase))
            }
            Expr::Call(call) => computed(&call.func),
            Expr::Reference(reference) => computed(&reference.expr),
            value => matches!(value, Expr::Binary(_) | Expr::Macro(_) | Expr::MethodCall(_)),
        }
    }
    let fork = input.fork();
    fork.parse::<Expr>().is_ok_and(|value| is_end(&fork) && computed(&value))
}

/// Calls `read_item` for each comma-separated item.
pub(crate) fn for_each(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut read_item: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let result = read_item(input, errors).and_then(|()| expect_end(input));
        errors.ok(result);
        while !is_end(input) {
            errors.ok(input.parse::<TokenTree>());
        }
        errors.ok(input.parse::<Option<Token![,]>>());
    }
}

fn is_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn expect_end(input: ParseStream<'_>) -> syn::Result<()> {
    if is_end(input) { Ok(()) } else { Err(input.error("expected a comma")) }
}

/// Reads a string literal.
pub(crate) fn string(input: ParseStream<'_>) -> syn::Result<LitStr> {
    input.parse::<LitStr>().map_err(|error| syn::Error::new(error.span(), "expected a string"))
}

/// Reads a word: `info`, `"info"`, or the last name of a path such as `Level::INFO`.
pub(crate) fn word(input: ParseStream<'_>, expected: &str) -> syn::Result<(String, Span)> {
    if let Some(literal) = input.parse::<Option<LitStr>>()? {
        return Ok((literal.value(), literal.span()));
    }
    if input.peek2(Token![::])
        && let Ok(path) = input.call(Path::parse_mod_style)
        && let Some(last) = path.segments.last()
    {
        return Ok((last.ident.to_string(), last.ident.span()));
    }
    match input.call(Ident::parse_any) {
        Ok(ident) => Ok((ident.to_string(), ident.span())),
        Err(error) => Err(syn::Error::new(error.span(), expected)),
    }
}

/// Reads the path of a crate, which may be quoted as in serde's attributes.
pub(crate) fn crate_path(input: ParseStream<'_>) -> syn::Result<Path> {
    match input.parse::<Option<LitStr>>()? {
        Some(literal) => literal.parse_with(Path::parse_mod_style),
        None => Path::parse_mod_style(input),
    }
}

/// Reads the arguments between the parentheses of an attribute.
pub(crate) fn in_parentheses<T>(
    attribute: &Attribute,
    example: &str,
    errors: &mut Errors,
    read: impl FnOnce(ParseStream<'_>, &mut Errors) -> syn::Result<T>,
) -> Option<T> {
    match &attribute.meta {
        Meta::List(list) if matches!(list.delimiter, syn::MacroDelimiter::Paren(_)) => {
            let result = attribute.parse_args_with(|input: ParseStream<'_>| read(input, errors));
            errors.ok(result)
        }
        _ => {
            errors.at(span(attribute), format!("expected parentheses: `{example}`"));
            None
        }
    }
}

/// Returns the span of the attribute's name.
pub(crate) fn span(attribute: &Attribute) -> Span {
    attribute.path().segments.first().map_or_else(Span::call_site, |segment| segment.ident.span())
}
