use ml_model_core::LogValue;
use serde::Serialize;

#[derive(LogValue, Serialize)]
#[serde(rename_all = "lower_case")]
enum Sex {
    Male,
    Female,
}

fn main() {
    let _ = Sex::Male.log_value();
}
