include!("../common.rs");

#[derive(MLModel)]
#[decorate(PredictionId)]
#[decorate(Logging)]
#[decorate(Metrics)]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
