include!("../common.rs");

#[derive(MLModel)]
#[ml_model(displayname = "Model", verson = "1", author = "me")]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
