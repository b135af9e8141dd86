//! The OpenAPI 3.1 document of a service: a pure function of its models' metadata.
//!
//! | module | contents |
//! |---|---|
//! | `paths` | the operations |
//! | `responses` | shared schemas and responses: errors, health states, lists of models |
//! | `log_levels` | the operations on the levels of the log |
//! | `security` | API keys, admin keys |
//! | `components` | the schemas of all models: names, references |
//! | `example` | example values for a schema |
//! | `file` | the document as a file |

mod components;
mod example;
mod file;
mod log_levels;
mod paths;
mod responses;
mod security;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use ml_model_core::{ModelRegistry, RegistryError};
use serde_json::{Value, json};

use components::Components;
use paths::ModelApi;

use crate::hosting::options::HostingOptions;
use crate::info::Info;
use crate::root_path::RootPath;

pub(crate) use file::write;

/// Builds the document. Equal arguments give equal documents, with members in the same order.
///
/// The schemas of the models become `components/schemas`: `{Model}Input`, `{Model}Output`, and the types
/// inside by their own names. A type whose name belongs to another type is prefixed with the name of its
/// model. Schemas of models without an endpoint are not included.
pub(crate) fn document(info: &Info, models: &[ModelApi]) -> Value {
    let mut components = Components::new(responses::schemas(info));
    let mut paths = paths::paths(info, models, &mut components);
    let mut about = json!({ "title": info.title, "version": info.version });
    if !info.description.is_empty() {
        about["description"] = info.description.as_str().into();
    }
    if info.has_api_keys {
        security::require_key(&mut paths);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": about,
        "tags": paths::tags(info),
        "paths": paths,
        "components": {
            "schemas": components.into_schemas(),
            "responses": responses::error_responses(info),
        },
    });
    if let Some(path) = &info.root_path {
        set_root_path(&mut document, path);
    }
    let schemes = security::schemes(info);
    if !schemes.is_empty() {
        document["components"]["securitySchemes"] = schemes.into();
    }
    if info.has_api_keys {
        document["security"] = security::any_api_key();
    }
    document
}

/// Sets the path under which a proxy publishes the service.
pub(crate) fn set_root_path(document: &mut Value, path: &RootPath) {
    document["servers"] = json!([{ "url": path.as_str() }]);
}

/// Builds the document about loaded models.
///
/// # Errors
///
/// Never fails, as long as the registry finds its own models.
pub(crate) fn of_registry(
    info: &Info,
    registry: &ModelRegistry,
    options: &HashMap<&str, HostingOptions>,
) -> Result<Value, RegistryError> {
    let described: Result<Vec<_>, _> = registry
        .iter()
        .map(|(name, _)| {
            let metadata = registry.metadata(name)?;
            let has_endpoint = options.get(name).is_some_and(|options| options.has_endpoint);
            Ok(ModelApi { metadata, has_endpoint })
        })
        .collect();
    Ok(document(info, &described?))
}
