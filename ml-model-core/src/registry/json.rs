//! The JSON form of a model, through which a service hosts models of any type.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{PredictionError, Violation};
use crate::logged_field::readable::{ReadableFields, RefusedFields};
use crate::model::{Answer, MLModel, ModelMetadata, StackInfo};
use crate::prediction_id::PredictionId;
use crate::request::{Context, Prediction, Request};
use crate::sensitive::schema::SensitiveParts;
use crate::sensitive::unmarked::unmarked;

/// Adapter that gives a model JSON values as input and output.
///
/// An input that does not match the model's type passes through the decorators as an
/// [invalid request](Request::invalid), so that its failure is recorded.
///
/// If the input schema contains the `prediction_id` of the decorator, the id of the call is read from
/// the input. If the output schema contains it, the id of the call is the last member of the output.
///
/// ```
/// # use ml_model_core::{Infer, MLModel, JsonModel};
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
/// let model = JsonModel::new(Double);
/// assert_eq!(*model.predict(json!(1.5))?, json!(3.0));
/// let error = model.predict(json!("one")).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "invalid input: invalid type: string \"one\", expected f64",
/// );
/// # Ok::<(), ml_model_core::PredictionError>(())
/// ```
pub struct JsonModel<M: MLModel> {
    model: M,
    takes_prediction_id: bool,
    returns_prediction_id: bool,
    /// `None` if no part of the input is sensitive.
    sensitive: Option<SensitiveParts>,
    readable: ReadableFields,
    read: fn(Value) -> Result<M::Input, Unreadable>,
    read_text: ReadText<M::Input>,
    write: fn(M::Output) -> Result<Value, serde_json::Error>,
    write_text: WriteText<M::Output>,
}

/// A body that is not an input, and the reason.
type Unreadable = Box<(Value, Violation)>;

/// Reads an input from JSON text.
type ReadText<I> = fn(&str) -> Result<I, Violation>;

/// Writes an output as text, with the prediction id as its last member if there is one.
type WriteText<O> = fn(O, Option<&PredictionId>) -> Result<Vec<u8>, serde_json::Error>;

/// A model in JSON form.
pub trait JsonForm: MLModel<Input = Value, Output = Value> {
    /// Handles a request like [`call`](MLModel::call). Its input and its output are JSON text, so that
    /// numbers keep all their digits: a [`Value`] holds no integer beyond 64 bits.
    ///
    /// The input has no `prediction_id` of the decorator, each name once, and integers as serde reads them:
    /// 30, not 30.0.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    fn call_text(&self, request: Request<&str>) -> Answer<Vec<u8>>;

    /// Handles several requests like [`call_batch`](MLModel::call_batch). Their inputs and outputs are
    /// JSON text as in [`call_text`](Self::call_text).
    fn call_text_batch(&self, requests: Vec<Request<&str>>) -> Vec<Answer<Vec<u8>>>;
}

impl<M> JsonModel<M>
where
    M: MLModel,
    M::Input: DeserializeOwned,
    M::Output: Serialize,
{
    /// Creates the JSON form of `model`.
    pub fn new(model: M) -> Self {
        Self::with(model, deserialize, deserialize_text, serde_json::to_value, to_text)
    }
}

impl<M: MLModel<Input = Value, Output = Value>> JsonModel<M> {
    /// Creates the JSON form like [`around`](Self::around), and passes the input through `read` or `read_text`.
    pub(crate) fn reading(
        model: M,
        read: fn(Value) -> Result<Value, Unreadable>,
        read_text: ReadText<Value>,
    ) -> Self {
        Self::with(model, read, read_text, Ok, |mut output, id| {
            add_id(&mut output, id);
            serde_json::to_vec(&output)
        })
    }

    /// Creates the JSON form of a model whose input and output are JSON already, such as a registered
    /// model inside a decorator.
    pub fn around(model: M) -> Self {
        Self::reading(model, Ok, deserialize_text)
    }
}

