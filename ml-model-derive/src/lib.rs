//! The derive macros of `ml-model-core`, which re-exports them; use them from there.
//!
//! A derive goes through four stages, a file each: `syntax` reads the attributes as they are
//! written, `check` decides whether they make sense together, `emit` writes the code. Every mistake
//! is noted in `errors::Errors`, and all of them are reported at once.

mod errors;
mod log_value;
mod ml_model;
mod options;
#[cfg(test)]
mod snapshots;

mod words;

use proc_macro::TokenStream;

/// Makes a model out of a type that implements `Infer`.
///
/// The code it generates holds only metadata, field access and the composition of decorators;
/// what decorators do is in `ml-model-core`.
///
/// # `#[ml_model(...)]`
///
/// | key | default |
/// |---|---|
/// | `display_name = "..."` | the name of the type in words |
/// | `qualified_name = "..."` | the name of the type in snake_case |
/// | `description = "..."` | the doc comment |
/// | `version = "..."` | the version of the crate |
/// | `crate = path` | `::ml_model_core` |
///
/// # `#[decorate(...)]`
///
/// One decorator per attribute. The first one listed is the outermost: it sees requests first.
///
/// * `prediction_id`: gives every prediction an id, the caller's or a new one.
/// * `logging`, `logging(...)`: leaves the log records of every prediction. Options:
///   * `input_fields = [...]`, `output_fields = [...]`: fields of the input and of the output that
///     the records hold; none by default. A field is written `age`, `"age"`, as a path
///     `address.zip`, under another name `bmi as body_mass_index`. Without quotation marks the
///     compiler can put right one word of a path; between them it proposes to replace all of it by
///     that word. A path does not lead through an `Option`, as one of a configuration file does.
///   * `level = info`: `trace`, `debug`, `info`, `warn` or `error`. Failures are at `error` always.
///   * `target = "..."`: target of the records, `{qualified_name}_logger` by default; without what `RUST_LOG`
///     could not name, such as white space and `=`.
/// * `metrics`: counts predictions and their durations for `/metrics`.
/// * Anything else is a path or an expression for a decorator of your own, such as
///   `crate::Timing` or `Cache::with_ttl(60)`. It is evaluated once per type of model,
///   so there is no `self` in it.
///
/// # Types with parameters
///
/// `logging` and decorators of your own have to know the model's `Input` and `Output`. Where they
/// are used, the bounds of `impl Infer` must be on the type, too, `Send + Sync` among them: beside
/// `impl<T: Tree + Send + Sync> Infer for Ensemble<T>`, write
/// `struct Ensemble<T: Tree + Send + Sync>(Vec<T>)`.
///
/// All types that one declaration makes share its metadata, the qualified name included, and each
/// has decorators of its own.
#[proc_macro_derive(MLModel, attributes(ml_model, decorate))]
pub fn derive_ml_model(input: TokenStream) -> TokenStream {
    let version = std::env::var("CARGO_PKG_VERSION").ok();
    ml_model::expand(input.into(), version.as_deref()).into()
}

/// Lets an enum without data be a field of a log record, under the name that serde writes.
///
/// `#[serde(rename = "...")]` and `#[serde(rename_all = "...")]` are followed. Where serde writes no
/// name (`untagged`, `tag`, `into`, and `with`, `serialize_with` on a variant), the derive is
/// refused. If `ml_model_core` is found elsewhere: `#[log_value(crate = path)]`.
#[proc_macro_derive(LogValue, attributes(serde, log_value))]
pub fn derive_log_value(input: TokenStream) -> TokenStream {
    log_value::expand(input.into()).into()
}
