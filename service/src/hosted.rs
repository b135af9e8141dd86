//! One model behind its endpoint.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ml_model_core::{MLModel, PredictionError, PredictionId, RegisteredModel, Request, Violation};
use serde_json::Value;

use crate::response::{ErrorResponse, messages};
use crate::validation::InputSchema;

/// A model and what its endpoint needs to know of it.
pub(crate) struct HostedModel {
    model: RegisteredModel,
    schema: InputSchema,
    takes_prediction_id: bool,
}

impl HostedModel {
    /// Prepares `model` for requests.
    ///
    /// # Errors
    ///
    /// If the model's input schema is no valid JSON Schema, says why.
    pub(crate) fn new(model: RegisteredModel) -> Result<Self, String> {
        let schema = model.input_schema();
        Ok(Self {
            takes_prediction_id: PredictionId::is_in(&schema),
            schema: InputSchema::new(&schema)?,
            model,
        })
    }

    /// Answers one body.
    ///
    /// A body that is not acceptable goes through the model's decorators too, so that it is on
    /// record under the id that the answer names.
    pub(crate) fn predict(&self, body: &[u8]) -> Result<Value, ErrorResponse> {
        let (body, violations) = match parse(body) {
            Ok(body) => {
                let violations = self.schema.violations(&body);
                (Some(body), violations)
            }
            Err(violation) => (None, vec![violation]),
        };
        let id = self
            .takes_prediction_id
            .then(|| body.as_ref().and_then(callers_id).unwrap_or_else(PredictionId::random));
        let keeps_to_schema = violations.is_empty();
        let mut request = match body {
            Some(body) if keeps_to_schema => Request::new(body),
            _ => Request::invalid(violations),
        };
        if let Some(id) = &id {
            request = request.with_prediction_id(id.clone());
        }

        // A model that panics has failed this prediction, not the service. What it shares with
        // other predictions is behind locks, which tell of the panic themselves.
        let answer = catch_unwind(AssertUnwindSafe(|| self.model.call(request)));
        let error = match answer {
            Ok(Ok(prediction)) => return Ok(prediction.into_output()),
            Ok(Err(PredictionError::InvalidInput(violations))) if !keeps_to_schema => {
                ErrorResponse::validation(messages(&violations))
            }
            Ok(Err(error)) => ErrorResponse::prediction(&error),
            Err(_panic) => ErrorResponse::internal("the model panicked".to_owned()),
        };
        Err(error.of_prediction(id))
    }
}

fn parse(body: &[u8]) -> Result<Value, Violation> {
    serde_json::from_slice(body).map_err(|error| {
        let problem = if body.iter().all(u8::is_ascii_whitespace) {
            "the body is empty, expected JSON".to_owned()
        } else {
            format!("the body is not JSON: {error}")
        };
        Violation::new("", problem)
    })
}

/// The id in a body, if it is one.
fn callers_id(body: &Value) -> Option<PredictionId> {
    body.get("prediction_id")?.as_str()?.try_into().ok()
}
