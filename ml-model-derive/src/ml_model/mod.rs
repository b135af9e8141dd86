//! `#[derive(MLModel)]`.

mod check;
mod decorator;
mod emit;
mod field;
mod logging;
mod policy;
mod syntax;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::Errors;

/// Generates the code for one annotated type. `version` is the version of its crate.
///
/// For a type with errors it generates the errors and the code of the model without the erroneous
/// parts: rustc checks the remaining parts, and uses of the model cause no further errors.
pub(crate) fn expand(input: TokenStream, version: Option<&str>) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let attributes = syntax::read(&input.attrs, &mut errors);
    let model = check::check(&input, attributes, version, &mut errors);
    let code = emit::emit(&model);
    let errors = errors.into_tokens();
    quote::quote!(#errors #code)
}
