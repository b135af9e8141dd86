//! The OpenAPI 3.1 document of a service: a pure function of its models' metadata.
//!
//! ```
//! use ml_model_service::openapi::{Info, document};
//!
//! let document = document(&Info::new("Area Service"), &[]);
//! assert_eq!(document["openapi"], "3.1.0");
//! assert!(document["paths"].get("/api/models").is_some());
//! ```
//!
//! | module | what lives there |
//! |---|---|
//! | `paths` | the operations |
//! | `answers` | what operations share: errors, health states, lists of models |
//! | `levels` | the operations about the log |
//! | `security` | API keys, admin keys |
//! | `components` | models' schemas under one roof: names, references |
//! | `example` | values that keep to a schema |
//! | `file` | the document as a file |

mod answers;
mod components;
mod example;
mod file;
mod levels;
mod paths;
mod security;

use ml_model_core::ModelDescription;
use serde_json::{Value, json};

use components::Components;

pub use file::{WriteError, write};

/// What a service says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Its name for people.
    pub title: String,
    /// The version of its API.
    pub version: String,
    /// What it is for, in CommonMark; may be empty.
    pub description: String,
    /// Whether callers must show an API key, but for the health endpoints.
    pub has_api_keys: bool,
    /// Whether those who show an admin key may set the levels of the log.
    pub has_admin_keys: bool,
}

impl Info {
    /// A title, version `0.1.0`, no description and no keys.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            version: "0.1.0".to_owned(),
            description: String::new(),
            has_api_keys: false,
            has_admin_keys: false,
        }
    }

    /// Name for programs: `insurance_charges_service` for the title `Insurance Charges Service`.
    pub(crate) fn service_name(&self) -> String {
        let words =
            self.title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
    }
}

/// A model as the document describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelApi {
    /// All there is to know about it.
    pub metadata: ModelDescription,
    /// Whether it takes requests.
    pub has_endpoint: bool,
}

/// Builds the document. The same arguments give the same document, members in the same order.
///
/// Schemas are those of the models, moved to `components/schemas` as `{Model}Input`, `{Model}Output`
/// and, for the types inside, by their own names; a type whose name is taken by another one gets
/// the name of its model in front. The schemas of models without an endpoint are left out.
#[must_use]
pub fn document(info: &Info, models: &[ModelApi]) -> Value {
    let mut components = Components::new(answers::schemas(info));
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
            "responses": answers::error_responses(info),
        },
    });
    let schemes = security::schemes(info);
    if !schemes.is_empty() {
        document["components"]["securitySchemes"] = schemes.into();
    }
    if info.has_api_keys {
        document["security"] = security::any_api_key();
    }
    document
}
