//! `#[derive(LogValue)]` for enums without data.

use heck::ToSnakeCase;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Fields, Lit, LitStr, Path, Token, Variant};

use crate::did_you_mean::nearest;
use crate::errors::Errors;
use crate::options::{self, OptionSpec, Options};

/// Generates the implementation for one item.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let krate = crate_path(&input.attrs, &mut errors);
    let variants = variants(&input, &mut errors);
    let rule = rename_all(&input.attrs, &mut errors);
    let names: Vec<String> = variants
        .iter()
        .map(|variant| {
            let name = variant.ident.to_string();
            let name = name.trim_start_matches("r#");
            serde_string(&variant.attrs, &VARIANT, &mut errors)
                .map_or_else(|| apply(rule.as_deref(), name), |name| name.value())
        })
        .collect();

    let ident = &input.ident;
    let (generics, type_generics, where_clause) = input.generics.split_for_impl();
    let variants = variants.iter().map(|variant| &variant.ident);
    let value = if names.is_empty() {
        // No variants, or errors: the type still implements `LogValue`, so that its uses cause no
        // further errors.
        quote!("")
    } else {
        quote!(match self { #(Self::#variants => #names),* })
    };
    let errors = errors.into_tokens();
    quote! {
        #errors
        #[doc(hidden)]
        const _: () = {
            use #krate::__private as __core;
            #[automatically_derived]
            impl #generics __core::LogValue for #ident #type_generics #where_clause {
                type Value<'__a> = &'static __core::str where Self: '__a;
                #[inline]
                fn log_value(&self) -> &'static __core::str {
                    #value
                }
            }
        };
    }
}

const OPTIONS: Options = Options {
    owner: "log_value",
    specs: &[OptionSpec { name: "crate", form: "crate = path::to::ml_model_core" }],
    remedy: |_| None,
};

/// Returns the path of `ml_model_core` as `#[log_value(crate = path)]` sets it, or its default.
fn crate_path(attributes: &[Attribute], errors: &mut Errors) -> Path {
    let mut path = None;
    let mut given = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("log_value")) {
        let example = "#[log_value(crate = path)]";
        options::in_parentheses(attribute, example, errors, |input, errors| {
            options::read(input, &OPTIONS, &mut given, errors, |_, input, _| {
                path = Some(options::crate_path(input)?);
                Ok(())
            });
            Ok(())
        });
    }
    path.unwrap_or_else(|| syn::parse_quote!(::ml_model_core))
}

/// Returns the variants, or none if one of them holds data.
fn variants<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Vec<&'a Variant> {
    const REMEDY: &str = "`#[derive(LogValue)]` is for enums without data";
    let (kind, span) = match &input.data {
        Data::Enum(data) => {
            for variant in &data.variants {
                let misplaced =
                    variant.attrs.iter().find(|attribute| attribute.path().is_ident("log_value"));
                if let Some(attribute) = misplaced {
                    let message = "`#[log_value(...)]` belongs on the type: a variant is logged \
                                   under the name that `#[serde(rename = \"...\")]` gives it";
                    errors.at(options::span(attribute), message);
                }
                if !matches!(variant.fields, Fields::Unit) {
                    errors.at(
                        variant.ident.span(),
                        format!(
                            "{REMEDY}, but `{}` holds data: implement `LogValue` by hand",
                            variant.ident
                        ),
                    );
                }
            }
            let units =
                data.variants.iter().filter(|variant| matches!(variant.fields, Fields::Unit));
            let units: Vec<_> = units.collect();
            return if units.len() == data.variants.len() { units } else { Vec::new() };
        }
        Data::Struct(data) if matches!(data.fields, Fields::Unnamed(_)) => {
            let field = input.ident.to_string().to_snake_case();
            let message = format!(
                "{REMEDY}, not for a tuple struct: log its value by its path, such as \"{field}.0 as {field}\""
            );
            errors.at(data.struct_token.span, message);
            return Vec::new();
        }
        Data::Struct(data) => ("a struct", data.struct_token.span),
        Data::Union(data) => ("a union", data.union_token.span),
    };
    errors.at(
        span,
        format!("{REMEDY}, not for {kind}: log its fields by their paths, such as \"address.zip\""),
    );
    Vec::new()
}

/// Returns the case rule of `#[serde(rename_all = "...")]` for serialization.
fn rename_all(attributes: &[Attribute], errors: &mut Errors) -> Option<String> {
    let rule = serde_string(attributes, &CONTAINER, errors)?;
    let span = rule.span();
    if RULES.contains(&rule.value().as_str()) {
        return Some(rule.value());
    }
    // The wording of serde: the compiler reports identical errors once.
    let (rule, rules) = (rule.value(), RULES.map(|rule| format!("{rule:?}")).join(", "));
    let message = format!("unknown rename rule `rename_all = {rule:?}`, expected one of {rules}");
    errors.at(span, message);
    None
}

