use ml_model_core::{Decorator, Described, Infer, MLModel, ModelRegistry};

struct Timing;

impl<M: MLModel> Decorator<M> for Timing {}

#[derive(MLModel)]
#[decorate(Timing)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["address.zip", "hashed(id)"], output_fields = ["charges"]))]
#[decorate(metrics)]
struct Model;

/// Hosts a model, as a service does.
fn host<M>(_load: fn() -> M)
where
    M: Described + MLModel<Input = <<M as Described>::Model as Infer>::Input>,
{
}

fn main() {
    let prediction = Model.predict(1.0).unwrap();
    println!("{} {}", Model.display_name(), prediction.charges);
    let mut models = ModelRegistry::new();
    models.add(Model).unwrap();
    host(|| Model);
}
