//! Parses one field of `input_fields` or `output_fields`: `age`, `"age"`, `address.zip`, `bmi as b`,
//! `hashed(customer_id)`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Index, Lit, LitStr, Member, Token, token};

use super::policy::{self, Policy};

/// Key of the prediction id, which all records have.
pub(super) const PREDICTION_ID: &str = "prediction_id";

/// A logged field.
pub(super) struct Field {
    /// Path from the root of the input or output. It is never empty.
    pub(super) path: Vec<Member>,
    /// Span of the first segment of the path.
    pub(super) span: Span,
    /// What the record shows instead of the value.
    pub(super) policy: Option<Policy>,
    /// Key of the field in the record.
    pub(super) key: String,
    /// Span of the key.
    pub(super) key_span: Span,
    /// Whether the key is given with `as`.
    pub(super) is_renamed: bool,
}

/// A key and its span.
type Key = (String, Span);

/// A path, its span and the policy around it.
struct Value {
    path: Vec<Member>,
    span: Span,
    policy: Option<Policy>,
}

const NO_NAME: &str = "expected a name after `as`";
const NO_SEGMENT: &str = "the name of a field is missing next to a `.`";
const FORMS: &str = "expected a field: `age`, `\"age\"`, `address.zip`, `bmi as body_mass_index` or \
                     `hashed(customer_id)`";

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key_of_path = input.span();
        let (Value { path, span, policy }, inner_key) = match input.parse::<Option<LitStr>>()? {
            Some(literal) => quoted(&literal)?,
            None => (value(input)?, None),
        };
        let renamed = match input.parse::<Option<Token![as]>>()? {
            Some(_) => Some(key(input)?),
            None => inner_key,
        };
        if let Some((key, span)) = &renamed
            && policy.is_none()
            && policy::is_policy(key)
        {
            let remedy = policy::example(key, &dotted(&path));
            return Err(syn::Error::new(*span, format!("`{key}` is a policy: write `{remedy}`")));
        }
        if let [Member::Named(name)] = &path[..]
            && policy.is_none()
            && renamed.is_none()
            && policy::is_policy(&name.to_string())
            && (input.is_empty() || input.peek(Token![,]))
        {
            return Err(policy::without_field(&name.to_string(), span));
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            let (path, rest) = (dotted(&path), following(input));
            return Err(match &policy {
                Some(policy) if input.peek(Token![.]) => {
                    policy.path_outside(&path, &rest, input.span())
                }
                _ => input.error(remedy(&path, &rest)),
            });
        }
        let is_renamed = renamed.is_some();
        let (key, key_span) = renamed.unwrap_or_else(|| (dotted(&path), key_of_path));
        Ok(Self { path, span, policy, key, key_span, is_renamed })
    }
}

impl Field {
    /// Returns whether it is the id of the prediction, which the record contains in any case.
    pub(super) fn is_prediction_id(&self) -> bool {
        self.key == PREDICTION_ID && !self.is_renamed && self.policy.is_none()
    }

    /// Returns the field as the core reads it: `path` or `path as key`, with its policy.
    pub(super) fn listed(&self) -> String {
        let path = dotted(&self.path);
        let value = self.policy.as_ref().map_or(path.clone(), |policy| policy.around(&path));
        if self.is_renamed { format!("{value} as {}", self.key) } else { value }
    }
}

/// Reads an unquoted field without its key: `address.zip`, `hashed(customer_id)`.
fn value(input: ParseStream<'_>) -> syn::Result<Value> {
    let fork = input.fork();
    let is_call = fork.call(Ident::parse_any).is_ok() && fork.peek(token::Paren);
    if !is_call {
        let span = input.span();
        return Ok(Value { path: path(input)?, span, policy: None });
    }
    let name = input.call(Ident::parse_any)?;
    let arguments;
    syn::parenthesized!(arguments in input);
    let value = with_policy(&name, &arguments);
    if value.is_err() {
        // A second error about the remaining arguments would not help.
        arguments.parse::<TokenStream>()?;
    }
    value
}

/// Reads what the parentheses of the policy `name` contain.
fn with_policy(name: &Ident, arguments: ParseStream<'_>) -> syn::Result<Value> {
    let (name, name_span) = (name.to_string(), name.span());
    if arguments.is_empty() {
        return Err(policy::without_field(&name, name_span));
    }
    let span = arguments.span();
    let (path, key) = match arguments.parse::<Option<LitStr>>()? {
        Some(literal) => split_quoted(&literal, &literal.value())?,
        None => (path(arguments)?, None),
    };
    if key.is_some() || arguments.peek(Token![as]) {
        return Err(policy::renamed_inside(&name, &dotted(&path), span));
    }
    let mut width = None;
    if arguments.parse::<Option<Token![,]>>()?.is_some() && !arguments.is_empty() {
        let span = arguments.span();
        width = Some((arguments.parse::<TokenStream>()?.to_string().replace(' ', ""), span));
    }
    if !arguments.is_empty() {
        let message = if arguments.peek(token::Paren) {
            remedy(&dotted(&path), "(")
        } else if name == "bucketed" {
            "expected a comma, as in `bucketed(age, 10)`".to_owned()
        } else {
            FORMS.to_owned()
        };
        return Err(arguments.error(message));
    }
    let policy = policy::read(&name, name_span, &dotted(&path), width)?;
    Ok(Value { path, span, policy: Some(policy) })
}

