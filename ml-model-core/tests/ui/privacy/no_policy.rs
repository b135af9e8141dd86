include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["ssn", ssn as number, income]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
