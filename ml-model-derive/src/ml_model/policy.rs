//! Parses the policy of a logged field: `redacted(ssn)`, `hashed(customer_id)`, `bucketed(age, 10)`.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;

use crate::did_you_mean;

/// What the record shows instead of a field's value.
pub(super) enum Policy {
    Redacted,
    Hashed,
    Bucketed(Width),
}

/// Width of the buckets, above zero.
pub(super) enum Width {
    Whole(i64),
    Decimal(f64),
}

const POLICIES: &[&str] = &["redacted", "hashed", "bucketed"];

/// Returns whether a policy has this name.
pub(super) fn is_policy(name: &str) -> bool {
    POLICIES.contains(&name)
}

/// Writes a field with the policy `name`.
pub(super) fn example(name: &str, path: &str) -> String {
    if name == "bucketed" { format!("bucketed({path}, 10)") } else { format!("{name}({path})") }
}

/// Reads the policy `name` of the field `path`. `span` is that of the name.
pub(super) fn read(
    name: &str,
    span: Span,
    path: &str,
    width: Option<(String, Span)>,
) -> syn::Result<Policy> {
    let policy = match (name, width) {
        ("redacted", None) => Policy::Redacted,
        ("hashed", None) => Policy::Hashed,
        ("bucketed", Some((width, span))) => Policy::Bucketed(read_width(&width).ok_or_else(|| {
            let message = match read_width(path) {
                Some(_) => format!(
                    "`bucketed` takes the field and then the width: `bucketed({width}, {path})`"
                ),
                None => format!(
                    "`{width}` is not a width of buckets: expected a number above 0, such as 10 or 0.5"
                ),
            };
            syn::Error::new(span, message)
        })?),
        ("bucketed", None) => {
            let example = example(name, path);
            let message = format!("`bucketed` needs the width of its buckets, as in `{example}`");
            return Err(syn::Error::new(span, message));
        }
        ("redacted" | "hashed", Some((_, span))) => {
            let message = format!("`{name}` takes one field and nothing else");
            return Err(syn::Error::new(span, message));
        }
        _ => return Err(unknown(name, span)),
    };
    Ok(policy)
}

/// Returns the error of a policy with empty parentheses.
pub(super) fn without_field(name: &str, span: Span) -> syn::Error {
    if !POLICIES.contains(&name) {
        return unknown(name, span);
    }
    syn::Error::new(span, format!("`{name}` needs a field, as in `{name}(customer_id)`"))
}

fn unknown(name: &str, span: Span) -> syn::Error {
    let hides = ["mask", "hid", "secret", "sensitive", "private"];
    let meant = if hides.iter().any(|word| name.contains(word)) { "redacted" } else { name };
    let what = format!("policy `{name}`");
    syn::Error::new(span, did_you_mean::unknown(&what, meant, POLICIES))
}

/// Returns the policy in whose name or stem a word begins: `redacted` for `redacted_fields` and `redact`.
pub(super) fn named_in(word: &str) -> Option<&'static str> {
    let stem = |policy: &'static str| policy.trim_end_matches("ed");
    POLICIES.iter().copied().find(|policy| word.starts_with(stem(policy)))
}

/// Returns the error of a new name inside the parentheses.
pub(super) fn renamed_inside(name: &str, path: &str, span: Span) -> syn::Error {
    let message =
        format!("the new name stands behind the parentheses: `{name}({path}) as other_name`");
    syn::Error::new(span, message)
}

fn read_width(text: &str) -> Option<Width> {
    let digits = text.replace('_', "");
    match digits.parse() {
        Ok(whole) => Some(Width::Whole(whole)).filter(|_| whole > 0),
        Err(_) => {
            let decimal = digits.parse().ok().filter(|width: &f64| width.is_finite());
            decimal.filter(|width| *width > 0.0).map(Width::Decimal)
        }
    }
}

impl Policy {
    /// Returns the error of a path that goes on behind the parentheses: `redacted(address).zip`.
    pub(super) fn path_outside(&self, path: &str, rest: &str, span: Span) -> syn::Error {
        let rest: String = rest.split_whitespace().take_while(|word| *word != "as").collect();
        let inside = self.around(&format!("{path}{rest}"));
        syn::Error::new(span, format!("the whole path is inside the parentheses: `{inside}`"))
    }

    /// Writes the field as the core reads it.
    pub(super) fn around(&self, path: &str) -> String {
        match self {
            Self::Redacted => format!("redacted({path})"),
            Self::Hashed => format!("hashed({path})"),
            Self::Bucketed(Width::Whole(width)) => format!("bucketed({path}, {width})"),
            Self::Bucketed(Width::Decimal(width)) => format!("bucketed({path}, {width:?})"),
        }
    }

    /// Generates the call that applies the policy to a value.
    pub(super) fn applied(&self, span: Span, value: &TokenStream) -> TokenStream {
        match self {
            Self::Redacted => quote_spanned!(span=> __core::redacted(#value)),
            Self::Hashed => quote_spanned!(span=> __core::hashed(#value)),
            Self::Bucketed(Width::Whole(width)) => {
                let width = Literal::i64_unsuffixed(*width);
                quote_spanned!(span=> __core::bucketed_whole(#value, #width))
            }
            Self::Bucketed(Width::Decimal(width)) => {
                let width = Literal::f64_unsuffixed(*width);
                quote_spanned!(span=> __core::bucketed_decimal(#value, #width))
            }
        }
    }
}
