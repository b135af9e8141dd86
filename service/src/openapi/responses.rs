//! Schemas and responses that operations share: errors, health states, lists of models.

use std::time::Duration;

use ml_model_core::{PredictionError, PredictionId, Rejection, RejectionKind, Violation};
use serde_json::{Map, Value, json};

use super::components::reference_to;
use crate::http::response::ErrorResponse;
use crate::info::Info;

/// Prediction id in examples.
pub(super) const EXAMPLE_ID: &str = "05351f67-d5bd-4302-b762-1d9dfe251f99";

/// Describes a response with a JSON body.
pub(super) fn json_response(description: &str, schema: &Value, example: Option<Value>) -> Value {
    json!({ "description": description, "content": json_content(schema, example) })
}

/// Describes a JSON body.
pub(super) fn json_content(schema: &Value, example: Option<Value>) -> Value {
    let mut content = json!({ "schema": schema });
    if let Some(example) = example {
        content["example"] = example;
    }
    json!({ "application/json": content })
}

/// Returns the schemas of the service itself.
pub(super) fn schemas(info: &Info) -> Map<String, Value> {
    let Value::Object(schemas) = json!({
        "HealthStatus": state("health_status", "Whether the service works.", ["HEALTHY", "NOT_HEALTHY"]),
        "ReadinessStatus": state(
            "readiness_status",
            "Whether the service takes predictions now.",
            ["ACCEPTING_TRAFFIC", "REFUSING_TRAFFIC"],
        ),
        "StartupStatus": state(
            "startup_status",
            "Whether the service has loaded its models.",
            ["STARTED", "NOT_STARTED"],
        ),
        "ModelDetails": {
            "description": "The metadata of a model, without its schemas.",
            "type": "object",
            "properties": details(),
            "required": ["display_name", "qualified_name", "description", "version"],
        },
        "ModelList": {
            "description": "The models of this service.",
            "type": "object",
            "properties": {
                "models": { "type": "array", "items": reference_to("ModelDetails") },
            },
            "required": ["models"],
        },
        "ModelMetadata": {
            "description": "The metadata of a model, with its schemas.",
            "type": "object",
            "properties": metadata(),
            "required": [
                "display_name", "qualified_name", "description", "version",
                "input_schema", "output_schema",
            ],
        },
        "Error": error(info),
    }) else {
        unreachable!("an object was written above")
    };
    schemas
}

fn state(key: &str, description: &str, states: [&str; 2]) -> Value {
    json!({
        "type": "object",
        "properties": { key: { "description": description, "type": "string", "enum": states } },
        "required": [key],
    })
}

fn details() -> Value {
    json!({
        "display_name": { "description": "Name for people.", "type": "string" },
        "qualified_name": { "description": "Name for programs.", "type": "string" },
        "description": { "description": "The purpose of the model.", "type": "string" },
        "version": { "description": "Version of the model.", "type": "string" },
    })
}

fn metadata() -> Value {
    let schema = |what| {
        json!({
            "description": format!("JSON Schema (2020-12) of {what}."),
            "type": ["object", "boolean"],
        })
    };
    let mut properties = details();
    properties["input_schema"] = schema("what the model predicts from");
    properties["output_schema"] = schema("what the model predicts");
    properties
}

fn error(info: &Info) -> Value {
    let mut types: Vec<Value> = Vec::new();
    let errors = errors_of(info);
    for (_, example) in errors.iter().flat_map(|error| &error.examples) {
        let error_type = &example.to_json()["type"];
        if !types.contains(error_type) {
            types.push(error_type.clone());
        }
    }
    json!({
        "description": "Why a request failed.",
        "type": "object",
        "properties": {
            "type": {
                "description": "The kind of error. A model may have kinds of its own.",
                "type": "string",
                "examples": types,
            },
            "messages": {
                "description": "The mistakes, each with its field.",
                "type": "array",
                "items": { "type": "string" },
            },
            "prediction_id": {
                "description": "Id under which the failed prediction was recorded, where there is one.",
                "type": "string",
                "pattern": PredictionId::PATTERN,
            },
        },
        "required": ["type", "messages"],
        "examples": [
            ErrorResponse::method_not_allowed("/api/models does not take PUT".to_owned()).to_json(),
        ],
    })
}

