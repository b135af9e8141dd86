//! Spellings and types that models may use.

use std::error::Error;

use ml_model_core::{Infer, MLModel, PredictionError, Request};
use schemars::JsonSchema;
use tracing::level_filters::LevelFilter;

use crate::common::logged;

/// Adds numbers.
///
/// * one
///   * nested
#[derive(MLModel)]
#[decorate(logging(level = tracing::Level::WARN))]
struct Documented;

#[derive(MLModel)]
#[doc = include_str!("accepted_model.md")]
/// More.
#[decorate(logging(level = warning))]
struct DocumentedElsewhere;

macro_rules! fails {
    ($model:ident, $error:ty) => {
        impl Infer for $model {
            type Input = f64;
            type Output = f64;
            type Error = $error;

            fn infer(&self, _input: &f64) -> Result<f64, Self::Error> {
                Err("no data".into())
            }
        }
    };
}

fails!(Documented, String);
fails!(DocumentedElsewhere, Box<dyn Error + Send + Sync>);

#[test]
fn texts_and_boxes_are_errors_of_a_model() {
    for error in [Documented.predict(1.0).err(), DocumentedElsewhere.predict(1.0).err()] {
        assert!(matches!(&error, Some(PredictionError::Model(_))), "{error:?}");
        assert_eq!(format!("{error:?}"), "Some(no data)");
    }
}

#[test]
fn descriptions_keep_the_lines_of_the_doc_comment() {
    assert_eq!(Documented.description(), "Adds numbers.\n\n* one\n  * nested");
    assert_eq!(DocumentedElsewhere.description(), "Adds numbers\nfrom a file.\n\n More.");
}

mod retired {
    #![deny(deprecated)]

    use ml_model_core::MLModel;

    #[derive(MLModel)]
    #[decorate(prediction_id)]
    #[decorate(logging)]
    #[deprecated = "use `Documented`"]
    pub struct Retired;
}

#[allow(deprecated)]
mod retired_uses {
    use ml_model_core::Infer;

    fails!(Retired, String);
    use super::retired::Retired;
}

#[test]
#[allow(deprecated)]
fn deprecated_models_are_models() {
    assert_eq!(retired::Retired.display_name(), "Retired");
}

#[derive(JsonSchema)]
struct Order {
    prediction_id: String,
}

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = [prediction_id, "prediction_id as order_id"]))]
struct Orders;

impl Infer for Orders {
    type Input = Order;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, _input: &Order) -> Result<f64, Self::Error> {
        Ok(1.0)
    }
}

#[test]
fn an_own_field_prediction_id_is_logged_under_another_name() {
    let order = Order { prediction_id: "order-7".to_owned() };
    let request = Request::new(order).with_prediction_id("p-1");
    let (_, records) = logged(LevelFilter::INFO, || Orders.predict(request).unwrap());
    assert_eq!(records[0].get("prediction_id"), Some("p-1"));
    assert_eq!(records[0].get("order_id"), Some("order-7"));
}
