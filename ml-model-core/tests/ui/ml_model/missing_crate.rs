include!("../common.rs");

#[derive(MLModel)]
#[ml_model(crate = ml_model)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age", "address.zip"]))]
struct Model;

infer!(Model);

#[derive(LogValue)]
#[log_value(crate = 3)]
enum Kind {
    A,
}

fn main() {}
