include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [
    bucketed(age),
    "bucketed(bmi)",
    bucketed(age, 0),
    bucketed(age; 10),
    bucketed(age, ten),
    "bucketed(age, -1)",
]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
