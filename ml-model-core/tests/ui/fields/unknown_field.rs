include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["age", "bmii", "xyzzy"], output_fields = ["charge"]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
