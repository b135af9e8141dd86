//! What the derives generate, token by token: `snapshots/*.rs` and beside each of them the code it
//! expands to. After a wanted change: `UPDATE_EXPECT=1 cargo test -p ml-model-derive`, then read
//! the difference.

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
fn a_crate_of_unknown_version_is_told_so() {
    let output = crate::ml_model::expand(
        quote::quote!(
            struct SumModel;
        ),
        None,
    )
    .to_string();
    assert!(output.contains("give `#[ml_model(version = \\\"...\\\")]`"), "{output}");
}
