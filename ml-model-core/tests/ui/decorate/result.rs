include!("../common.rs");

struct Timing;

impl<M: MLModel> ml_model_core::Decorator<M> for Timing {}

fn timing() -> Result<Timing, String> {
    Ok(Timing)
}

#[derive(MLModel)]
#[decorate(timing())]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
