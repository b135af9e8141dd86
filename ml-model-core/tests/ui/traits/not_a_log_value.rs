use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::SystemTime;

include!("../common.rs");

#[derive(JsonSchema)]
struct Parcel {
    tags: Vec<String>,
    sizes: BTreeMap<String, f64>,
    extra: serde_json::Value,
    client: Option<Ipv4Addr>,
    #[schemars(skip)]
    sent: Option<SystemTime>,
    recipient: Address,
}

#[derive(MLModel)]
#[decorate(logging(input_fields = [tags, sizes, extra, client, sent, hashed(recipient)]))]
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
