include!("../common.rs");

#[derive(MLModel)]
#[ml_model]
#[ml_model(display_name, version = 1, "text", description("x"))]
#[ml_model(qualified_name = "a", qualified_name = "b")]
#[ml_model(qualified_name = "c")]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
