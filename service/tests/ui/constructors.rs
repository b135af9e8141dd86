use std::convert::Infallible;
use std::sync::Arc;

use ml_model_service::{Infer, MLModel, Service};

#[derive(MLModel)]
struct Double;

impl Infer for Double {
    type Input = f64;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, input: &f64) -> Result<f64, Infallible> {
        Ok(2.0 * input)
    }
}

#[derive(serde::Deserialize)]
struct Settings {}

fn main() {
    let service = Service::new("Doubles");
    let service = service.model(|_: Settings| Double);
    let service = service.configurable_model(|| Double);
    let service = service.model(Double);
    let service = service.model([Double]);
    let service = service.model::<Double>(|| Double);
    let service = service.model(|| Arc::new(Double));
    let _ = service.model(|| async { Double });
}
