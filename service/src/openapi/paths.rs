//! The operations of the API.

use ml_model_core::{ModelDescription, ModelMetadata, PredictionId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::Schema;
use serde_json::{Map, Value, json};

use super::components::{Components, Side, reference_to};
use super::responses::{
    EXAMPLE_ID, REJECTED, json_content, json_response, prediction_id_header, row_error, with_errors,
};
use super::{example, log_levels};
use crate::http::routes::LOG_LEVELS;
use crate::info::Info;

/// A model of the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelApi {
    pub(crate) metadata: ModelDescription,
    pub(crate) has_endpoint: bool,
}

/// Characters that are escaped in a segment of a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn tags(info: &Info) -> Vec<Value> {
    let mut tags = vec![
        json!({ "name": "Predictions", "description": "Predictions of the models." }),
        json!({ "name": "Models", "description": "Descriptions of the models." }),
        json!({ "name": "Health", "description": "For load balancers and orchestrators." }),
    ];
    if info.has_admin_keys {
        tags.push(log_levels::tag());
    }
    tags
}

pub(super) fn paths(
    info: &Info,
    models: &[ModelApi],
    components: &mut Components,
) -> Map<String, Value> {
    let mut paths = Map::new();
    for model in models.iter().filter(|model| model.has_endpoint) {
        let name = &model.metadata.metadata.qualified_name;
        let name_in_path = utf8_percent_encode(name, ESCAPED);
        let schemas = Schemas::new(&model.metadata, components);
        paths.insert(
            format!("/api/models/{name_in_path}/prediction"),
            json!({ "post": prediction(&model.metadata, &schemas) }),
        );
        paths.insert(
            format!("/api/models/{name_in_path}/predictions"),
            json!({ "post": batch(&model.metadata, &schemas) }),
        );
    }
    paths.insert("/api/models".to_owned(), json!({ "get": list(models) }));
    paths.insert(
        "/api/models/{qualified_name}/metadata".to_owned(),
        json!({ "get": metadata(models) }),
    );
    for (path, operation) in health() {
        paths.insert(path.to_owned(), json!({ "get": operation }));
    }
    if info.has_admin_keys {
        paths.insert(LOG_LEVELS.to_owned(), log_levels::operations());
    }
    paths
}

/// References to the schemas of one model, and examples, for all of its operations.
struct Schemas {
    input: Value,
    output: Value,
    input_example: Option<Value>,
    output_example: Option<Value>,
}

impl Schemas {
    fn new(metadata: &ModelDescription, components: &mut Components) -> Self {
        let name = &metadata.metadata.qualified_name;
        let ModelDescription { input_schema, output_schema, .. } = metadata;
        Self {
            input: components.add(name, Side::Input, input_schema),
            output: components.add(name, Side::Output, output_schema),
            input_example: example::of(&without_id(input_schema)),
            output_example: example::of(&with_example_id(output_schema)),
        }
    }
}

/// Removes the prediction id: examples are sent unchanged, and ids must be unique.
fn without_id(schema: &Schema) -> Value {
    let mut value = schema.as_value().clone();
    if PredictionId::is_in(schema)
        && let Some(Value::Object(properties)) = value.get_mut("properties")
    {
        properties.shift_remove("prediction_id");
    }
    value
}

fn with_example_id(schema: &Schema) -> Value {
    let mut value = schema.as_value().clone();
    if PredictionId::is_in(schema) {
        value["properties"]["prediction_id"]["examples"] = json!([EXAMPLE_ID]);
    }
    value
}

/// Replaces characters that are invalid in names of functions: generators of clients make such names from
/// operation ids.
fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn prediction(metadata: &ModelDescription, schemas: &Schemas) -> Value {
    let ModelMetadata { display_name, qualified_name, description, version } = &metadata.metadata;
    let mut answer =
        json_response("The prediction.", &schemas.output, schemas.output_example.clone());
    answer["headers"] = prediction_id_header();
    json!({
        "tags": ["Predictions"],
        "operationId": format!("predict_{}", identifier(qualified_name)),
        "summary": format!("{display_name}: one prediction"),
        "description": format!("{description}\n\nVersion {version} of the model."),
        "parameters": [
            {
                "name": "X-Prediction-Id",
                "in": "header",
                "description": "Id of the prediction, unless the body has one.",
                "schema": { "type": "string", "pattern": PredictionId::PATTERN },
            },
            traceparent(),
        ],
        "requestBody": {
            "required": true,
            "content": json_content(&schemas.input, schemas.input_example.clone()),
        },
        "responses": with_errors(json!({ "200": answer }), &ERRORS_OF_PREDICTIONS),
    })
}

const ERRORS_OF_PREDICTIONS: [&str; 8] = [
    "BadRequest",
    "RequestTimeout",
    "PayloadTooLarge",
    "UnsupportedMediaType",
    REJECTED,
    "InternalServerError",
    "ServiceUnavailable",
    "GatewayTimeout",
];

