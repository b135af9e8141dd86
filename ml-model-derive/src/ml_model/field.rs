//! Parses one field of `input_fields` or `output_fields`: `age`, `"age"`, `address.zip`, `bmi as b`.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Index, Lit, LitStr, Member, Token};

/// A logged field.
pub(super) struct Field {
    /// Path from the root of the input or output. It is never empty.
    pub(super) path: Vec<Member>,
    /// Span of the first segment of the path.
    pub(super) span: Span,
    /// Key of the field in the record.
    pub(super) key: String,
    /// Span of the key.
    pub(super) key_span: Span,
    /// Whether the key is given with `as`.
    pub(super) is_renamed: bool,
}

/// A key and its span.
type Key = (String, Span);

const NO_NAME: &str = "expected a name after `as`";
const FORMS: &str = "expected a field: `age`, `\"age\"`, `address.zip` or `bmi as body_mass_index`";

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        let (path, inner_key) = match input.parse::<Option<LitStr>>()? {
            Some(literal) => quoted(&literal)?,
            None => (path(input)?, None),
        };
        let renamed = match input.parse::<Option<Token![as]>>()? {
            Some(_) => Some(key(input)?),
            None => inner_key,
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error(FORMS));
        }
        let is_renamed = renamed.is_some();
        let (key, key_span) = renamed.unwrap_or_else(|| (dotted(&path), span));
        Ok(Self { path, span, key, key_span, is_renamed })
    }
}

impl Field {
    /// Returns the field as the core reads it: `path` or `path as key`.
    pub(super) fn listed(&self) -> String {
        let path = dotted(&self.path);
        if self.is_renamed { format!("{path} as {}", self.key) } else { path }
    }
}

/// Reads an unquoted path: `address.zip`, `point.0`.
fn path(input: ParseStream<'_>) -> syn::Result<Vec<Member>> {
    let mut path = Vec::new();
    loop {
        if input.peek(Lit) {
            path.extend(indices(input.parse()?)?);
        } else if input.peek(Ident::peek_any) {
            path.push(member(&input.call(Ident::parse_any)?)?);
        } else {
            return Err(syn::Error::new(input.span(), FORMS));
        }
        if input.parse::<Option<Token![.]>>()?.is_none() {
            return Ok(path);
        }
    }
}

/// Splits a number into fields of tuples: `0.1` in `matrix.0.1` is one token, a float.
fn indices(literal: Lit) -> syn::Result<Vec<Member>> {
    let (text, span) = match &literal {
        Lit::Int(literal) => (literal.to_string(), literal.span()),
        Lit::Float(literal) => (literal.to_string(), literal.span()),
        _ => return Err(syn::Error::new(literal.span(), FORMS)),
    };
    text.split('.').map(|segment| segment_member(segment, span)).collect()
}

/// Reads a quoted field: `"address.zip"`, `"bmi as body_mass_index"`.
fn quoted(literal: &LitStr) -> syn::Result<(Vec<Member>, Option<Key>)> {
    let text = literal.value();
    if text.trim_end().ends_with(" as") {
        return Err(syn::Error::new(literal.span(), NO_NAME));
    }
    let (path, key) = match text.split_once(" as ") {
        Some((path, key)) => (path.trim(), Some(key.trim())),
        None => (text.as_str(), None),
    };
    let path = path
        .split('.')
        .map(|segment| segment_member(segment, literal.span()))
        .collect::<syn::Result<_>>()?;
    let key = key.map(|key| checked_key(key.to_owned(), literal.span())).transpose()?;
    Ok((path, key))
}

/// Returns the field of a struct or tuple that one segment of a quoted path names.
fn segment_member(segment: &str, span: Span) -> syn::Result<Member> {
    if !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()) {
        let index = segment.parse().map_err(|_| syn::Error::new(span, FORMS))?;
        return Ok(Member::Unnamed(Index { index, span }));
    }
    let Some(mut ident) = identifier(segment) else {
        return Err(syn::Error::new(
            span,
            format!("{segment:?} is not the name of a field; {FORMS}"),
        ));
    };
    // The span of the literal itself: with any other hygiene rustc does not list the available fields.
    ident.set_span(span);
    member(&ident)
}

/// Returns the field that `ident` names, as a raw identifier if it is a keyword.
fn member(ident: &Ident) -> syn::Result<Member> {
    let name = ident.to_string();
    if !can_be_raw(&name) {
        return Err(syn::Error::new(
            ident.span(),
            format!("`{name}` is not the name of a field; {FORMS}"),
        ));
    }
    if !name.starts_with("r#") && syn::parse_str::<Ident>(&name).is_err() {
        return Ok(Member::Named(Ident::new_raw(&name, ident.span())));
    }
    Ok(Member::Named(ident.clone()))
}

/// Returns whether a name can be a raw identifier, which a few keywords cannot.
fn can_be_raw(name: &str) -> bool {
    !matches!(name, "self" | "Self" | "super" | "crate" | "_")
}

/// Reads the key after `as`: an identifier or a string.
fn key(input: ParseStream<'_>) -> syn::Result<Key> {
    if let Some(literal) = input.parse::<Option<LitStr>>()? {
        return checked_key(literal.value(), literal.span());
    }
    let ident =
        input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), NO_NAME))?;
    Ok((ident.unraw().to_string(), ident.span()))
}

fn checked_key(key: String, span: Span) -> syn::Result<Key> {
    if key.split('.').all(|segment| identifier(segment).is_some()) {
        Ok((key, span))
    } else {
        Err(syn::Error::new(
            span,
            format!(
                "{key:?} cannot name a field of a record: use letters, digits and `_`, with no digit at \
                 the start"
            ),
        ))
    }
}

/// Parses an identifier, which may be a keyword.
fn identifier(text: &str) -> Option<Ident> {
    Ident::parse_any.parse_str(text).ok().filter(|ident| ident == text)
}

/// Joins the segments of a path.
fn dotted(path: &[Member]) -> String {
    let names: Vec<String> = path
        .iter()
        .map(|member| match member {
            Member::Named(ident) => ident.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        })
        .collect();
    names.join(".")
}
