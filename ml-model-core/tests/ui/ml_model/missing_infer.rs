use ml_model_core::MLModel;

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct Model;

fn main() {}
