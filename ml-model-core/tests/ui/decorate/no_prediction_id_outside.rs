include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["prediction_id", "age"], output_fields = [prediction_id]))]
#[decorate(prediction_id)]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