/// Reads an unquoted path: `address.zip`, `point.0`.
fn path(input: ParseStream<'_>) -> syn::Result<Vec<Member>> {
    let mut path = Vec::new();
    loop {
        if input.peek(Lit) {
            path.extend(indices(input.parse()?)?);
        } else if input.peek(Ident::peek_any) {
            path.push(member(&input.call(Ident::parse_any)?)?);
        } else if !path.is_empty() {
            return Err(syn::Error::new(input.span(), NO_SEGMENT));
        } else if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(input.span(), FORMS));
        } else {
            return Err(input.error(remedy("", &following(input))));
        }
        if input.parse::<Option<Token![.]>>()?.is_none() {
            return Ok(path);
        }
    }
}

/// Returns the tokens up to the next comma as text.
fn following(input: ParseStream<'_>) -> String {
    let mut tokens = TokenStream::new();
    let mut cursor = input.cursor();
    while let Some((token, rest)) = cursor.token_tree() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            break;
        }
        tokens.extend([token]);
        cursor = rest;
    }
    tokens.to_string()
}

/// Returns what to write in place of the text `found`, at which a field stops to be one. `path` is the part
/// of the field in front of it.
fn remedy(path: &str, found: &str) -> String {
    let words = found.trim_start_matches(|c| !is_of_name(c));
    let word = words.split(|c| !is_of_name(c)).next().unwrap_or_default();
    let remedy = match found.chars().next() {
        _ if found.starts_with("::") && path.starts_with(char::is_uppercase) => {
            let field: String = words.split_whitespace().collect();
            return format!("leave out the type: write `{field}`");
        }
        _ if found.starts_with("::") => {
            "the names in a path are separated by `.`, as in `address.zip`"
        }
        _ if policy::is_policy(word) && !found.starts_with(['(', '[']) => {
            return format!("write `{}`", policy::example(word, path));
        }
        Some('*') => "there is no wildcard: list each field by its name",
        Some('[') if path.is_empty() => "remove the inner brackets",
        Some('[') => "an item of a list cannot be logged: log a field that holds the value",
        Some('(') => return without_call(path),
        Some('?' | '%') if path.is_empty() => {
            "`?` and `%` belong to the macros of `tracing`: write the name of the field alone"
        }
        Some('?') => {
            "a path leads through an `Option` without `?`: it is `null` where there is none"
        }
        Some('&') => "write the name of the field without `&`",
        Some(':' | '=' | '-') => "another key is given with `as`, as in `bmi as body_mass_index`",
        Some(',') => "each field is a string of its own, as in `\"age\", \"bmi\"`",
        Some('"') => "expected a comma between two fields",
        Some(c) if is_of_name(c) => "expected a comma between two fields",
        _ => FORMS,
    };
    remedy.to_owned()
}

/// Returns what to write in place of a call, whose name is the last segment of `path`.
fn without_call(path: &str) -> String {
    let (value, method) = path.rsplit_once('.').unwrap_or(("", path));
    match method {
        "expose" => {
            format!("a sensitive value is logged through a policy, as in `redacted({value})`")
        }
        "expect" | "unwrap" | "unwrap_or" | "unwrap_or_default" => format!(
            "leave out `.{method}()`: an `Option` is logged as its value, or `null` where there is none"
        ),
        _ if policy::is_policy(method) && value.is_empty() => {
            "a field has one policy: choose the inner or the outer one".to_owned()
        }
        _ if policy::is_policy(method) => format!("write `{}`", policy::example(method, value)),
        _ => "a method cannot be called here: log a field that holds the value".to_owned(),
    }
}

fn is_of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Splits a number into fields of tuples: `0.1` in `matrix.0.1` is one token, a float.
fn indices(literal: Lit) -> syn::Result<Vec<Member>> {
    let (text, span) = match &literal {
        Lit::Int(literal) => (literal.to_string(), literal.span()),
        Lit::Float(literal) => (literal.to_string(), literal.span()),
        _ => return Err(syn::Error::new(literal.span(), FORMS)),
    };
    text.split('.').map(|segment| segment_member(&[], segment, span)).collect()
}

