// Input, output and behaviour of the models in all cases.

use ml_model_core::{Infer, LogValue, MLModel, Sensitive};
use schemars::JsonSchema;

#[derive(Clone, Copy, JsonSchema, LogValue)]
pub enum Sex {
    Male,
    Female,
}

#[derive(JsonSchema)]
pub struct Address {
    pub street: String,
    pub zip: String,
}

#[derive(JsonSchema)]
pub enum Shape {
    Round,
    Square(f64),
}

#[derive(JsonSchema)]
pub struct Input {
    pub age: u8,
    pub sex: Sex,
    pub bmi: f64,
    pub address: Address,
    pub shape: Shape,
    pub weights: Vec<f64>,
    pub status: String,
    pub r#type: Option<String>,
    pub ssn: Sensitive<String>,
    pub income: Option<Sensitive<u32>>,
    pub home: Option<Address>,
}

#[derive(JsonSchema)]
pub struct Output {
    pub charges: f64,
}

#[macro_export]
macro_rules! infer {
    ($model:ident) => {
        impl Infer for $model {
            type Input = Input;
            type Output = Output;
            type Error = std::convert::Infallible;

            fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
                Ok(Output { charges: f64::from(input.age) })
            }
        }
    };
}
