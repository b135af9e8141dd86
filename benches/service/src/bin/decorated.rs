//! The service with the decorated trivial model.

use std::convert::Infallible;
use std::process::ExitCode;

use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use service_load::{Input, Output, charges};

/// The trivial model.
#[derive(Debug, MLModel)]
#[ml_model(qualified_name = "trivial_model")]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age", "bmi"], output_fields = ["charges"]))]
struct TrivialModel;

impl Infer for TrivialModel {
    type Input = Input;
    type Output = Output;
    type Error = Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Infallible> {
        Ok(charges(input))
    }
}

fn main() -> ExitCode {
    Service::new("Trivial").model(|| Ok::<_, Infallible>(TrivialModel)).main()
}
