//! Serves a model with `GET /metrics`. `.ci/metrics` has a Prometheus collect them.

use std::process::ExitCode;

use ml_model_core::{Infer, MLModel};
use ml_model_service::{MetricsSettings, Service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Square {
    /// Length of a side in metres.
    #[schemars(range(min = 0.0))]
    side: f64,
}

/// Computes the area of a square. Its version is one that the text format has to escape.
#[derive(MLModel)]
#[ml_model(version = "1.0 \"quoted\" \\ backslashed")]
#[decorate(metrics)]
#[decorate(prediction_id)]
struct AreaModel;

impl Infer for AreaModel {
    type Input = Square;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Square) -> Result<f64, Self::Error> {
        Ok(input.side * input.side)
    }
}

fn main() -> ExitCode {
    let metrics = MetricsSettings {
        enabled: true,
        should_instrument_requests_inprogress: true,
        inprogress_labels: true,
        ..MetricsSettings::default()
    };
    Service::new("Area Service").metrics(metrics).model(|| AreaModel).main()
}
