//! A function, and the model around it.

use std::convert::Infallible;

use ml_model_core::{Infer, MLModel, Sensitive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Computes the days until a parcel arrives.
pub fn delivery_days(distance_km: f64, weight_kg: f64, is_express: bool) -> f64 {
    let days = 1.0 + distance_km / 400.0 + weight_kg / 20.0;
    if is_express { days / 2.0 } else { days }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Parcel {
    /// Distance to the recipient in kilometres.
    #[schemars(range(min = 0.0, max = 5000.0))]
    pub distance_km: f64,
    /// Weight in kilograms.
    #[schemars(range(min = 0.0, max = 30.0))]
    pub weight_kg: f64,
    #[serde(default)]
    pub is_express: bool,
    /// Number of the customer.
    pub customer_id: String,
    /// Street and house number of the recipient.
    pub street: Sensitive<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Delivery {
    /// Days until the parcel arrives.
    pub days: f64,
}

/// Predicts when a parcel arrives.
#[derive(Debug, MLModel)]
#[ml_model(execution = inline)]
#[decorate(prediction_id)]
#[decorate(logging(
    input_fields = ["weight_kg", "bucketed(distance_km, 100)", "hashed(customer_id)"],
    output_fields = ["days"],
    sample = 0.1,
    slow = "50ms",
))]
pub struct DeliveryModel;

impl Infer for DeliveryModel {
    type Input = Parcel;
    type Output = Delivery;
    type Error = Infallible;

    fn infer(&self, parcel: &Parcel) -> Result<Delivery, Infallible> {
        let days = delivery_days(parcel.distance_km, parcel.weight_kg, parcel.is_express);
        Ok(Delivery { days })
    }
}
