//! The JSON form of a model, through which a service hosts models of any type.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{PredictionError, Violation};
use crate::logged_field::readable::ReadableFields;
use crate::model::{Answer, MLModel, ModelMetadata, StackInfo};
use crate::prediction_id::PredictionId;
use crate::request::{Context, Prediction, Request};
use crate::sensitive::schema::SensitiveParts;

/// Adapter that gives a model JSON values as input and output.
///
/// An input that does not match the model's type passes through the decorators as an
/// [invalid request](Request::invalid), so that its failure is recorded.
///
/// If the input schema contains the `prediction_id` of the decorator, the id of the call is read from
/// the input. If the output schema contains it, the id of the call is the last member of the output.
pub struct JsonModel<M: MLModel> {
    model: M,
    takes_prediction_id: bool,
    returns_prediction_id: bool,
    /// `None` if no part of the input is sensitive.
    sensitive: Option<SensitiveParts>,
    readable: ReadableFields,
    read: fn(Value) -> Result<M::Input, Unreadable>,
    /// `None` if it would not be faster than `read`.
    read_text: Option<ReadText<M::Input>>,
    write: fn(M::Output) -> Result<Value, serde_json::Error>,
    write_text: WriteText<M::Output>,
}

/// A body that is no input, and the reason.
pub(crate) type Unreadable = Box<(Value, Violation)>;

/// Reads an input from text; `None` if the text needs a conversion first.
type ReadText<I> = fn(&str) -> Option<I>;

/// Writes an output as text, with the prediction id as its last member if there is one.
type WriteText<O> = fn(O, Option<&PredictionId>) -> Result<Vec<u8>, serde_json::Error>;

/// A model in JSON form.
pub trait JsonForm: MLModel<Input = Value, Output = Value> {
    /// Handles a request like [`call`](MLModel::call) and returns the output as JSON text, without
    /// building a [`Value`] of it.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    fn call_to_text(&self, request: Request<Value>) -> Answer<Vec<u8>>;

    /// Handles a request whose input is JSON text, without building a [`Value`] of it. A
    /// `prediction_id` in the text is not read as the id of the call.
    ///
    /// # Errors
    ///
    /// Returns the request, before any decorator has received it, if the text cannot be read directly as
    /// an input. [`call_to_text`](Self::call_to_text) may still accept the JSON, or reports the reason
    /// why it is invalid.
    fn call_text<'t>(&self, request: Request<&'t str>)
    -> Result<Answer<Vec<u8>>, Request<&'t str>>;
}

impl<M> JsonModel<M>
where
    M: MLModel,
    M::Input: DeserializeOwned,
    M::Output: Serialize,
{
    /// Creates the JSON form of `model`.
    pub fn new(model: M) -> Self {
        let read_text: ReadText<M::Input> = |text| serde_json::from_str(text).ok();
        Self::with(model, deserialize, Some(read_text), serde_json::to_value, to_text)
    }
}

impl<M: MLModel<Input = Value, Output = Value>> JsonModel<M> {
    /// Creates the JSON form like [`around`](Self::around), and passes the input through `read`.
    pub(crate) fn reading(model: M, read: fn(Value) -> Result<Value, Unreadable>) -> Self {
        Self::with(model, read, None, Ok, |mut output, id| {
            add_id(&mut output, id);
            serde_json::to_vec(&output)
        })
    }

    /// Creates the JSON form of a model whose input and output are JSON already, such as a registered
    /// model inside a decorator.
    pub fn around(model: M) -> Self {
        Self::reading(model, Ok)
    }
}

impl<M: MLModel> JsonModel<M> {
    fn with(
        model: M,
        read: fn(Value) -> Result<M::Input, Unreadable>,
        read_text: Option<ReadText<M::Input>>,
        write: fn(M::Output) -> Result<Value, serde_json::Error>,
        write_text: WriteText<M::Output>,
    ) -> Self {
        let input_schema = model.input_schema();
        Self {
            takes_prediction_id: PredictionId::is_in(&input_schema),
            sensitive: SensitiveParts::of(&input_schema),
            readable: ReadableFields::new(&model.stack().logged_fields.input, &input_schema),
            returns_prediction_id: PredictionId::is_in(&model.output_schema()),
            model,
            read,
            read_text,
            write,
            write_text,
        }
    }

    /// Moves the `prediction_id` from the input to the metadata of the call.
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
            // An id that the call already has takes precedence.
            Some(Ok(_)) if request.prediction_id().is_some() => {}
            Some(Ok(id)) => request.context_mut().set_prediction_id(id),
            Some(Err(violation)) => request.add_violation(violation),
        }
        request
    }
}

