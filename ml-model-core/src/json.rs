//! The JSON form of a model: what a service can host without knowing its types.

use std::borrow::Cow;
use std::fmt;

use schemars::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::prediction_id::FIELD;
use crate::{Answer, MLModel, Prediction, PredictionError, PredictionId, Request, Violation};

/// A model whose input and output are JSON values.
///
/// An input that does not fit the model's type goes through the model's decorators as an
/// [invalid request](Request::invalid), so its refusal is recorded like any other failure.
///
/// If the input schema has the `prediction_id` of the decorator, it is taken from the body as the call's id, and if
/// the output schema has it, the call's id is the last member of the answer.
pub struct JsonModel<M: MLModel> {
    model: M,
    takes_prediction_id: bool,
    returns_prediction_id: bool,
    read: fn(Value) -> Result<M::Input, Violation>,
    write: fn(M::Output) -> Result<Value, serde_json::Error>,
}

impl<M> JsonModel<M>
where
    M: MLModel,
    M::Input: DeserializeOwned,
    M::Output: Serialize,
{
    /// The JSON form of `model`.
    pub fn new(model: M) -> Self {
        Self::with(model, deserialize, serde_json::to_value)
    }
}

impl<M: MLModel<Input = Value, Output = Value>> JsonModel<M> {
    /// A model whose input and output are JSON already, but that may not know of the
    /// `prediction_id` in its schemas. The input is passed through `read`.
    pub(crate) fn around(model: M, read: fn(Value) -> Result<Value, Violation>) -> Self {
        Self::with(model, read, Ok)
    }
}

impl<M: MLModel> JsonModel<M> {
    fn with(
        model: M,
        read: fn(Value) -> Result<M::Input, Violation>,
        write: fn(M::Output) -> Result<Value, serde_json::Error>,
    ) -> Self {
        Self {
            takes_prediction_id: PredictionId::is_in(&model.input_schema()),
            returns_prediction_id: PredictionId::is_in(&model.output_schema()),
            model,
            read,
            write,
        }
    }

    /// The input proper; a `prediction_id` in it becomes the id of the call.
    fn split_prediction_id(&self, mut request: Request<Value>) -> Request<Value> {
        if !self.takes_prediction_id {
            return request;
        }
        let mut taken = None;
        request = request.try_map(|mut body| {
            taken = PredictionId::take_from(&mut body);
            Ok(body)
        });
        match taken {
            None => {}
            // The id that the call has already wins.
            Some(Ok(_)) if request.prediction_id().is_some() => {}
            Some(Ok(id)) => request.context_mut().set_prediction_id(id),
            Some(Err(violation)) => request.add_violation(violation),
        }
        request
    }
}

/// The input of a body. In JSON Schema 30.0 is an integer; serde is told so if it says otherwise.
pub(crate) fn deserialize<I: DeserializeOwned>(mut body: Value) -> Result<I, Violation> {
    if let Ok(input) = I::deserialize(&body) {
        return Ok(input);
    }
    write_integers(&mut body);
    serde_path_to_error::deserialize(&body).map_err(|error| {
        let path = error.path().to_string();
        Violation::new(if path == "." { String::new() } else { path }, error.inner().to_string())
    })
}

/// Writes numbers such as 30.0 as integers, as far as there are integers of that size.
fn write_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let Some(float) =
                number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)
            else {
                return;
            };
            // Conversions of whole numbers in range are exact; both limits are powers of two.
            if (0.0..u64::MAX as f64).contains(&float) {
                *value = Value::from(float as u64);
            } else if (i64::MIN as f64..0.0).contains(&float) {
                *value = Value::from(float as i64);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(write_integers),
        Value::Object(members) => members.values_mut().for_each(write_integers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

impl<M: MLModel> MLModel for JsonModel<M> {
    type Input = Value;
    type Output = Value;

    fn display_name(&self) -> Cow<'_, str> {
        self.model.display_name()
    }
    fn qualified_name(&self) -> Cow<'_, str> {
        self.model.qualified_name()
    }
    fn description(&self) -> Cow<'_, str> {
        self.model.description()
    }
    fn version(&self) -> Cow<'_, str> {
        self.model.version()
    }
    fn input_schema(&self) -> Schema {
        self.model.input_schema()
    }
    fn output_schema(&self) -> Schema {
        self.model.output_schema()
    }

    fn call(&self, request: Request<Value>) -> Result<Prediction<Value>, PredictionError> {
        self.answer(self.model.call(self.read(request)))
    }

    fn call_batch(&self, requests: Vec<Request<Value>>) -> Vec<Answer<Value>> {
        let requests = requests.into_iter().map(|request| self.read(request)).collect();
        let answers = self.model.call_batch(requests);
        answers.into_iter().map(|answer| self.answer(answer)).collect()
    }

    fn takes_batches(&self) -> bool {
        self.model.takes_batches()
    }

    fn fmt_decorators(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.model.fmt_decorators(f)
    }
}

impl<M: MLModel> JsonModel<M> {
    fn read(&self, request: Request<Value>) -> Request<M::Input> {
        self.split_prediction_id(request).try_map(self.read)
    }

    fn answer(&self, answer: Answer<M::Output>) -> Answer<Value> {
        let (output, context) = answer?.into_parts();
        let mut output = (self.write)(output).map_err(PredictionError::model)?;
        if self.returns_prediction_id
            && let Some(id) = context.prediction_id()
            && let Some(members) = output.as_object_mut()
        {
            members.insert(FIELD.into(), id.as_str().into());
        }
        Ok(Prediction::new(output, context))
    }
}

impl<M: MLModel> fmt::Debug for JsonModel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonModel").field(&self.model.decorators()).finish()
    }
}
