include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [bucketed(sex, 10), "bucketed(ssn, 10)", bucketed(age, 0.5)]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