impl<M: MLModel> JsonModel<M> {
    fn with(
        model: M,
        read: fn(Value) -> Result<M::Input, Unreadable>,
        read_text: ReadText<M::Input>,
        write: fn(M::Output) -> Result<Value, serde_json::Error>,
        write_text: WriteText<M::Output>,
    ) -> Self {
        let input_schema = model.input_schema();
        let output_schema = model.output_schema();
        Self {
            takes_prediction_id: PredictionId::is_in(&input_schema),
            sensitive: SensitiveParts::of(&input_schema),
            readable: ReadableFields::new(&model.stack().logged_fields.input, &input_schema),
            returns_prediction_id: PredictionId::is_in(&output_schema),
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
        let violation = violation(&error);
        Box::new((body, violation))
    })
}

/// Reads an input from text.
pub(crate) fn deserialize_text<I: DeserializeOwned>(text: &str) -> Result<I, Violation> {
    serde_json::from_str(text).or_else(|_without_path| {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| violation(&error))
    })
}

fn violation(error: &serde_path_to_error::Error<serde_json::Error>) -> Violation {
    let path = error.path().to_string();
    let (problem, error) = (error.inner().to_string(), error.inner());
    // The path is enough, and the position is one in a text that may have been written again.
    let position = format!(" at line {} column {}", error.line(), error.column());
    let problem = problem.strip_suffix(&position).unwrap_or(&problem);
    Violation::new(if path == "." { String::new() } else { path }, problem)
}

/// Returns the paths of [`Sensitive`](crate::Sensitive) values in an input that its schema does not mark,
/// because of `#[schemars(with = "...")]` or `schema_with` on the field. Messages about such values would quote
/// them.
///
/// It finds fields of structs and of externally tagged enums, items of lists and values of maps. It does not find
/// those behind `#[serde(flatten)]`, in tuples and in enums with other representations.
#[must_use]
pub fn unmarked_sensitive<I: DeserializeOwned>(schema: &Schema) -> Vec<String> {
    unmarked(schema, &|text| deserialize_text::<I>(text).err())
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
            // The limits themselves are what integers beyond 64 bits are rounded to.
            if (0.0..u64::MAX as f64).contains(&float) {
                *value = Value::from(float as u64);
            } else if float > i64::MIN as f64 && float < 0.0 {
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
    fn call_text(&self, request: Request<&str>) -> Answer<Vec<u8>> {
        self.result_to_text(self.model.call(self.read_text(request)))
    }

    fn call_text_batch(&self, requests: Vec<Request<&str>>) -> Vec<Answer<Vec<u8>>> {
        let requests = requests.into_iter().map(|request| self.read_text(request)).collect();
        let results = self.model.call_batch(requests);
        results.into_iter().map(|result| self.result_to_text(result)).collect()
    }
}

impl<M: JsonForm + ?Sized> JsonForm for Arc<M> {
    fn call_text(&self, request: Request<&str>) -> Answer<Vec<u8>> {
        (**self).call_text(request)
    }

    fn call_text_batch(&self, requests: Vec<Request<&str>>) -> Vec<Answer<Vec<u8>>> {
        (**self).call_text_batch(requests)
    }
}

fn with_refused_fields<I>(request: Request<I>, fields: Option<RefusedFields>) -> Request<I> {
    match fields {
        Some(fields) => request.with_refused_fields(fields),
        None => request,
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
                self.redacted(violation)
            })
        });
        with_refused_fields(request, fields)
    }

    fn read_text(&self, request: Request<&str>) -> Request<M::Input> {
        let mut fields = None;
        let request = request.try_map(|text| {
            (self.read_text)(text).map_err(|violation| {
                let body = serde_json::from_str(text).ok();
                fields = body.map(|body| self.readable.read_value(&body));
                self.redacted(violation)
            })
        });
        with_refused_fields(request, fields)
    }

    fn redacted(&self, violation: Violation) -> Violation {
        match &self.sensitive {
            Some(sensitive) => sensitive.redact(violation),
            None => violation,
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
