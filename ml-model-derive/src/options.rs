//! Reads `name = value, ...`: the form that the options of all attributes share.
//!
//! Each option is parsed on its own, so that a mistake in one does not hide those in others.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Meta};

use crate::errors::Errors;
use crate::words;

/// One `name = value`. The value has no tokens if there is no `=`.
pub(crate) struct Entry {
    pub(crate) name: Ident,
    value: Option<TokenStream>,
}

impl Entry {
    /// Parses the value. `form` is how the option is written, for people who wrote it otherwise.
    pub(crate) fn parse<T>(
        &self,
        form: &str,
        errors: &mut Errors,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> Option<T> {
        let name = &self.name;
        match &self.value {
            None => errors.at(name.span(), format!("`{name}` needs a value: `{form}`")),
            Some(value) if value.is_empty() => {
                errors.at(name.span(), format!("`{name}` needs a value: `{form}`"));
            }
            Some(value) => match parse.parse2(value.clone()) {
                Ok(value) => return Some(value),
                Err(error) => {
                    errors.at(error.span(), format!("{error}; `{name}` is written `{form}`"));
                }
            },
        }
        None
    }

    /// Parses a value that is a string.
    pub(crate) fn string(&self, errors: &mut Errors) -> Option<LitStr> {
        let form = format!("{} = \"...\"", self.name);
        self.parse(&form, errors, |input| {
            input
                .parse()
                .map_err(|error: syn::Error| syn::Error::new(error.span(), "expected a string"))
        })
    }
}

/// The options inside of an attribute or of a decorator's parentheses. Names that are not `known`
/// and names that come twice are noted as mistakes and left out.
pub(crate) fn entries(
    tokens: TokenStream,
    owner: &str,
    known: &[&str],
    errors: &mut Errors,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for piece in split_commas(tokens) {
        let entry = |input: ParseStream<'_>| {
            let name = input.call(Ident::parse_any)?;
            let value = if input.is_empty() {
                None
            } else {
                input.parse::<syn::Token![=]>()?;
                Some(input.parse()?)
            };
            Ok(Entry { name, value })
        };
        let span = first_span(&piece);
        let entry = match entry.parse2(piece) {
            Ok(entry) => entry,
            Err(_) => {
                errors.at(
                    span,
                    format!(
                        "expected `name = value`; the options of `{owner}` are {}",
                        words::list(known)
                    ),
                );
                continue;
            }
        };
        let name = entry.name.to_string();
        if !known.contains(&name.as_str()) {
            let hint = words::nearest(&name, known)
                .map_or(String::new(), |nearest| format!(", did you mean `{nearest}`?"));
            errors.at(
                entry.name.span(),
                format!(
                    "unknown option `{name}` of `{owner}`{hint}; the options are {}",
                    words::list(known)
                ),
            );
        } else if entries.iter().any(|other| other.name == entry.name) {
            errors.at(entry.name.span(), format!("`{name}` is given twice"));
        } else {
            entries.push(entry);
        }
    }
    entries
}

/// The tokens between the parentheses of an attribute.
pub(crate) fn in_parentheses(
    attribute: &Attribute,
    example: &str,
    errors: &mut Errors,
) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::List(list) if matches!(list.delimiter, syn::MacroDelimiter::Paren(_)) => {
            Some(list.tokens.clone())
        }
        meta => {
            let span =
                meta.path().segments.first().map_or_else(Span::call_site, |s| s.ident.span());
            errors.at(span, format!("expected parentheses: `{example}`"));
            None
        }
    }
}

/// Splits tokens at their outer commas. A trailing comma adds nothing.
pub(crate) fn split_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut pieces = vec![TokenStream::new()];
    for token in tokens {
        match (&token, pieces.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => {
                pieces.push(TokenStream::new())
            }
            (_, Some(piece)) => piece.extend([token]),
            (_, None) => {}
        }
    }
    if pieces.last().is_some_and(TokenStream::is_empty) {
        pieces.pop();
    }
    pieces
}

/// Where the tokens start.
pub(crate) fn first_span(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}
