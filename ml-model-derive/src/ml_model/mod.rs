//! `#[derive(MLModel)]`.

mod check;
mod emit;
mod field;
mod syntax;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::Errors;

/// The code for one annotated type. `version` is that of its crate.
///
/// A type with mistakes gets its errors and the code of the same model without what is mistaken:
/// rustc finds its own mistakes in the rest, and whoever uses the model is not told a second time.
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
