use ml_model_core::MLModel;

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"], output_fields = ["charges"]))]
struct Model;

fn main() {}
