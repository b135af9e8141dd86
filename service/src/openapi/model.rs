//! A model as the document describes it.

use ml_model_core::ModelDescription;

/// Metadata of a model, and whether it has an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelApi {
    pub(crate) metadata: ModelDescription,
    pub(crate) has_endpoint: bool,
}
