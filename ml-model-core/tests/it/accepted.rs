//! Spellings and types that models may use.

use std::error::Error;

use ml_model_core::{Infer, MLModel, PredictionError};

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
