include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [hash(ssn), "buckets(age, 10)", sensitive(ssn)]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
