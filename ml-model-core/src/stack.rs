//! [`Stack`]: decorators chosen at run time, in place of those in a model's attributes.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bare::Bare;
use crate::decorators::logging::LoggingOptions;
use crate::registry::{deserialize, deserialize_text};
use crate::{
    Decorated, Decorator, Described, Infer, JsonModel, LoggingDecorator, MLModel, MetricsDecorator,
    PredictionIdDecorator, RegisteredModel, Violation,
};

/// Builder that puts decorators around a bare model, from the innermost to the outermost.
///
/// ```
/// # use ml_model_core::{Infer, MLModel, Stack, decorators::logging::LoggingOptions};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # struct Square { side: f64 }
/// # #[derive(serde::Serialize, schemars::JsonSchema)]
/// # struct Area { area: f64 }
/// # #[derive(MLModel)]
/// # struct AreaModel;
/// # impl Infer for AreaModel {
/// #     type Input = Square;
/// #     type Output = Area;
/// #     type Error = std::convert::Infallible;
/// #     fn infer(&self, input: &Square) -> Result<Area, Self::Error> {
/// #         Ok(Area { area: input.side * input.side })
/// #     }
/// # }
/// let mut options = LoggingOptions::new("area_model");
/// options.input_fields.push("side".parse()?);
/// let model = Stack::around(AreaModel).logging(options).prediction_id().into_model();
/// let decorators = format!("{:?}", model.decorators());
/// assert_eq!(decorators, "PredictionIdDecorator(LoggingDecorator(AreaModel))");
/// # Ok::<(), ml_model_core::decorators::logging::FieldError>(())
/// ```
///
/// The built-in decorators work on the model's own types. Other decorators work on JSON, so that one
/// implementation serves all models. From the first of them outwards, the whole stack works on JSON
/// that is written from the model's own types.
pub struct Stack<I, O>(Layers<I, O>);

type TypedModel<I, O> = Arc<dyn MLModel<Input = I, Output = O>>;

enum Layers<I, O> {
    Typed(TypedModel<I, O>),
    Json(RegisteredModel),
}

impl<I, O> Stack<I, O>
where
    I: Serialize + DeserializeOwned + 'static,
    O: Serialize + 'static,
{
    /// Creates a stack of the bare model, without the decorators of its attributes.
    pub fn around<M>(model: M) -> Self
    where
        M: Infer<Input = I, Output = O> + Described + Send + Sync + 'static,
    {
        Self(Layers::Typed(Arc::new(Bare(Box::new(model)))))
    }

    /// Puts a [`PredictionIdDecorator`] around the stack.
    #[must_use]
    pub fn prediction_id(self) -> Self {
        self.built_in(PredictionIdDecorator)
    }

    /// Puts a [`MetricsDecorator`] around the stack.
    #[must_use]
    pub fn metrics(self) -> Self {
        self.built_in(MetricsDecorator::new())
    }

    /// Puts a [`LoggingDecorator`] around the stack.
    #[must_use]
    pub fn logging(self, options: LoggingOptions) -> Self {
        let (input, output) = match &self.0 {
            Layers::Typed(model) => (model.input_schema(), model.output_schema()),
            Layers::Json(model) => (model.input_schema(), model.output_schema()),
        };
        self.built_in(LoggingDecorator::configured(options, &input, &output))
    }

    /// Puts a decorator of JSON models around the stack.
    #[must_use]
    pub fn decorator(self, decorator: impl Decorator<RegisteredModel> + 'static) -> Self {
        let model: RegisteredModel = match self.0 {
            Layers::Typed(model) => Arc::new(JsonModel::new(model)),
            Layers::Json(model) => model,
        };
        Self(Layers::Json(Arc::new(JsonModel::around(Decorated::new(decorator, model)))))
    }

    /// Converts the stack into a model for a registry.
    #[must_use]
    pub fn into_model(self) -> RegisteredModel {
        match self.0 {
            Layers::Typed(model) => Arc::new(JsonModel::new(model)),
            Layers::Json(model) => Arc::new(JsonModel::reading(
                model,
                |body| {
                    let input: I = deserialize(body)?;
                    written(input).map_err(|violation| Box::new((Value::Null, violation)))
                },
                |text| written(deserialize_text::<I>(text)?),
            )),
        }
    }

    fn built_in<D>(self, decorator: D) -> Self
    where
        D: Decorator<TypedModel<I, O>> + Decorator<RegisteredModel> + 'static,
    {
        Self(match self.0 {
            Layers::Typed(model) => Layers::Typed(Arc::new(Decorated::new(decorator, model))),
            Layers::Json(model) => {
                Layers::Json(Arc::new(JsonModel::around(Decorated::new(decorator, model))))
            }
        })
    }
}

/// Writes an input, so that records do not depend on the spelling that the caller used.
fn written<I: Serialize>(input: I) -> Result<Value, Violation> {
    serde_json::to_value(input).map_err(|error| Violation::new("", error.to_string()))
}

impl<I, O> fmt::Debug for Stack<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stack = match &self.0 {
            Layers::Typed(model) => model.stack(),
            Layers::Json(model) => model.stack(),
        };
        fmt::Display::fmt(&stack, f)
    }
}
