//! Two user-defined decorators around a model that converts temperatures.
//!
//! `Timing` is the outermost decorator, so it measures the built-in ones too. `Clamp` is the innermost one, so
//! the log has the clamped output.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error;
use std::time::Instant;

use ml_model_core::{
    Decorator, Infer, MLModel, ModelMetadata, Prediction, PredictionError, Request,
};
use schemars::JsonSchema;

#[derive(Debug, JsonSchema)]
struct Input {
    /// Temperature in degrees Celsius.
    celsius: f64,
}

#[derive(Debug, JsonSchema)]
struct Output {
    /// Temperature in degrees Fahrenheit.
    fahrenheit: f64,
}

/// Logs the duration of a prediction, including all inner decorators.
struct Timing;

impl<M: MLModel> Decorator<M> for Timing {
    fn call(
        &self,
        model: &M,
        request: Request<M::Input>,
    ) -> Result<Prediction<M::Output>, PredictionError> {
        let started = Instant::now();
        let result = model.call(request);
        tracing::info!(elapsed_us = started.elapsed().as_secs_f64() * 1e6, "Timed.");
        result
    }
}

/// Limits the output to a range of temperatures.
struct Clamp {
    lowest: f64,
    highest: f64,
}

impl Clamp {
    fn between(lowest: f64, highest: f64) -> Self {
        Self { lowest, highest }
    }
}

impl<M: MLModel<Output = Output>> Decorator<M> for Clamp {
    fn call(
        &self,
        model: &M,
        request: Request<M::Input>,
    ) -> Result<Prediction<Output>, PredictionError> {
        let mut prediction = model.call(request)?;
        prediction.fahrenheit = prediction.fahrenheit.clamp(self.lowest, self.highest);
        Ok(prediction)
    }

    fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
        let mut metadata = model.metadata();
        metadata.to_mut().version.to_mut().push_str("+clamped");
        metadata
    }
}

/// Converts degrees Celsius to degrees Fahrenheit.
#[derive(MLModel)]
#[decorate(Timing)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["celsius"], output_fields = ["fahrenheit"]))]
#[decorate(Clamp::between(-40.0, 122.0))]
struct TemperatureModel;

impl Infer for TemperatureModel {
    type Input = Input;
    type Output = Output;
    type Error = Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Infallible> {
        Ok(Output { fahrenheit: input.celsius * 1.8 + 32.0 })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let _logging = ml_logging::builder().format("%(levelname)s %(message)s").init()?;
    tracing::info!(decorators = ?TemperatureModel.decorators(), "Composed.");
    for celsius in [21.5, 1_000.0] {
        TemperatureModel.predict(Input { celsius })?;
    }
    Ok(())
}
