//! The built-in decorators.

pub mod logging;
mod prediction_id;

pub use logging::LoggingDecorator;
pub use prediction_id::PredictionIdDecorator;
