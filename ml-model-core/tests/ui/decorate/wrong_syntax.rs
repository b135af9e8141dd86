include!("../common.rs");

#[derive(MLModel)]
#[decorate]
#[decorate()]
#[decorate = "logging"]
#[decorate(logging = "info")]
#[decorate(logging("age", "bmi"))]
#[decorate(logging(input_fields("age")))]
#[decorate(logging(input_fields, level = 3, target = info))]
#[decorate(prediction_id(uuid))]
#[decorate(prediction_id, logging)]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
