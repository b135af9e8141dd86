include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["weights", shape, address, "shape as form"]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
