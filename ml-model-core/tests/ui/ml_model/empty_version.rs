include!("../common.rs");

#[derive(MLModel)]
#[ml_model(version = "")]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
