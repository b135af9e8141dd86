//! Compares the compiler's messages about mistakes in a `main` with `ui/*.stderr`.
//!
//! The messages depend on the compiler, so the test is ignored for other versions. To update them,
//! run `TRYBUILD=overwrite cargo test -p ml-model-service --test ui` and review the diff.

#[rustversion::attr(not(stable(1.95)), ignore = "the expected messages are those of Rust 1.95")]
#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
