use std::cell::RefCell;
use std::convert::Infallible;

use ml_model_core::{Described, Infer, MLModel, ModelRegistry};

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct Model(RefCell<f64>);

impl Infer for Model {
    type Input = f64;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, input: &f64) -> Result<f64, Infallible> {
        Ok(input + *self.0.borrow())
    }
}

/// Hosts a model, as a service does.
fn host<M>(_load: fn() -> M)
where
    M: Described + MLModel<Input = <<M as Described>::Model as Infer>::Input>,
{
}

fn main() {
    let mut models = ModelRegistry::new();
    models.add(Model(RefCell::new(1.0))).unwrap();
    host(|| Model(RefCell::new(1.0)));
}
