//! The built-in decorators, one module each.

pub mod logging;
pub mod metrics;
mod prediction_id;

pub use logging::LoggingDecorator;
pub use metrics::MetricsDecorator;
pub use prediction_id::PredictionIdDecorator;
