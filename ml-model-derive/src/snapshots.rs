//! Compares the generated code with snapshots: `snapshots/*.rs` are the inputs,
//! `snapshots/*.expanded.rs` their expansions.
//!
//! To update them, run `UPDATE_EXPECT=1 cargo test -p ml-model-derive` and review the diff.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;

fn check(input: &str, expand: fn(TokenStream) -> TokenStream, expected: ExpectFile) {
    let input = input.parse().expect("a snapshot's input is Rust");
    let output = syn::parse2(expand(input)).expect("the output is items");
    expected.assert_eq(&prettyplease::unparse(&output));
}

fn ml_model(input: TokenStream) -> TokenStream {
    crate::ml_model::expand(input, Some("0.1.0"))
}

/// One test per snapshot.
macro_rules! snapshots {
    ($($name:ident: $expand:path;)*) => {$(
        #[test]
        fn $name() {
            check(
                include_str!(concat!("../snapshots/", stringify!($name), ".rs")),
                $expand,
                expect_file![concat!("../snapshots/", stringify!($name), ".expanded.rs")],
            );
        }
    )*};
}

snapshots! {
    plain: ml_model;
    decorated: ml_model;
    generic: ml_model;
    mistaken: ml_model;
    log_value: crate::log_value::expand;
}

#[test]
fn a_crate_of_unknown_version_is_an_error() {
    let output = crate::ml_model::expand(
        quote::quote!(
            struct SumModel;
        ),
        None,
    )
    .to_string();
    assert!(output.contains("set `#[ml_model(version = \\\"...\\\")]`"), "{output}");
}

/// The README shows the demo's struct and parts of its expansion, as `cargo expand` prints them.
#[test]
fn the_readme_shows_the_demo() {
    let readme = include_str!("../../README.md");
    let source = include_str!("../../examples/insurance-charges/src/model.rs");

    let start = source.find("/// Model to predict").expect("the model has a doc comment");
    let end = source[start..].find("}\n").expect("the struct ends") + start + 2;
    let declaration = &source[start..end];
    assert!(readme.contains(declaration), "the README shows:\n{declaration}");

    let mut model: syn::ItemStruct = syn::parse_str(declaration).expect("the declaration is Rust");
    model.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
    let output = crate::ml_model::expand(quote::quote!(#model), Some(env!("CARGO_PKG_VERSION")));
    let output = prettyplease::unparse(&syn::parse2(output).expect("the output is items"));
    expect_file!["../snapshots/demo.expanded.rs"].assert_eq(&output);
    let (_, excerpts) =
        readme.split_once("The essential lines:\n\n```rust\n").expect("has excerpts");
    let (excerpts, _) = excerpts.split_once("```").expect("the excerpts end");
    for excerpt in excerpts.split("\n\n") {
        assert!(unindented(&output).contains(&unindented(excerpt)), "no\n{excerpt}\nin\n{output}");
    }
}

fn unindented(code: &str) -> String {
    code.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}
