include!("../common.rs");

#[derive(MLModel)]
#[ml_model(qualified_name = "insurance-charges model")]
struct Model;

infer!(Model);

#[derive(MLModel)]
#[ml_model(qualified_name = "9x")]
struct NineModel;

infer!(NineModel);

fn main() {
    let _ = (Model.display_name(), NineModel.display_name());
}