/// Reads a quoted field: `"address.zip"`, `"bmi as body_mass_index"`, `"hashed(customer_id)"`.
fn quoted(literal: &LitStr) -> syn::Result<(Value, Option<Key>)> {
    let (text, span) = (literal.value(), literal.span());
    // `tags.len()` is a call of a method, not a policy.
    let call = text.split_once('(').filter(|(name, _)| identifier(name.trim()).is_some());
    let Some((name, rest)) = call else {
        let (path, key) = split_quoted(literal, &text)?;
        return Ok((Value { path, span, policy: None }, key));
    };
    let Some((arguments, key)) = rest.split_once(')') else {
        return Err(syn::Error::new(span, format!("the parenthesis in {text:?} is not closed")));
    };
    let name = name.trim();
    let (path, width) = match arguments.split_once(',') {
        Some((path, width)) => (path.trim(), Some((width.trim().to_owned(), span))),
        None => (arguments.trim(), None),
    };
    if path.is_empty() {
        return Err(policy::without_field(name, span));
    }
    if let Some((path, _arguments)) = arguments.split_once('(') {
        return Err(syn::Error::new(span, remedy(path.trim(), "(")));
    }
    if let Some((path, _key)) = path.split_once(" as ") {
        return Err(policy::renamed_inside(name, path.trim(), span));
    }
    let policy = policy::read(name, span, path, width)?;
    if key.starts_with('.') {
        return Err(policy.path_outside(path, key, span));
    }
    if !key.is_empty() && !key.starts_with(" as") {
        return Err(syn::Error::new(span, FORMS));
    }
    let (path, key) = split_quoted(literal, &format!("{path}{key}"))?;
    Ok((Value { path, span, policy: Some(policy) }, key))
}

/// Splits the text of a quoted field into path and key.
fn split_quoted(literal: &LitStr, text: &str) -> syn::Result<(Vec<Member>, Option<Key>)> {
    if text.trim_end().ends_with(" as") {
        return Err(syn::Error::new(literal.span(), NO_NAME));
    }
    let (path, key) = match text.split_once(" as ") {
        Some((path, key)) => (path.trim(), Some(key.trim())),
        None => (text, None),
    };
    if path.split('.').any(str::is_empty) {
        let message = if path.is_empty() { FORMS } else { NO_SEGMENT };
        return Err(syn::Error::new(literal.span(), message));
    }
    let mut members = Vec::new();
    for segment in path.split('.') {
        members.push(segment_member(&members, segment, literal.span())?);
    }
    // With the span of the literal itself, rustc suggests a similar field in place of the whole literal. That
    // would drop the other segments, the policy or the key. With the hygiene of the macro rustc suggests
    // nothing. `input` is seldom a field: with the span of the literal, rustc lists the fields.
    if path != literal.value() || members.len() > 1 {
        let skipped = usize::from(matches!(path.split_once('.'), Some(("input" | "output", _))));
        let span = literal.span().resolved_at(Span::call_site());
        for member in members.iter_mut().skip(skipped) {
            match member {
                Member::Named(ident) => ident.set_span(span),
                Member::Unnamed(index) => index.span = span,
            }
        }
    }
    // A policy is refused with its own remedy.
    let key = key.map(|key| match key.split_once('(') {
        Some((name, _)) if policy::is_policy(name) => Ok((name.to_owned(), literal.span())),
        _ => checked_key(key.to_owned(), literal.span()),
    });
    Ok((members, key.transpose()?))
}

/// Returns the field of a struct or tuple that one segment of a quoted path names. `before` are the segments
/// in front of it.
fn segment_member(before: &[Member], segment: &str, span: Span) -> syn::Result<Member> {
    if !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()) {
        let index = segment.parse().map_err(|_| syn::Error::new(span, FORMS))?;
        return Ok(Member::Unnamed(Index { index, span }));
    }
    let Some(mut ident) = identifier(segment) else {
        let rest = segment.trim_start_matches(is_of_name);
        let first = &segment[..segment.len() - rest.len()];
        let path = match dotted(before) {
            before if before.is_empty() => first.to_owned(),
            before => format!("{before}.{first}"),
        };
        let remedy = match rest.trim() {
            "" => format!("write it without spaces: {:?}", segment.trim()),
            _ if policy::is_policy(first) => {
                format!("a policy has its field in parentheses, as in `{first}(customer_id)`")
            }
            // Words without punctuation between them are several fields.
            words if words.starts_with(is_of_name) && !policy::is_policy(words) => {
                remedy(&path, ",")
            }
            punctuation => remedy(&path, punctuation),
        };
        return Err(syn::Error::new(
            span,
            format!("{segment:?} is not the name of a field; {remedy}"),
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
        let message = match name.as_str() {
            "self" => {
                "a path begins with a field of the input or output: leave out `self`; a field of the model \
                 cannot be logged: put its value into the output"
                    .to_owned()
            }
            _ => format!("`{name}` is not the name of a field; {FORMS}"),
        };
        return Err(syn::Error::new(ident.span(), message));
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
