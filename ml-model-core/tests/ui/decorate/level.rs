include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(level = wran))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
