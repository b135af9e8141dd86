use ml_model_core::LogValue;
use serde::Serialize;

#[derive(Serialize, LogValue)]
#[serde(untagged)]
enum Untagged {
    Aa,
}

#[derive(Clone, Serialize, LogValue)]
#[serde(rename_all = "lowercase", into = "u8")]
enum Into {
    Aa,
}

impl From<Into> for u8 {
    fn from(_: Into) -> Self {
        0
    }
}

#[derive(Serialize, LogValue)]
#[serde(tag = "t", content = "c")]
enum Tagged {
    Aa,
}

#[derive(Serialize, LogValue)]
enum Variants {
    #[serde(serialize_with = "zero")]
    Aa,
    #[serde(untagged)]
    Bb,
}

fn zero<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(0)
}

fn main() {
    let _ = (Untagged::Aa.log_value(), Into::Aa.log_value(), Tagged::Aa.log_value());
    let _ = (Variants::Aa.log_value(), Variants::Bb.log_value());
}