/// The serde attributes of a container or of a variant.
struct SerdeAttributes {
    /// Name of this kind of attribute in serde's messages.
    kind: &'static str,
    /// Key of the name or case rule.
    key: &'static str,
    /// Keys with which serde writes something other than a name, and what it writes.
    nameless: &'static [(&'static str, &'static str)],
}

const CONTAINER: SerdeAttributes = SerdeAttributes {
    kind: "container",
    key: "rename_all",
    nameless: &[("untagged", "`null`"), ("tag", "an object"), ("into", "a value of another type")],
};
const VARIANT: SerdeAttributes = SerdeAttributes {
    kind: "variant",
    key: "rename",
    nameless: &[
        ("untagged", "`null`"),
        ("serialize_with", "the result of a function"),
        ("with", "the result of a function"),
    ],
};

/// Reads the value of `key = "..."` or `key(serialize = "...")` from the `serde` attributes.
///
/// Errors in it have the wording of serde, so that the compiler reports them once if the type derives
/// `Serialize`, too. serde checks all other keys.
fn serde_string(
    attributes: &[Attribute],
    known: &SerdeAttributes,
    errors: &mut Errors,
) -> Option<LitStr> {
    let mut found = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let result = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident(known.key) {
                return read_string(&meta, known.key, &mut found, errors);
            }
            if let Some(name) = meta.path.get_ident().map(Ident::to_string) {
                if nearest(&name, &[known.key]).is_some() {
                    let kind = known.kind;
                    return Err(meta.error(format!("unknown serde {kind} attribute `{name}`")));
                }
                if let Some((_, written)) = known.nameless.iter().find(|(key, _)| *key == name) {
                    let message = format!(
                        "`{name}` makes serde write {written} instead of the variant's name: \
                         implement `LogValue` by hand"
                    );
                    errors.push(syn::Error::new_spanned(&meta.path, message));
                }
            }
            while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
                meta.input.parse::<TokenTree>()?;
            }
            Ok(())
        });
        errors.ok(result);
    }
    found
}

fn read_string(
    meta: &ParseNestedMeta<'_>,
    key: &str,
    found: &mut Option<LitStr>,
    errors: &mut Errors,
) -> syn::Result<()> {
    let lookahead = meta.input.lookahead1();
    if lookahead.peek(Token![=]) {
        *found = string(meta, key, key, errors)?;
        return Ok(());
    }
    if !lookahead.peek(syn::token::Paren) {
        return Err(lookahead.error());
    }
    meta.parse_nested_meta(|inner| {
        if inner.path.is_ident("serialize") {
            *found = string(&inner, key, "serialize", errors)?;
        } else if inner.path.is_ident("deserialize") {
            string(&inner, key, "deserialize", errors)?;
        } else {
            return Err(inner.error(format!(
                "malformed {key} attribute, expected `{key}(serialize = ..., deserialize = ...)`"
            )));
        }
        Ok(())
    })
}

fn string(
    meta: &ParseNestedMeta<'_>,
    key: &str,
    name: &str,
    errors: &mut Errors,
) -> syn::Result<Option<LitStr>> {
    let mut value: Expr = meta.value()?.parse()?;
    // A macro puts its argument into an invisible group.
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    if let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = value {
        return Ok(Some(literal));
    }
    let message = format!("expected serde {key} attribute to be a string: `{name} = \"...\"`");
    errors.push(syn::Error::new_spanned(value, message));
    Ok(None)
}

const RULES: [&str; 8] = [
    "lowercase",
    "UPPERCASE",
    "PascalCase",
    "camelCase",
    "snake_case",
    "SCREAMING_SNAKE_CASE",
    "kebab-case",
    "SCREAMING-KEBAB-CASE",
];

/// Applies a case rule to the name of a variant, letter by letter as serde does: `XGBoost` becomes
/// `x_g_boost`.
fn apply(rule: Option<&str>, name: &str) -> String {
    let snake_case = || {
        let mut snake = String::new();
        for (index, c) in name.char_indices() {
            if index > 0 && c.is_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        }
        snake
    };
    match rule {
        Some("lowercase") => name.to_ascii_lowercase(),
        Some("UPPERCASE") => name.to_ascii_uppercase(),
        Some("camelCase") => {
            let mut chars = name.chars();
            chars.next().map_or(String::new(), |first| {
                first.to_ascii_lowercase().to_string() + chars.as_str()
            })
        }
        Some("snake_case") => snake_case(),
        Some("SCREAMING_SNAKE_CASE") => snake_case().to_ascii_uppercase(),
        Some("kebab-case") => snake_case().replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => snake_case().to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}
