use serde_json::Value;

include!("../common.rs");

#[derive(JsonSchema)]
struct Parcel {
    weight: Option<f64>,
    stops: Option<Vec<Address>>,
    recipient: Option<Sensitive<Address>>,
    extra: Value,
}

#[derive(MLModel)]
#[decorate(logging(
    input_fields = [
        weight.kilograms,
        "stops.zip",
        redacted(recipient.zip),
        "hashed(recipient.street)",
        extra.colour,
    ],
    output_fields = ["charges", total],
))]
struct BehindOption;

impl Infer for BehindOption {
    type Input = Parcel;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Parcel) -> Result<f64, Self::Error> {
        Ok(1.0)
    }
}

#[derive(MLModel)]
#[decorate(logging(input_fields = ["age", address.zip], output_fields = [redacted(charges)]))]
struct Rows;

impl Infer for Rows {
    type Input = Vec<Input>;
    type Output = Vec<Output>;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Vec<Input>) -> Result<Vec<Output>, Self::Error> {
        Ok(Vec::new())
    }
}

#[derive(MLModel)]
#[decorate(logging(input_fields = ["age"], output_fields = ["charges"]))]
struct Json;

impl Infer for Json {
    type Input = Value;
    type Output = String;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Value) -> Result<String, Self::Error> {
        Ok(String::new())
    }
}

fn main() {}
