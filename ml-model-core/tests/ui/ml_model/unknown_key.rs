include!("../common.rs");

#[derive(MLModel)]
#[ml_model(displayname = "Model", verson = "1", author = "me")]
struct Model;

infer!(Model);

#[derive(MLModel)]
#[ml_model(inline, prediction_id, logging(level = info), sample = 0.1, input = Input, concurrency_limit = 4)]
#[ml_model(decorators = [prediction_id, logging])]
struct Elsewhere;

infer!(Elsewhere);

fn main() {
    let _ = Model.display_name();
}
