include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(sample = 0.1))]
#[decorate(prediction_id)]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
