include!("../common.rs");

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"]))]
#[decorate(metrics)]
#[decorate(metrics())]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
