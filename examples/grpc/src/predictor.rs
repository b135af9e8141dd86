//! The service: converts messages and calls the model.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use insurance_charges::{InsuranceChargesModelInput, InsuranceChargesModelOutput};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use ml_model_core::decorators::logging::ReadableFields;
use ml_model_core::{
    Described, Execution, MLModel, PendingCalls, Prediction, PredictionId, Request, Violation,
};
use serde_json::{Map, Value};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Response, Status};

use crate::messages::insurance_charges_service_server::InsuranceChargesService;
use crate::messages::{PredictRequest, PredictResponse, Region, Sex};
use crate::status;

/// Key of the metadata that names a prediction.
pub const PREDICTION_ID: &str = "x-prediction-id";

/// A model with the types of the service.
pub trait ChargesModel:
    MLModel<Input = InsuranceChargesModelInput, Output = InsuranceChargesModelOutput> + Described
{
}

impl<M> ChargesModel for M where
    M: MLModel<Input = InsuranceChargesModelInput, Output = InsuranceChargesModelOutput>
        + Described
{
}

/// The service around a decorated model.
pub struct Predictor<M> {
    model: Arc<M>,
    /// The input schema with its ranges, which the types do not enforce.
    schema: Validator,
    /// Fields that the records of a refused input can have.
    readable: ReadableFields,
    pending: Arc<PendingCalls>,
}

impl<M: ChargesModel + 'static> Predictor<M> {
    /// Creates the service. Predictions on the blocking pool are among those of `pending`.
    ///
    /// # Errors
    ///
    /// Fails if the model's input schema is not a valid JSON Schema.
    pub fn new(model: M, pending: Arc<PendingCalls>) -> Result<Self, ValidationError<'static>> {
        let schema = model.input_schema();
        Ok(Self {
            schema: jsonschema::validator_for(schema.as_value())?,
            readable: ReadableFields::new(&model.stack().logged_fields.input, &schema),
            model: Arc::new(model),
            pending,
        })
    }

    /// Converts a message into a request, with all violations of the input schema.
    fn request(
        &self,
        metadata: &MetadataMap,
        message: &PredictRequest,
    ) -> Request<InsuranceChargesModelInput> {
        let input = to_json(message);
        let mut violations: Vec<_> = self.schema.iter_errors(&input).map(violation).collect();
        let request = match serde_json::from_value(input.clone()) {
            Ok(input) if violations.is_empty() => Request::new(input),
            _ => {
                if violations.is_empty() {
                    violations
                        .push(Violation::new("", "does not fit the type of the model's input"));
                }
                // The records of a refused input have the fields that can be read.
                let fields = self.readable.read(|path| {
                    path.iter().try_fold(&input, |value, name| value.get(name)).cloned()
                });
                Request::invalid(violations).with_refused_fields(fields)
            }
        };
        let mut request = match metadata.get(PREDICTION_ID) {
            Some(id) => request.with_prediction_id(&*String::from_utf8_lossy(id.as_bytes())),
            None => request,
        };
        // An id that the decorator makes is lost when the call fails.
        if request.prediction_id().is_none() {
            request.context_mut().set_prediction_id(PredictionId::random());
        }
        request
    }

    /// Calls the model on the threads of its `execution`.
    async fn call(
        &self,
        mut request: Request<InsuranceChargesModelInput>,
    ) -> Result<Prediction<InsuranceChargesModelOutput>, Status> {
        let model = self.model.clone();
        let result = match M::EXECUTION {
            Execution::Inline => catch_unwind(AssertUnwindSafe(|| model.call(request))).ok(),
            Execution::Blocking => {
                request.context_mut().set_pending(self.pending.clone());
                tokio::task::spawn_blocking(move || model.call(request)).await.ok()
            }
        };
        match result {
            Some(result) => result.map_err(|error| status::of(&error)),
            None => Err(Status::internal("the model panicked")),
        }
    }
}

#[tonic::async_trait]
impl<M: ChargesModel + 'static> InsuranceChargesService for Predictor<M> {
    async fn predict(
        &self,
        request: tonic::Request<PredictRequest>,
    ) -> Result<Response<PredictResponse>, Status> {
        let request = self.request(request.metadata(), request.get_ref());
        // A prediction id has characters that metadata accept.
        let id = request.prediction_id().and_then(|id| MetadataValue::try_from(id.as_str()).ok());
        let result = self.call(request).await;
        let mut result =
            result.map(|output| Response::new(PredictResponse { charges: output.charges }));
        if let Some(id) = id {
            let metadata = match &mut result {
                Ok(response) => response.metadata_mut(),
                Err(status) => status.metadata_mut(),
            };
            metadata.insert(PREDICTION_ID, id);
        }
        result
    }
}

impl<M> fmt::Debug for Predictor<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predictor").finish_non_exhaustive()
    }
}

/// Converts a message into the JSON of the input schema. Missing fields are left out.
fn to_json(message: &PredictRequest) -> Value {
    let sex = |sex| label(Sex::try_from(sex).map(|sex| sex.as_str_name()), "SEX_", sex);
    let region =
        |region| label(Region::try_from(region).map(|it| it.as_str_name()), "REGION_", region);
    let members = [
        ("age", message.age.map(Value::from)),
        ("sex", message.sex.map(sex)),
        ("bmi", message.bmi.map(Value::from)),
        ("children", message.children.map(Value::from)),
        ("smoker", message.smoker.map(Value::from)),
        ("region", message.region.map(region)),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

/// Returns the label of an enum value, `"male"` for `SEX_MALE`. A number without a name is its own label, which the
/// schema refuses.
fn label<E>(name: Result<&str, E>, prefix: &str, number: i32) -> Value {
    match name {
        Ok(name) => name.trim_start_matches(prefix).to_ascii_lowercase().into(),
        Err(_unknown) => number.to_string().into(),
    }
}

/// Converts a violation of the schema. Its message has no value of the input, because values may be sensitive.
fn violation(error: ValidationError<'_>) -> Violation {
    let mut path: Vec<_> = error.instance_path().as_str().split('/').skip(1).collect();
    if let ValidationErrorKind::Required { property: Value::String(name) } = error.kind() {
        path.push(name);
    }
    Violation::new(path.join("."), error.masked().to_string())
}
