//! The `prediction_id` decorator.

use schemars::Schema;
use serde_json::{Value, json};
use tracing::span::EnteredSpan;

use crate::decorator::Decorator;
use crate::model::{Answer, MLModel, StackInfo};
use crate::prediction_id::PredictionId;
use crate::request::{Context, Prediction, Request};

/// Decorator that gives every prediction an id: the caller's id, or a new UUID.
///
/// Inner decorators and the model find the id in the request, the caller finds it in the prediction.
/// A `tracing` span around the call adds the id to all records that the model emits. A batch that is
/// handled together has no such span, because a record of the model may concern several rows.
///
/// The decorator adds an optional `prediction_id` to the input schema and a required one to the output
/// schema, if the schema describes an object (`"type": "object"` at its root) without a field of that
/// name. In other cases, maps among them, the id is in the records and in the
/// [`Prediction`](crate::Prediction), but not in the JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct PredictionIdDecorator;

impl<M: MLModel> Decorator<M> for PredictionIdDecorator {
    fn call(&self, model: &M, mut request: Request<M::Input>) -> Answer<M::Output> {
        let call = IdentifiedCall::begin(request.context_mut());
        let mut result = model.call(request);
        call.end(result.as_mut().ok().map(Prediction::context_mut));
        result
    }

    fn call_batch(
        &self,
        model: &M,
        mut requests: Vec<Request<M::Input>>,
    ) -> Vec<Answer<M::Output>> {
        let ids: Vec<_> =
            requests.iter_mut().map(|request| ensure_id(request.context_mut())).collect();
        let mut results = model.call_batch(requests);
        for (result, id) in results.iter_mut().zip(ids) {
            if let Ok(prediction) = result {
                prediction.context_mut().set_prediction_id(id);
            }
        }
        results
    }

    fn takes_batches(&self) -> bool {
        true
    }

    fn describe(&self, stack: &mut StackInfo) {
        stack.has_prediction_id = true;
    }

    fn input_schema(&self, model: &M) -> Schema {
        let mut schema = model.input_schema();
        add_property(&mut schema, PredictionId::property_of_inputs());
        schema
    }

    fn output_schema(&self, model: &M) -> Schema {
        let mut schema = model.output_schema();
        add_property(&mut schema, PredictionId::property_of_outputs());
        require_property(&mut schema);
        schema
    }
}

/// A call under its id. Its functions are compiled once and not for each model.
struct IdentifiedCall {
    id: PredictionId,
    _span: EnteredSpan,
}

impl IdentifiedCall {
    /// Adds an id to the context, unless it has one, and enters a span with the id.
    #[inline(never)]
    fn begin(context: &mut Context) -> Self {
        let id = ensure_id(context);
        // The span has the highest level, so that it is enabled whenever any record is.
        let span = tracing::error_span!("prediction", prediction_id = id.as_str());
        Self { id, _span: span.entered() }
    }

    /// Adds the id to the context of the prediction, if there is one: an inner decorator may have returned a
    /// prediction with a different context. Then leaves the span.
    #[inline(never)]
    fn end(self, context: Option<&mut Context>) {
        if let Some(context) = context {
            context.set_prediction_id(self.id);
        }
    }
}

/// Returns the id of the call, after adding a new one if there is none.
fn ensure_id(context: &mut Context) -> PredictionId {
    context.ensure_prediction_id().clone()
}

/// Adds the `prediction_id` to a schema that describes an object and has no such property. A map has no
/// properties: the id would be one of its values.
fn add_property(schema: &mut Schema, field: Schema) {
    let values = ["additionalProperties", "patternProperties"];
    let has_values =
        values.iter().filter_map(|key| schema.get(*key)).any(|values| *values != false);
    if (has_values && schema.get("properties").is_none())
        || schema.get("type") != Some(&Value::from("object"))
    {
        return;
    }
    let properties = schema.ensure_object().entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.entry(PredictionId::FIELD).or_insert(field.to_value());
    }
}

/// Makes the `prediction_id` a required property, if the schema has it.
fn require_property(schema: &mut Schema) {
    if PredictionId::is_in(schema) {
        let required = schema.ensure_object().entry("required").or_insert_with(|| json!([]));
        if let Value::Array(names) = required
            && !names.iter().any(|name| name == PredictionId::FIELD)
        {
            names.push(PredictionId::FIELD.into());
        }
    }
}
