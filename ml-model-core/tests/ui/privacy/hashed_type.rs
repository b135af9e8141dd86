include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [hashed(weights), "hashed(address)"]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
