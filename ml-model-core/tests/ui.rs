//! What the compiler says about mistakes in annotations, word for word.
//!
//! The words belong to one compiler: elsewhere the tests are left out. After a wanted change:
//! `TRYBUILD=overwrite cargo test -p ml-model-core --test ui`, then read the difference.

/// The model of every case: `common.rs` beside them.
#[rustversion::attr(not(stable(1.95)), ignore = "the expected messages are those of Rust 1.95")]
#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/*.rs");
}
