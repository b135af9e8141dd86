//! [`ModelRegistry`], the models of one program by qualified name, and the JSON form in which it stores
//! them.

mod json;

use std::fmt;
use std::sync::Arc;

use schemars::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::decorator::{Decorated, Decorator};
use crate::model::{MLModel, ModelMetadata};
use crate::prediction_id::PredictionId;

pub use json::{JsonForm, JsonModel, unmarked_sensitive};
pub(crate) use json::{deserialize, deserialize_text};

/// A registered model. Its input and output are JSON, for models of all types.
pub type RegisteredModel = Arc<dyn JsonForm>;

/// The models of one program by qualified name, in the order in which they were added.
///
/// A registry is a value, not a global.
///
/// ```
/// # use ml_model_core::{Infer, MLModel, ModelRegistry};
/// # #[derive(MLModel)]
/// # #[decorate(prediction_id)]
/// # struct Double;
/// # impl Infer for Double {
/// #     type Input = f64;
/// #     type Output = f64;
/// #     type Error = std::convert::Infallible;
/// #     fn infer(&self, input: &f64) -> Result<f64, Self::Error> { Ok(2.0 * input) }
/// # }
/// use serde_json::json;
///
/// let mut models = ModelRegistry::new();
/// models.add(Double)?;
/// assert_eq!(models.list()[0].display_name, "Double");
/// assert_eq!(models.get("double")?.call(json!(1.5).into())?.output(), &json!(3.0));
/// assert!(models.get("doubel").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default, Clone)]
pub struct ModelRegistry {
    // A program has a few models, for which a linear search is faster than a hash map.
    models: Vec<(String, RegisteredModel)>,
}

impl ModelRegistry {
    /// Creates an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a model under its qualified name.
    ///
    /// # Errors
    ///
    /// Returns [`RegistryError::DuplicateName`] if there already is a model of that name.
    pub fn add<M>(&mut self, model: M) -> Result<(), RegistryError>
    where
        M: MLModel + 'static,
        M::Input: DeserializeOwned,
        M::Output: Serialize,
    {
        self.add_registered(Arc::new(JsonModel::new(model)))
    }

    /// Adds a model that is in JSON form already: one from a [`Stack`](crate::Stack) or from another
    /// registry.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`add`](Self::add).
    pub fn add_registered(&mut self, model: RegisteredModel) -> Result<(), RegistryError> {
        let name = model.qualified_name().into_owned();
        if self.position(&name).is_ok() {
            return Err(RegistryError::DuplicateName { name });
        }
        report_own_field(&name, &model);
        self.models.push((name, model));
        Ok(())
    }

    /// Removes a model and returns it.
    ///
    /// # Errors
    ///
    /// Returns [`RegistryError::UnknownName`] if there is no model of that name.
    pub fn remove(&mut self, name: &str) -> Result<RegisteredModel, RegistryError> {
        let position = self.position(name)?;
        Ok(self.models.remove(position).1)
    }

    /// Returns the model of that name.
    ///
    /// # Errors
    ///
    /// Returns [`RegistryError::UnknownName`] if there is no model of that name.
    pub fn get(&self, name: &str) -> Result<&RegisteredModel, RegistryError> {
        let position = self.position(name)?;
        Ok(&self.models[position].1)
    }

    /// Returns all models with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RegisteredModel)> {
        self.models.iter().map(|(name, model)| (name.as_str(), model))
    }

    /// Returns the metadata of every model.
    #[must_use]
    pub fn list(&self) -> Vec<ModelMetadata> {
        self.models.iter().map(|(_, model)| model.metadata().into_owned()).collect()
    }

    /// Returns the metadata and schemas of one model.
    ///
    /// # Errors
    ///
    /// Returns [`RegistryError::UnknownName`] if there is no model of that name.
    pub fn metadata(&self, name: &str) -> Result<ModelDescription, RegistryError> {
        let model = self.get(name)?;
        Ok(ModelDescription {
            metadata: model.metadata().into_owned(),
            input_schema: model.input_schema(),
            output_schema: model.output_schema(),
        })
    }

    /// Puts a decorator around the model of that name, outside its other decorators.
    ///
    /// If the decorator changes the qualified name, the model is registered under the new name.
    ///
    /// # Errors
    ///
    /// Returns [`RegistryError::UnknownName`] if there is no model of that name, and
    /// [`RegistryError::DuplicateName`] if the new name is that of another model.
    pub fn add_decorator<D>(&mut self, name: &str, decorator: D) -> Result<(), RegistryError>
    where
        D: Decorator<RegisteredModel> + 'static,
    {
        let position = self.position(name)?;
        let decorated = Decorated::new(decorator, self.models[position].1.clone());
        let name = decorated.qualified_name().into_owned();
        if self.position(&name).is_ok_and(|other| other != position) {
            return Err(RegistryError::DuplicateName { name });
        }
        // The decorator may change the schemas, which determine whether the body contains a prediction
        // id. A new `JsonModel` reads them again.
        self.models[position] = (name, Arc::new(JsonModel::around(decorated)));
        Ok(())
    }

    fn position(&self, name: &str) -> Result<usize, RegistryError> {
        self.models.iter().position(|(known, _)| known == name).ok_or_else(|| {
            RegistryError::UnknownName {
                name: name.to_owned(),
                known: self.models.iter().map(|(known, _)| known.clone()).collect(),
            }
        })
    }
}

/// Logs that a field of the model has the name of the prediction id, so that the JSON has another value than the
/// records.
fn report_own_field(name: &str, model: &RegisteredModel) {
    if !model.stack().has_prediction_id {
        return;
    }
    for (part, schema) in [("input", model.input_schema()), ("output", model.output_schema())] {
        if schema.pointer("/properties/prediction_id").is_some() && !PredictionId::is_in(&schema) {
            tracing::warn!(
                model_qualified_name = name,
                "The {part} of the model has a field `prediction_id`, which is not the id of the records: rename it, \
                 or remove the decorator `prediction_id`.",
            );
        }
    }
}

impl fmt::Debug for ModelRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.models.iter().map(|(name, model)| (name, model.decorators())))
            .finish()
    }
}

/// Metadata and schemas of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelDescription {
    /// Names, description and version.
    #[serde(flatten)]
    pub metadata: ModelMetadata,
    /// JSON Schema of the inputs.
    pub input_schema: Schema,
    /// JSON Schema of the outputs.
    pub output_schema: Schema,
}

/// Error of a [`ModelRegistry`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There already is a model of that name.
    #[error(
        "a model named `{name}` is already registered: give one of them another `qualified_name`"
    )]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// There is no model of that name.
    #[error("no model is named `{name}`; {}", known_models(known))]
    UnknownName {
        /// The name.
        name: String,
        /// The names of all models.
        known: Vec<String>,
    },
}

fn known_models(names: &[String]) -> String {
    if names.is_empty() {
        "there are no models".to_owned()
    } else {
        format!("the models are: {}", names.join(", "))
    }
}
