//! Counts the instructions of [`PREDICTIONS`] predictions with each decorator.
//!
//! `cargo run --release` in this folder runs these benchmarks and prints the cost of one prediction.

use gungraun::prelude::*;
use ml_model_benches::{
    BareModel, CountedModel, IdentifiedModel, LoggedModel, TracedModel, charges, log_to_nowhere,
    log_up_to, predict_by_hand, repeat,
};
use ml_model_core::{Infer, MLModel};
use tracing::level_filters::LevelFilter;

const PREDICTIONS: u32 = 1_000;

/// Sets up and warms up: the first predictions register callsites and fill caches.
fn warm(set_up: fn(), run: fn()) -> fn() {
    set_up();
    run();
    run
}

fn no_set_up() {}

fn up_to_warn() {
    log_up_to(LevelFilter::WARN);
}

fn bare() {
    repeat(PREDICTIONS, |input| BareModel.infer(&input).map_or(f64::NAN, |output| output.charges));
}

fn logged() {
    repeat(PREDICTIONS, |input| charges(LoggedModel.predict(input)));
}

fn by_hand() {
    repeat(PREDICTIONS, |input| {
        predict_by_hand(&BareModel, input).map_or(f64::NAN, |output| output.charges)
    });
}

fn counted() {
    repeat(PREDICTIONS, |input| charges(CountedModel.predict(input)));
}

fn identified() {
    repeat(PREDICTIONS, |input| charges(IdentifiedModel.predict(input)));
}

fn traced() {
    repeat(PREDICTIONS, |input| charges(TracedModel.predict(input)));
}

#[library_benchmark]
#[bench::bare(warm(no_set_up, bare))]
#[bench::logging_off(warm(no_set_up, logged))]
#[bench::logging_warn(warm(up_to_warn, logged))]
#[bench::logging_by_hand(warm(log_to_nowhere, by_hand))]
#[bench::logging_on(warm(log_to_nowhere, logged))]
#[bench::metrics(warm(no_set_up, counted))]
#[bench::prediction_id(warm(log_to_nowhere, identified))]
#[bench::both(warm(log_to_nowhere, traced))]
fn predict(run: fn()) {
    run();
}

library_benchmark_group!(name = overhead, benchmarks = predict);
main!(library_benchmark_groups = overhead);
