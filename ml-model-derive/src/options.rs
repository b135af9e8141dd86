//! Reads `name = value, ...`: the form that the options of all attributes share.
//!
//! After a mistake in one option reading goes on behind the next comma, so that one does not hide
//! those that follow.

use proc_macro2::{Ident, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, LitStr, Meta, Token};

use crate::errors::Errors;
use crate::words;

/// An option of an attribute.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// How the option is written, for people who wrote it otherwise.
    pub(crate) form: &'static str,
}

/// Reads all options of `owner`. `option` reads one value. `given` holds those that were read, also
/// from other attributes of the same type.
pub(crate) fn read(
    input: ParseStream<'_>,
    owner: &str,
    known: &[Known],
    given: &mut Vec<&'static str>,
    errors: &mut Errors,
    mut option: impl FnMut(&str, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let names: Vec<_> = known.iter().map(|known| known.name).collect();
    for_each(input, errors, |input, errors| {
        let Ok(name) = input.call(Ident::parse_any) else {
            return Err(input.error(format!(
                "expected `name = value`; the options of `{owner}` are {}",
                words::list(&names)
            )));
        };
        let text = name.to_string();
        let Some(&Known { name: option_name, form }) =
            known.iter().find(|known| known.name == text)
        else {
            let what = format!("option `{text}` of `{owner}`");
            return Err(syn::Error::new(name.span(), words::unknown(&what, &text, &names)));
        };
        if given.contains(&option_name) {
            return Err(syn::Error::new(name.span(), format!("`{text}` is given twice")));
        }
        let is_written = || format!("`{text}` is written `{form}`");
        if input.parse::<Option<Token![=]>>()?.is_none() || is_end(input) {
            return Err(syn::Error::new(name.span(), is_written()));
        }
        let value = option(&text, input, errors).and_then(|()| expect_end(input));
        given.push(option_name);
        value.map_err(|error| syn::Error::new(error.span(), format!("{error}; {}", is_written())))
    });
}

/// Calls `item` for each of the items between commas; it is to read one from the input.
pub(crate) fn for_each(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let result = item(input, errors).and_then(|()| expect_end(input));
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

/// A value that is a string.
pub(crate) fn string(input: ParseStream<'_>) -> syn::Result<LitStr> {
    input.parse::<LitStr>().map_err(|error| syn::Error::new(error.span(), "expected a string"))
}

/// Reads what is between the parentheses of an attribute.
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

/// Of the attribute's name.
pub(crate) fn span(attribute: &Attribute) -> Span {
    attribute.path().segments.first().map_or_else(Span::call_site, |segment| segment.ident.span())
}
