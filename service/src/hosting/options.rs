//! How a model is hosted.

use ml_model_core::Execution;

/// Options of one hosted model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostingOptions {
    pub(crate) execution: Execution,
    /// Maximum number of calls at the same time; more are rejected.
    pub(crate) concurrency_limit: Option<usize>,
    pub(crate) has_endpoint: bool,
}
