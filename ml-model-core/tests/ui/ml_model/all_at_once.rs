include!("../common.rs");

#[derive(MLModel)]
#[ml_model(versoin = "1")]
#[decorate(logging(input_fields = ["agee", "bmi as status", "xyz as bmi", sex as bmi], level = loud))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