/// Describes the header without a pattern: the standard requires to ignore a malformed value.
fn traceparent() -> Value {
    json!({
        "name": "traceparent",
        "in": "header",
        "description":
            "W3C Trace Context: the records of the request have its `trace_id` and `span_id`.",
        "schema": { "type": "string" },
        "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    })
}

fn batch(metadata: &ModelDescription, schemas: &Schemas) -> Value {
    let ModelMetadata { display_name, qualified_name, version, .. } = &metadata.metadata;
    let one_of = |key: &str, schema: &Value| {
        json!({
            "type": "object",
            "properties": { key: schema },
            "required": [key],
            "additionalProperties": false,
        })
    };
    let results = json!({
        "description": "A prediction or an error for each row, in the order of the rows.",
        "type": "array",
        "items": {
            "oneOf": [
                one_of("prediction", &schemas.output),
                one_of("error", &reference_to("Error")),
            ],
        },
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "batch_id": {
                "description": "Id that is on all records of the batch.",
                "type": "string",
                "pattern": PredictionId::PATTERN,
            },
            "results": results,
        },
        "required": ["batch_id", "results"],
    });
    let example = schemas.output_example.as_ref().map(|output| {
        let results = json!([{ "prediction": output }, { "error": row_error() }]);
        json!({ "batch_id": EXAMPLE_ID, "results": results })
    });
    let input = json!({ "type": "array", "items": schemas.input });
    let input_example = schemas.input_example.as_ref().map(|input| json!([input]));
    json!({
        "tags": ["Predictions"],
        "operationId": format!("batch_predict_{}", identifier(qualified_name)),
        "summary": format!("{display_name}: many predictions"),
        "description": format!(
            "One prediction per row. A row that breaks the input schema, or for which there is no \
             prediction, has an error in its place; the others are not affected.\n\n\
             Version {version} of the model."
        ),
        "parameters": [traceparent()],
        "requestBody": { "required": true, "content": json_content(&input, input_example) },
        "responses": with_errors(
            json!({ "200": json_response("The results.", &schema, example) }),
            &ERRORS_OF_PREDICTIONS,
        ),
    })
}

fn list(models: &[ModelApi]) -> Value {
    let details: Vec<_> = models.iter().map(|model| &model.metadata.metadata).collect();
    let answer = json_response(
        "The models.",
        &reference_to("ModelList"),
        Some(json!({ "models": details })),
    );
    json!({
        "tags": ["Models"],
        "operationId": "list_models",
        "summary": "All models",
        "description": "Names, descriptions and versions of the models of this service.",
        "responses": with_errors(json!({ "200": answer }), &["ServiceUnavailable"]),
    })
}

fn metadata(models: &[ModelApi]) -> Value {
    let mut name = json!({ "type": "string" });
    let names = models.iter().map(|model| &*model.metadata.metadata.qualified_name);
    if !models.is_empty() {
        name["enum"] = names.collect();
    }
    let example = models.first().map(|ModelApi { metadata, .. }| {
        let mut example = json!(metadata.metadata);
        example["input_schema"] = abridged(&metadata.input_schema);
        example["output_schema"] = abridged(&metadata.output_schema);
        example
    });
    let answer = json_response("The metadata.", &reference_to("ModelMetadata"), example);
    json!({
        "tags": ["Models"],
        "operationId": "get_model_metadata",
        "summary": "Metadata of one model",
        "description": "Name, description, version and both schemas of a model.",
        "parameters": [{
            "name": "qualified_name",
            "in": "path",
            "description": "Name of the model for programs.",
            "required": true,
            "schema": name,
        }],
        "responses":
            with_errors(json!({ "200": answer }), &["NotFound", "ServiceUnavailable"]),
    })
}

/// Abridges a schema. The whole would repeat `components`, and its references would be references of this
/// document.
fn abridged(schema: &Schema) -> Value {
    let members = schema.as_object().into_iter().flatten();
    members
        .filter(|(key, value)| value.is_string() && *key != "$ref")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

fn health() -> [(&'static str, Value); 3] {
    let operation = |id, schema, summary, description, [ok, not_ok]: [Value; 2]| {
        let schema = reference_to(schema);
        json!({
            "tags": ["Health"],
            "operationId": id,
            "summary": summary,
            "description": description,
            "responses": {
                "200": json_response("The service passes the probe.", &schema, Some(ok)),
                "503": json_response("The service fails the probe.", &schema, Some(not_ok)),
            },
        })
    };
    [
        (
            "/api/health",
            operation(
                "get_health",
                "HealthStatus",
                "Liveness",
                "503 if a model failed to load.",
                [json!({ "health_status": "HEALTHY" }), json!({ "health_status": "NOT_HEALTHY" })],
            ),
        ),
        (
            "/api/health/ready",
            operation(
                "get_readiness",
                "ReadinessStatus",
                "Readiness",
                "503 while models load, if one failed to load, and while the service stops.",
                [
                    json!({ "readiness_status": "ACCEPTING_TRAFFIC" }),
                    json!({ "readiness_status": "REFUSING_TRAFFIC" }),
                ],
            ),
        ),
        (
            "/api/health/startup",
            operation(
                "get_startup",
                "StartupStatus",
                "Start-up",
                "200 once all models are loaded.",
                [
                    json!({ "startup_status": "STARTED" }),
                    json!({ "startup_status": "NOT_STARTED" }),
                ],
            ),
        ),
    ]
}
