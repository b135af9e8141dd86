include!("../common.rs");

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(Logging(input_fields = ["age"]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
