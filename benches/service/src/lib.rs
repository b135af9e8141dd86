//! What the servers compared here have in common: the input, the output and the arithmetic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of the trivial model.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// Age in years.
    pub age: u8,
    /// Body mass index.
    pub bmi: f64,
}

/// Output of the trivial model.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Charges in US dollars.
    pub charges: f64,
}

/// The trivial model: next to nothing, so that what is measured is everything else.
#[must_use]
pub fn charges(input: &Input) -> Output {
    Output { charges: f64::from(input.age) * 37.5 + input.bmi * 11.25 }
}

/// The environment variable that tells a server how many models to host or fields to log.
pub const COUNT: &str = "SERVICE_LOAD_COUNT";

/// The count asked for by [`COUNT`]; `default` without it.
///
/// # Panics
///
/// If it is no number.
#[must_use]
pub fn count(default: usize) -> usize {
    std::env::var(COUNT)
        .map_or(default, |count| count.parse().expect("the count in the environment is a number"))
}
