include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging[])]
#[decorate(prediction_id { })]
#[decorate(,)]
#[decorate(Timing; Timing)]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
