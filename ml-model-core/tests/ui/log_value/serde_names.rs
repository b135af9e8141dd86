use ml_model_core::LogValue;

#[derive(LogValue)]
#[serde(renam_all = "lowercase")]
enum Sex {
    #[serde(rename = 3)]
    Male,
    #[serde(renam = "x")]
    Female,
    #[serde(rename)]
    Other,
    #[serde(alias = "none", rename(serialise = "x"))]
    Unknown,
}

fn main() {
    let _ = Sex::Male.log_value();
}
