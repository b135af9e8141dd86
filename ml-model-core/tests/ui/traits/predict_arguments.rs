include!("../common.rs");

use ml_model_core::Request;

#[derive(MLModel)]
struct Model;

infer!(Model);

fn input() -> Input {
    unimplemented!()
}

fn main() {
    let _ = Model.predict(&input());
    let _ = Model.predict(vec![input()]);
    let _ = Model.predict(serde_json::json!({"age": 7}));
    let _ = Model.predict(Request::new(input()).with_prediction_id(25));
}