/// An error response of `components/responses`.
struct ErrorAnswer {
    name: &'static str,
    description: &'static str,
    /// Examples by name, all with the same status.
    examples: Vec<(&'static str, ErrorResponse)>,
}

/// Returns the errors of an API with or without keys.
fn errors_of(info: &Info) -> Vec<ErrorAnswer> {
    let can_be = |error: &ErrorAnswer| match error.name {
        UNAUTHORIZED => info.has_api_keys,
        NO_ADMIN => info.has_admin_keys,
        _ => true,
    };
    errors().into_iter().filter(can_be).collect()
}

pub(super) const UNAUTHORIZED: &str = "Unauthorized";
pub(super) const NO_ADMIN: &str = "NoAdmin";
/// The status depends on the kind of the rejection.
pub(super) const REJECTED: &str = "Rejected";

/// Returns all errors of the API. The examples are made by the code that answers with them.
fn errors() -> [ErrorAnswer; 12] {
    let id = || PredictionId::try_from(EXAMPLE_ID).ok();
    let text = str::to_owned;
    [
        ErrorAnswer {
            name: "BadRequest",
            description: "The body is not JSON, breaks the input schema, or is refused by the model.",
            examples: vec![
                (
                    "schema",
                    ErrorResponse::validation(vec![
                        text("age: 17 is less than the minimum of 18"),
                        text("bmi: is required"),
                    ])
                    .of_prediction(id()),
                ),
                (
                    "model",
                    ErrorResponse::prediction(
                        &PredictionError::InvalidInput(vec![Violation::new(
                            "region",
                            "the model was not trained for this region",
                        )]),
                        false,
                    )
                    .of_prediction(id()),
                ),
                (
                    "host",
                    ErrorResponse::bad_request(text(
                        "there is no `host`: expected one, as `host: example.com`",
                    )),
                ),
            ],
        },
        ErrorAnswer {
            name: UNAUTHORIZED,
            description: "No valid API key is shown.",
            examples: vec![("key", ErrorResponse::without_key())],
        },
        ErrorAnswer {
            name: NO_ADMIN,
            description: "No valid admin key is shown.",
            examples: vec![("key", ErrorResponse::without_admin_key())],
        },
        ErrorAnswer {
            name: "NotFound",
            description: "There is no such model.",
            examples: vec![(
                "name",
                ErrorResponse::not_found(text(
                    "no model is named `other`; the models are: insurance_charges_model",
                )),
            )],
        },
        ErrorAnswer {
            name: "MethodNotAllowed",
            description: "The path does not take this method.",
            examples: vec![(
                "method",
                ErrorResponse::method_not_allowed(text("/api/models does not take PUT")),
            )],
        },
        ErrorAnswer {
            name: "RequestTimeout",
            description: "The body did not arrive in time.",
            examples: vec![(
                "body",
                ErrorResponse::request_timeout(text("the body did not arrive within 30 s")),
            )],
        },
        ErrorAnswer {
            name: "PayloadTooLarge",
            description: "The body is too large, or a batch has too many rows.",
            examples: vec![
                ("size", ErrorResponse::body_too_large(1_048_576)),
                (
                    "rows",
                    ErrorResponse::too_large(text(
                        "a batch may have at most 1000 rows, this one has 1001",
                    )),
                ),
            ],
        },
        ErrorAnswer {
            name: "UnsupportedMediaType",
            description: "The body is not declared as JSON in UTF-8, or is encoded in an unknown way.",
            examples: vec![(
                "text",
                ErrorResponse::unsupported_media_type(text(
                    "expected `content-type: application/json`, found `text/plain`",
                )),
            )],
        },
        ErrorAnswer {
            name: REJECTED,
            description: "The model or a decorator rejects the request, with a type of its own.",
            examples: vec![(
                "unknown",
                ErrorResponse::prediction(
                    &PredictionError::Rejected(Rejection::new(
                        RejectionKind::Unprocessable,
                        "UnknownCustomerError",
                        "there is no customer with this number",
                    )),
                    false,
                )
                .of_prediction(id()),
            )],
        },
        ErrorAnswer {
            name: "InternalServerError",
            description: "The service or the model failed.",
            examples: vec![(
                "panic",
                ErrorResponse::internal(text("the model panicked")).of_prediction(id()),
            )],
        },
        ErrorAnswer {
            name: "ServiceUnavailable",
            description: "The models are loading or failed to load, or the concurrency limit is \
                          reached.",
            examples: vec![
                ("loading", ErrorResponse::unavailable(text("the models are still being loaded"))),
                ("busy", ErrorResponse::busy("insurance_charges_model")),
            ],
        },
        ErrorAnswer {
            name: "GatewayTimeout",
            description: "The prediction takes too long; the log will say how it ends.",
            examples: vec![(
                "prediction",
                ErrorResponse::prediction_timeout(Duration::from_secs(30)),
            )],
        },
    ]
}

/// Makes the error of one row of a batch.
pub(super) fn row_error() -> Value {
    let messages = vec!["age: 17 is less than the minimum of 18".to_owned()];
    ErrorResponse::validation(messages).to_json()
}

/// Describes the header with the prediction id.
pub(super) fn prediction_id_header() -> Value {
    json!({
        "X-Prediction-Id": {
            "description": "Id under which the prediction was recorded, where there is one.",
            "schema": { "type": "string", "pattern": PredictionId::PATTERN },
        },
    })
}

/// Builds `components/responses`.
pub(super) fn error_responses(info: &Info) -> Map<String, Value> {
    let response = |error: ErrorAnswer| {
        let examples: Map<_, _> = (error.examples.iter())
            .map(|(name, example)| ((*name).to_owned(), json!({ "value": example.to_json() })))
            .collect();
        let content = json!({ "schema": reference_to("Error"), "examples": examples });
        let mut response = json!({
            "description": error.description,
            "content": { "application/json": content },
        });
        match error.name {
            "BadRequest" | REJECTED | "InternalServerError" => {
                response["headers"] = prediction_id_header()
            }
            "ServiceUnavailable" => response["headers"] = retry_after_header(),
            _ => {}
        }
        (error.name.to_owned(), response)
    };
    errors_of(info).into_iter().map(response).collect()
}

fn retry_after_header() -> Value {
    json!({
        "Retry-After": {
            "description": "Seconds to wait before another try, where known.",
            "schema": { "type": "integer", "minimum": 0 },
        },
    })
}

/// Adds references to the errors with these names, by status, to the responses of an operation.
pub(super) fn with_errors(mut responses: Value, names: &[&str]) -> Value {
    for error in errors().iter().filter(|error| names.contains(&error.name)) {
        let status = error.examples[0].1.status();
        let status = if error.name == REJECTED { "4XX" } else { status.as_str() };
        responses[status] = json!({ "$ref": format!("#/components/responses/{}", error.name) });
    }
    responses
}
