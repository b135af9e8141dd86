include!("../common.rs");

#[derive(MLModel)]
#[ml_model(qualified_name = "insurance-charges model")]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
