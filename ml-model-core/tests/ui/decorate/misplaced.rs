include!("../common.rs");

#[derive(MLModel)]
#[logging(input_fields = ["age"])]
#[prediction_id]
struct Model {
    #[metrics]
    #[decorate(logging)]
    #[ml_model(version = "1")]
    bias: f64,
}

infer!(Model);

#[derive(LogValue)]
enum Region {
    #[log_value(rename = "north")]
    North,
}

fn main() {
    let _ = Model { bias: 1.0 }.display_name();
    let _ = Region::North.log_value();
}
