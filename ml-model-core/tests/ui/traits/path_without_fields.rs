use std::collections::BTreeMap;

include!("../common.rs");

#[derive(JsonSchema)]
struct Parcel {
    distance_km: f64,
    stops: Vec<Address>,
    prices: BTreeMap<String, Address>,
    recipient: Sensitive<Address>,
}

#[derive(MLModel)]
#[decorate(logging(input_fields = [
    "distance_km.value",
    stops.zip,
    "prices.zip",
    recipient.zip,
    "hashed(recipient.street)",
]))]
struct Model;

impl Infer for Model {
    type Input = Parcel;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Parcel) -> Result<Output, Self::Error> {
        Ok(Output { charges: 1.0 })
    }
}

fn main() {}
