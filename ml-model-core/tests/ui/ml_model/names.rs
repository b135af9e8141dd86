include!("../common.rs");

#[derive(MLModel)]
#[ml_model(display_name = "", crate = ml_model_core, crate = ml_model_core)]
#[decorate(logging(target = ""))]
struct ÉtéModel;

infer!(ÉtéModel);

fn main() {
    let _ = ÉtéModel.display_name();
}
