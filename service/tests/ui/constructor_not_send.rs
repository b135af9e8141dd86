use std::convert::Infallible;
use std::rc::Rc;

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

fn main() {
    let shared = Rc::new(7);
    let _ = Service::new("Doubles").model(move || {
        drop(shared);
        Double
    });
}