/// Reads an input. In JSON Schema, 30.0 is an integer: if serde rejects a body, its whole numbers are
/// converted first.
pub(crate) fn deserialize<I: DeserializeOwned>(mut body: Value) -> Result<I, Unreadable> {
    if let Ok(input) = I::deserialize(&body) {
        return Ok(input);
    }
    write_integers(&mut body);
    serde_path_to_error::deserialize(&body).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let violation = Violation::new(path, error.inner().to_string());
        Box::new((body, violation))
    })
}

/// Converts numbers such as 30.0 to integers if they fit into 64 bits.
fn write_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let Some(float) =
                number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)
            else {
                return;
            };
            // The conversion of a whole number in this range is exact: both limits are powers of two.
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

    fn metadata(&self) -> Cow<'_, ModelMetadata> {
        self.model.metadata()
    }
    fn input_schema(&self) -> Schema {
        self.model.input_schema()
    }
    fn output_schema(&self) -> Schema {
        self.model.output_schema()
    }

    fn call(&self, request: Request<Value>) -> Answer<Value> {
        self.result_to_value(self.model.call(self.read(request)))
    }

    fn call_batch(&self, requests: Vec<Request<Value>>) -> Vec<Answer<Value>> {
        let requests = requests.into_iter().map(|request| self.read(request)).collect();
        let results = self.model.call_batch(requests);
        results.into_iter().map(|result| self.result_to_value(result)).collect()
    }

    fn takes_batches(&self) -> bool {
        self.model.takes_batches()
    }

    fn stack(&self) -> StackInfo {
        self.model.stack()
    }
}

impl<M: MLModel> JsonForm for JsonModel<M> {
    fn call_to_text(&self, request: Request<Value>) -> Answer<Vec<u8>> {
        self.result_to_text(self.model.call(self.read(request)))
    }

    fn call_text<'t>(
        &self,
        request: Request<&'t str>,
    ) -> Result<Answer<Vec<u8>>, Request<&'t str>> {
        let input = match (self.read_text, request.input()) {
            (Some(read), Some(text)) => read(text),
            _ => None,
        };
        let Some(input) = input else { return Err(request) };
        Ok(self.result_to_text(self.model.call(request.try_map(|_text| Ok(input)))))
    }
}

impl<M: JsonForm + ?Sized> JsonForm for Arc<M> {
    fn call_to_text(&self, request: Request<Value>) -> Answer<Vec<u8>> {
        (**self).call_to_text(request)
    }

    fn call_text<'t>(
        &self,
        request: Request<&'t str>,
    ) -> Result<Answer<Vec<u8>>, Request<&'t str>> {
        (**self).call_text(request)
    }
}

/// Writes an output of the model's own type as text.
fn to_text<O: Serialize>(
    output: O,
    id: Option<&PredictionId>,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = serde_json::to_vec(&output)?;
    if let Some(id) = id
        && let [b'{', .., b'}'] = *text
    {
        text.pop();
        if text.len() > 1 {
            text.push(b',');
        }
        // An id contains no character that JSON escapes.
        for part in ["\"", PredictionId::FIELD, "\":\"", id.as_str(), "\"}"] {
            text.extend_from_slice(part.as_bytes());
        }
    }
    Ok(text)
}

/// Adds the id to an output that is an object.
fn add_id(output: &mut Value, id: Option<&PredictionId>) {
    if let (Some(id), Some(members)) = (id, output.as_object_mut()) {
        members.insert(PredictionId::FIELD.into(), id.as_str().into());
    }
}

impl<M: MLModel> JsonModel<M> {
    /// Returns the id that the output must contain.
    fn returned_id<'c>(&self, context: &'c Context) -> Option<&'c PredictionId> {
        context.prediction_id().filter(|_| self.returns_prediction_id)
    }

    fn read(&self, request: Request<Value>) -> Request<M::Input> {
        let mut fields = None;
        let request = self.split_prediction_id(request).try_map(|body| {
            (self.read)(body).map_err(|unreadable| {
                let (body, violation) = *unreadable;
                fields = Some(self.readable.read_value(&body));
                match &self.sensitive {
                    Some(sensitive) => sensitive.redact(violation),
                    None => violation,
                }
            })
        });
        match fields {
            Some(fields) => request.with_refused_fields(fields),
            None => request,
        }
    }

    fn result_to_text(&self, result: Answer<M::Output>) -> Answer<Vec<u8>> {
        let (output, context) = result?.into_parts();
        let text = (self.write_text)(output, self.returned_id(&context));
        Ok(Prediction::new(text.map_err(PredictionError::model)?, context))
    }

    fn result_to_value(&self, result: Answer<M::Output>) -> Answer<Value> {
        let (output, context) = result?.into_parts();
        let mut output = (self.write)(output).map_err(PredictionError::model)?;
        add_id(&mut output, self.returned_id(&context));
        Ok(Prediction::new(output, context))
    }
}

impl<M: MLModel> fmt::Debug for JsonModel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonModel").field(&self.model.decorators()).finish()
    }
}
