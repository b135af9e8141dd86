//! Traits, decorators, registry and errors for observable machine learning models.
//!
//! A model implements [`Infer`]. `#[derive(MLModel)]` adds its metadata and the decorators of its
//! `#[decorate(...)]` attributes. Every prediction then emits structured log records that share one
//! prediction id.
//!
//! ```
//! use ml_model_core::{Infer, MLModel};
//! use schemars::JsonSchema;
//!
//! #[derive(JsonSchema)]
//! pub struct Square {
//!     /// Length of a side in metres.
//!     #[schemars(range(min = 0.0))]
//!     pub side: f64,
//! }
//!
//! #[derive(JsonSchema)]
//! pub struct Area {
//!     /// Area in square metres.
//!     pub area: f64,
//! }
//!
//! /// Computes the area of a square.
//! #[derive(MLModel)]
//! #[decorate(prediction_id)]
//! #[decorate(logging(input_fields = ["side"], output_fields = ["area"]))]
//! pub struct AreaModel;
//!
//! impl Infer for AreaModel {
//!     type Input = Square;
//!     type Output = Area;
//!     type Error = std::convert::Infallible;
//!
//!     fn infer(&self, input: &Square) -> Result<Area, Self::Error> {
//!         Ok(Area { area: input.side * input.side })
//!     }
//! }
//!
//! let prediction = AreaModel.predict(Square { side: 3.0 })?;
//! assert_eq!(prediction.area, 9.0);
//! assert!(prediction.prediction_id().is_some());
//! assert_eq!(AreaModel.qualified_name(), "area_model");
//! assert_eq!(
//!     format!("{:?}", AreaModel.decorators()),
//!     "PredictionIdDecorator(LoggingDecorator(AreaModel))",
//! );
//! # Ok::<(), ml_model_core::PredictionError>(())
//! ```
//!
//! This crate contains neither HTTP nor a log format. It emits records through [`tracing`]; the
//! application installs the subscriber that writes them.
//!
//! | module | contents |
//! |---|---|
//! | `infer` | [`Infer`], the trait that a model's author implements, with the traits of its types |
//! | `model` | [`MLModel`], its [`ModelMetadata`] and [`StackInfo`] |
//! | `bare` | the model inside a stack of decorators |
//! | `request` | [`Request`], [`Prediction`] and their common [`Context`] |
//! | `prediction_id`, `error` | [`PredictionId`] and [`PredictionError`] |
//! | `log_value`, `logged_field` | values and fields of log records |
//! | `sensitive`, `policy` | [`Sensitive`] values, and what records show instead of a value |
//! | `decorator` | [`Decorator`] and [`Decorated`], the layers of a stack |
//! | [`decorators`] | the built-in decorators, one module each |
//! | [`metrics`] | the counts of the `metrics` decorator, for exporters |
//! | `registry` | [`ModelRegistry`] and the JSON form in which it holds models |
//! | `pending` | [`PendingCalls`]: pending predictions, which a program that cannot wait for them abandons |
//! | `stack` | [`Stack`]: decorators chosen at run time |
//! | `append_list` | a list that is read without a lock |
//! | `private` | items that only generated code uses |

mod append_list;
mod bare;
mod decorator;
pub mod decorators;
mod error;
mod infer;
mod log_value;
mod logged_field;
mod model;
mod pending;
mod policy;
mod prediction_id;
mod registry;
mod request;
mod sensitive;
mod stack;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use decorator::{Decorated, Decorator};
pub use decorators::{LoggingDecorator, MetricsDecorator, PredictionIdDecorator, metrics};
pub use error::{PredictionError, Rejection, RejectionKind, Violation, error_chain};
pub use infer::{HasSchema, Infer, InferError};
pub use log_value::LogValue;
pub use ml_model_derive::{LogValue, MLModel};
pub use model::{Answer, Described, Execution, MLModel, ModelMetadata, Shared, StackInfo};
pub use pending::PendingCalls;
pub use prediction_id::{InvalidPredictionId, PredictionId};
pub use registry::{
    JsonForm, JsonModel, ModelDescription, ModelRegistry, RegisteredModel, RegistryError,
    unmarked_sensitive,
};
pub use request::{BatchRow, Context, IntoRequest, Prediction, Request};
pub use sensitive::Sensitive;
pub use sensitive::schema::SensitiveParts;
pub use stack::Stack;

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
