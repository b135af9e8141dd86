include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["age"]))]
#[decorate(prediction_id)]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
