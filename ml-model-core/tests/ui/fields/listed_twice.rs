include!("../common.rs");

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age", "bmi", "age", "hashed(age)", bmi as age, prediction_id, prediction_id]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
