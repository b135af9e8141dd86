//! The model of all compared servers.

use std::convert::Infallible;

use ml_model_core::{Infer, MLModel};
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

/// Computes the trivial model. It does little, so that the benchmark measures everything else.
#[must_use]
pub fn charges(input: &Input) -> Output {
    Output { charges: f64::from(input.age) * 37.5 + input.bmi * 11.25 }
}

/// The trivial model, decorated.
#[derive(Debug, MLModel)]
#[ml_model(qualified_name = "trivial_model", execution = inline)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age", "bmi"], output_fields = ["charges"]))]
pub struct TrivialModel;

impl Infer for TrivialModel {
    type Input = Input;
    type Output = Output;
    type Error = Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Infallible> {
        Ok(charges(input))
    }
}

/// Environment variable with the API key of every request.
pub const KEY: &str = "SERVICE_LOAD_KEY";

/// Environment variable that makes the bare server call the model on the blocking pool.
pub const BLOCKING: &str = "SERVICE_LOAD_BLOCKING";

/// Environment variable with the number of models to host or of fields to log.
pub const COUNT: &str = "SERVICE_LOAD_COUNT";

/// Returns the value of [`COUNT`], or `default` without it.
///
/// # Panics
///
/// Panics if the value is not a number.
#[must_use]
pub fn count(default: usize) -> usize {
    std::env::var(COUNT)
        .map_or(default, |count| count.parse().expect("the count in the environment is a number"))
}
