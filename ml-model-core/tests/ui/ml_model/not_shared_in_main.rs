use std::convert::Infallible;
use std::rc::Rc;

use ml_model_core::{Infer, MLModel};

#[derive(MLModel)]
struct Model(Rc<f64>);

impl Infer for Model {
    type Input = f64;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, input: &f64) -> Result<f64, Infallible> {
        Ok(input + *self.0)
    }
}

fn main() {
    let _ = Model(Rc::new(1.0)).predict(2.0);
}
