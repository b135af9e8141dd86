//! Gives every prediction its id.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value};

use crate::decorator::Decorator;
use crate::model::{Answer, MLModel, StackInfo};
use crate::prediction_id::PredictionId;
use crate::request::Request;

/// Gives every prediction its id: the caller's, or a new UUID.
///
/// The id is in the request of every inner decorator and of the model, in the prediction that
/// comes back, and in a `tracing` span around the call, so that whatever the model logs by itself
/// carries it too. (A model that takes batches as a whole logs about many predictions at once:
/// there is no such span then.)
///
/// To the input schema it adds an optional `prediction_id`, to the output schema a required one,
/// if the schema is one of an object (`"type": "object"` at its root) that has no such field of its
/// own. Elsewhere the id is in the log and in the [`Prediction`](crate::Prediction), but not in the JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct PredictionIdDecorator;

impl<M: MLModel> Decorator<M> for PredictionIdDecorator {
    fn call(&self, model: &M, mut request: Request<M::Input>) -> Answer<M::Output> {
        let id = given_or_new(&mut request);
        // At the highest level, so that the id is there whenever any record is.
        let span = tracing::error_span!("prediction", prediction_id = id.as_str());
        let mut prediction = span.in_scope(|| model.call(request))?;
        // An inner decorator may have answered by itself, with a context of its own.
        prediction.context_mut().set_prediction_id(id);
        Ok(prediction)
    }

    fn call_batch(
        &self,
        model: &M,
        mut requests: Vec<Request<M::Input>>,
    ) -> Vec<Answer<M::Output>> {
        let ids: Vec<_> = requests.iter_mut().map(given_or_new).collect();
        let mut answers = model.call_batch(requests);
        for (answer, id) in answers.iter_mut().zip(ids) {
            if let Ok(prediction) = answer {
                prediction.context_mut().set_prediction_id(id);
            }
        }
        answers
    }

    fn takes_batches(&self) -> bool {
        true
    }

    fn describe(&self, stack: &mut StackInfo) {
        stack.has_prediction_id = true;
    }

    fn input_schema(&self, model: &M) -> Schema {
        let mut schema = model.input_schema();
        if let Some(properties) = properties_of(&mut schema) {
            let field = json_schema!({
                "description": "Id to record this prediction under; made by the service if absent.",
                "type": ["string", "null"],
                "pattern": PredictionId::PATTERN,
            });
            properties.entry(PredictionId::FIELD).or_insert(field.to_value());
        }
        schema
    }

    fn output_schema(&self, model: &M) -> Schema {
        let mut schema = model.output_schema();
        if let Some(properties) = properties_of(&mut schema) {
            let field = json_schema!({
                "description": "Id under which this prediction was recorded.",
                "type": "string",
                "pattern": PredictionId::PATTERN,
            });
            properties.entry(PredictionId::FIELD).or_insert(field.to_value());
        }
        if PredictionId::is_in(&schema) {
            let required = schema
                .ensure_object()
                .entry("required")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(names) = required
                && !names.iter().any(|name| name == PredictionId::FIELD)
            {
                names.push(PredictionId::FIELD.into());
            }
        }
        schema
    }
}

/// The caller's id, or a new one that the request then has.
fn given_or_new<I>(request: &mut Request<I>) -> PredictionId {
    match request.prediction_id() {
        Some(callers) => callers.clone(),
        None => {
            let id = PredictionId::random();
            request.context_mut().set_prediction_id(id.clone());
            id
        }
    }
}

/// The properties of a schema that describes an object.
fn properties_of(schema: &mut Schema) -> Option<&mut Map<String, Value>> {
    if schema.get("type") != Some(&Value::from("object")) {
        return None;
    }
    schema
        .ensure_object()
        .entry("properties")
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
}
