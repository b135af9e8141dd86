include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_feilds = ["age"], colour = "red", level = verbose, level = info, logger = "audit"))]
struct Model;

infer!(Model);

#[derive(MLModel)]
#[decorate(logging(input_fields = ["age"], input_fields = ["bmi"], hashed_fields = ["ssn"]))]
struct WithLists;

infer!(WithLists);

fn main() {
    let _ = Model.display_name();
}
