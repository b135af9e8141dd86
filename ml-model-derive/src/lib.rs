//! The derive macros of `ml-model-core`, which re-exports them.
//!
//! | module | contents |
//! |---|---|
//! | `ml_model` | `#[derive(MLModel)]`: `syntax`, `decorator`, `logging` and `field` read the attributes, `check` validates them, `emit` generates the code |
//! | `log_value` | `#[derive(LogValue)]` |
//! | `options` | the syntax `name = value, ...` that all attributes share |
//! | `errors` | the errors of one item, which are reported together |
//! | `did_you_mean` | messages for unknown names |

mod did_you_mean;
mod errors;
mod log_value;
mod ml_model;
mod options;
#[cfg(test)]
mod snapshots;

use proc_macro::TokenStream;

/// Implements `MLModel` for a type that implements `Infer`.
///
/// The generated code consists of metadata, field access and the composition of decorators. The
/// behaviour of the decorators is implemented in `ml-model-core`.
///
/// # `#[ml_model(...)]`
///
/// | key | default |
/// |---|---|
/// | `display_name = "..."` | the name of the type in words |
/// | `qualified_name = "..."` | the name of the type in snake_case |
/// | `description = "..."` | the doc comment |
/// | `version = "..."` | the version of the crate |
/// | `execution = inline` or `blocking` | `blocking` |
/// | `crate = path` | `::ml_model_core`; for a crate that is renamed or re-exported |
///
/// `execution` states where a service runs the predictions. `blocking`: on a pool of threads, where
/// the model may block. `inline`: on the thread that reads the request. An inline model must not
/// block, sleep, wait for other systems or drive a runtime.
///
/// # `#[decorate(...)]`
///
/// Each attribute adds one decorator. The first attribute is the outermost decorator: it receives
/// requests first.
///
/// * `prediction_id`: gives every prediction an id, either the caller's or a new one.
/// * `logging`, `logging(...)`: writes the log records of every prediction. Options:
///   * `input_fields = [...]`, `output_fields = [...]`: fields of the input and of the output in the
///     records; none by default. A field is a name (`age`, `"age"`) or a path (`address.zip`), and
///     may have another key in the record (`bmi as body_mass_index`). The compiler suggests a
///     correction for a misspelt segment of an unquoted field; for a quoted one only if it is a name and
///     nothing else. A path may lead through an `Option`: the value is `null` where there is none.
///     `prediction_id` is the id of the prediction, which all records have below the decorator of that name. A
///     field of that name in the input or output is listed with another key, as in `prediction_id as order_id`.
///   * a policy shows something else instead of the value: `redacted(ssn)` the text `[REDACTED]`,
///     `hashed(customer_id)` a keyed digest, `bucketed(age, 10)` the lower bound of a bucket. A field of the
///     type `Sensitive` needs one. The key of the digest is in `ML_LOG_HASH_KEY`.
///   * `level = info`: `trace`, `debug`, `info`, `warn` or `error`, or a constant such as `Level::INFO`. Failures always have the level
///     `error`.
///   * `target = "..."`: target of the records, by default `{qualified_name}_logger`. It must not
///     contain characters that `RUST_LOG` cannot express, such as white space and `=`.
///   * `sample = 0.1`: records this share of the predictions, and all failures. The prediction id decides.
///   * `slow = "50ms"`: records all predictions that take longer, with the level `warn`.
/// * `metrics`: counts predictions and their durations for `/metrics`.
/// * Any other path or expression is a custom decorator, such as `crate::Timing` or
///   `Cache::with_ttl(60)`. It is evaluated once per type of model, so it cannot use `self`.
///
/// # Generic types
///
/// `logging` and custom decorators use the model's `Input` and `Output`. With them, the type must
/// declare the bounds of `impl Infer`: for `impl<T: Tree> Infer for Ensemble<T>`, write
/// `struct Ensemble<T: Tree>(Vec<T>)`. The derive adds `Send + Sync` to all type parameters.
///
/// All instances of a generic type share its metadata, including the qualified name. Each instance
/// has its own decorators.
// The built-in decorators are among the attributes, so that one without `decorate` is reported with its remedy.
#[proc_macro_derive(MLModel, attributes(ml_model, decorate, prediction_id, logging, metrics))]
pub fn derive_ml_model(input: TokenStream) -> TokenStream {
    let version = std::env::var("CARGO_PKG_VERSION").ok();
    ml_model::expand(input.into(), version.as_deref()).into()
}

/// Implements `LogValue` for an enum without data.
///
/// A variant is logged under the name that serde writes: the derive reads `#[serde(rename = "...")]`
/// and `#[serde(rename_all = "...")]`. It rejects attributes with which serde writes something other
/// than a name: `untagged`, `tag`, `into`, and on a variant `with` and `serialize_with`.
///
/// `#[log_value(crate = path)]` sets the path of `ml_model_core`.
#[proc_macro_derive(LogValue, attributes(serde, log_value))]
pub fn derive_log_value(input: TokenStream) -> TokenStream {
    log_value::expand(input.into()).into()
}

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
