//! The OpenAPI document, from plain metadata.

use std::collections::BTreeSet;

use crate::info::Info;
use crate::openapi::{ModelApi, document};
use ml_model_core::{MLModel, ModelDescription, ModelMetadata};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

fn model(name: &str, input_schema: Schema, output_schema: Schema) -> ModelApi {
    let details = ModelMetadata {
        display_name: name.to_uppercase().into(),
        qualified_name: name.to_owned().into(),
        description: format!("Does what {name} does.").into(),
        version: "1.2.3".into(),
    };
    ModelApi {
        metadata: ModelDescription { metadata: details, input_schema, output_schema },
        has_endpoint: true,
    }
}

fn model_of<I: JsonSchema, O: JsonSchema>(name: &str) -> ModelApi {
    let input = SchemaGenerator::default().into_root_schema_for::<I>();
    model(name, input, SchemaGenerator::default().into_root_schema_for::<O>())
}

fn schema(value: Value) -> Schema {
    Schema::try_from(value).unwrap()
}

fn charges_model() -> ModelApi {
    let model = super::charges::ChargesModel { gate: std::sync::Arc::default() };
    let metadata = ModelDescription {
        metadata: model.metadata().into_owned(),
        input_schema: model.input_schema(),
        output_schema: model.output_schema(),
    };
    ModelApi { metadata, has_endpoint: true }
}

fn document_of(models: &[ModelApi]) -> Value {
    let document = document(&Info::new("Test"), models);
    assert_references_lead_somewhere(&document, &document);
    document
}

/// Everything called `$ref` counts: the schemas of these tests have no data that looks like one.
fn assert_references_lead_somewhere(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let target = reference.strip_prefix('#').and_then(|at| document.pointer(at));
                assert!(target.is_some_and(|target| !target.is_null()), "{reference}");
            }
            members.values().for_each(|value| assert_references_lead_somewhere(document, value));
        }
        Value::Array(values) => {
            values.iter().for_each(|value| assert_references_lead_somewhere(document, value));
        }
        _ => {}
    }
}

/// A validator for a schema of the document, found by its address there.
fn validator(document: &Value, reference: &str) -> jsonschema::Validator {
    validator_of(document, &json!({ "$ref": reference }))
}

fn validator_of(document: &Value, schema: &Value) -> jsonschema::Validator {
    let schema = json!({ "allOf": [schema], "components": document["components"] });
    jsonschema::draft202012::new(&schema).unwrap()
}

const INPUT: &str = "#/components/schemas/AnyModelInput";

fn request_example(document: &Value, name: &str) -> Option<Value> {
    let operation = &document["paths"][format!("/api/models/{name}/prediction")]["post"];
    operation["requestBody"]["content"]["application/json"].get("example").cloned()
}

#[test]
fn every_operation_is_described() {
    let document = document_of(&[charges_model(), model_of::<Vec<f64>, bool>("mean")]);
    let paths = document["paths"].as_object().unwrap();
    let expected = [
        "/api/models/charges_model/prediction",
        "/api/models/charges_model/predictions",
        "/api/models/mean/prediction",
        "/api/models/mean/predictions",
        "/api/models",
        "/api/models/{qualified_name}/metadata",
        "/api/health",
        "/api/health/ready",
        "/api/health/startup",
    ];
    assert_eq!(paths.keys().collect::<Vec<_>>(), expected);
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone().to_string())
        .collect();
    let mut ids = BTreeSet::new();
    for (path, item) in paths {
        for operation in item.as_object().unwrap().values() {
            for text in ["summary", "description", "operationId"] {
                assert!(!operation[text].as_str().unwrap().is_empty(), "{text} of {path}");
            }
            assert!(ids.insert(operation["operationId"].to_string()), "{path}");
            assert!(tags.contains(&operation["tags"][0].to_string()), "{path}");
            if let Some(body) = operation.get("requestBody") {
                let content = &body["content"]["application/json"];
                let validator = validator_of(&document, &content["schema"]);
                assert!(validator.is_valid(&content["example"]), "body of {path}");
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                if response.get("$ref").is_none() {
                    let content = &response["content"]["application/json"];
                    assert!(content.get("example").is_some(), "{status} of {path}");
                    let validator = validator_of(&document, &content["schema"]);
                    assert!(validator.is_valid(&content["example"]), "{status} of {path}");
                }
            }
        }
    }
    let prediction = &paths["/api/models/charges_model/prediction"]["post"];
    assert_eq!(prediction["operationId"], "predict_charges_model");
    assert_eq!(prediction["summary"], "Charges Model: one prediction");
    let statuses: Vec<_> = prediction["responses"].as_object().unwrap().keys().collect();
    assert_eq!(statuses, ["200", "400", "408", "413", "415", "4XX", "500", "503", "504"]);
    let parameters: Vec<_> = prediction["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap()))
        .collect();
    assert_eq!(parameters, [("header", "X-Prediction-Id"), ("header", "traceparent")]);
    assert!(prediction["responses"]["200"]["headers"].get("X-Prediction-Id").is_some());
    let unavailable = &document["components"]["responses"]["ServiceUnavailable"];
    assert!(unavailable["headers"].get("Retry-After").is_some());
    let metadata = &paths["/api/models/{qualified_name}/metadata"]["get"];
    assert_eq!(metadata["parameters"][0]["schema"]["enum"], json!(["charges_model", "mean"]));
}

#[test]
fn errors_have_examples_of_their_status() {
    let document = document_of(&[charges_model()]);
    let responses = document["components"]["responses"].as_object().unwrap();
    let expected = [
        ("BadRequest", "ValidationError"),
        ("NotFound", "NotFoundError"),
        ("MethodNotAllowed", "MethodNotAllowedError"),
        ("RequestTimeout", "RequestTimeoutError"),
        ("PayloadTooLarge", "PayloadTooLargeError"),
        ("UnsupportedMediaType", "UnsupportedMediaTypeError"),
        ("Rejected", "UnknownCustomerError"),
        ("InternalServerError", "ServiceError"),
        ("ServiceUnavailable", "ServiceError"),
        ("GatewayTimeout", "PredictionTimeoutError"),
    ];
    let validator = validator(&document, "#/components/schemas/Error");
    let mut found = Vec::new();
    for (name, response) in responses {
        let examples = &response["content"]["application/json"]["examples"];
        for example in examples.as_object().unwrap().values() {
            assert!(validator.is_valid(&example["value"]), "{name}");
        }
        let first = examples.as_object().unwrap().values().next().unwrap();
        found.push((name.as_str(), first["value"]["type"].as_str().unwrap()));
    }
    assert_eq!(found, expected);
    // A model may have types of its own.
    assert!(validator.is_valid(&json!({ "type": "OtherError", "messages": [] })));
    assert!(!validator.is_valid(&json!({ "type": "OtherError" })));
}

#[test]
fn what_a_service_says_of_itself_is_in_the_document() {
    let info = Info { version: "7".into(), description: "*Areas*".into(), ..Info::new("Area") };
    let expected = json!({ "title": "Area", "version": "7", "description": "*Areas*" });
    assert_eq!(document(&info, &[])["info"], expected);
    assert_eq!(document_of(&[])["info"], json!({ "title": "Test", "version": "0.1.0" }));
}

#[test]
fn a_batch_has_a_result_or_an_error_per_row() {
    let document = document_of(&[charges_model()]);
    let operation = &document["paths"]["/api/models/charges_model/predictions"]["post"];
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(
        body,
        &json!({ "type": "array", "items": { "$ref": "#/components/schemas/ChargesModelInput" } })
    );
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let validator = validator_of(&document, schema);
    let answer = |row: Value| json!({ "batch_id": "b-1", "results": [row] });
    let error = json!({ "type": "ServiceError", "messages": [] });
    let prediction = json!({ "charges": 1.5, "prediction_id": "p-1" });
    for row in [json!({ "prediction": prediction }), json!({ "error": error })] {
        assert!(validator.is_valid(&answer(row)));
    }
    for row in [json!({}), json!({ "prediction": prediction, "error": error }), prediction] {
        assert!(!validator.is_valid(&answer(row)));
    }
    assert!(!validator.is_valid(&json!({ "results": [] })));
}

#[test]
fn keys_are_described_where_they_are_asked_for() {
    let info = Info { has_api_keys: true, ..Info::new("Test") };
    let with_keys = document(&info, &[charges_model()]);
    assert_references_lead_somewhere(&with_keys, &with_keys);
    assert_eq!(with_keys["security"], json!([{ "bearer": [] }, { "apiKey": [] }]));
    let schemes = with_keys["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(schemes.keys().collect::<Vec<_>>(), ["bearer", "apiKey"]);
    let error = validator(&with_keys, "#/components/schemas/Error");
    let unauthorized = &with_keys["components"]["responses"]["Unauthorized"]["content"];
    let example = &unauthorized["application/json"]["examples"]["key"]["value"];
    assert_eq!(example["type"], "UnauthorizedError");
    assert!(error.is_valid(example));
    for (path, item) in with_keys["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let needs_none = path.starts_with("/api/health");
            assert_eq!(operation["responses"].get("401").is_none(), needs_none, "{path}");
            assert_eq!(operation.get("security") == Some(&json!([])), needs_none, "{path}");
        }
    }

    let without = document_of(&[charges_model()]);
    assert!(without.get("security").is_none());
    assert!(without["components"].get("securitySchemes").is_none());
    assert!(!without.to_string().contains("Unauthorized"));
}

#[test]
fn the_levels_of_the_log_are_described_if_there_are_admin_keys() {
    for has_api_keys in [false, true] {
        let info = Info { has_api_keys, has_admin_keys: true, ..Info::new("Test") };
        let document = document(&info, &[charges_model()]);
        assert_references_lead_somewhere(&document, &document);
        let has_scheme = |name: &str| document["components"]["securitySchemes"].get(name).is_some();
        assert_eq!([has_scheme("adminKey"), has_scheme("apiKey")], [true, has_api_keys]);
        assert_eq!(document["tags"][3]["name"], "Log");
        let path = document["paths"]["/api/log/levels"].as_object().unwrap();
        assert_eq!(path.keys().collect::<Vec<_>>(), ["get", "put", "delete"]);
        for operation in path.values() {
            assert_eq!(operation["security"], json!([{ "adminBearer": [] }, { "adminKey": [] }]));
            assert_eq!(operation["tags"], json!(["Log"]));
            let refused = &operation["responses"]["401"]["$ref"];
            assert_eq!(*refused, json!("#/components/responses/NoAdmin"));
            let content = &operation["responses"]["200"]["content"]["application/json"];
            assert!(validator_of(&document, &content["schema"]).is_valid(&content["example"]));
        }
    }
    assert!(!document_of(&[charges_model()]).to_string().contains("dmin"));
}

#[test]
fn a_model_without_an_endpoint_has_metadata_only() {
    let mut hidden = charges_model();
    hidden.has_endpoint = false;
    let document = document_of(&[hidden]);
    assert!(document["paths"].get("/api/models/charges_model/prediction").is_none());
    assert!(document["paths"].get("/api/models/charges_model/predictions").is_none());
    assert!(document["components"]["schemas"].get("ChargesModelInput").is_none());
    let list = &document["paths"]["/api/models"]["get"]["responses"]["200"];
    let example = &list["content"]["application/json"]["example"];
    assert_eq!(example["models"][0]["qualified_name"], "charges_model");
}

#[test]
fn an_unusual_name_is_escaped() {
    let document = document_of(&[model_of::<u8, u8>("größe/{x}")]);
    let path = "/api/models/gr%C3%B6%C3%9Fe%2F%7Bx%7D/prediction";
    let operation = &document["paths"][path]["post"];
    assert_eq!(operation["operationId"], "predict_gr__e__x_");
    assert!(document["components"]["schemas"].get("GrEXInput").is_some(), "{document:#}");
}

mod red {
    /// What the paint is made of.
    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    pub(super) struct Paint {
        colour: Colour,
        finish: super::Finish,
    }

    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    struct Colour {
        red: u8,
    }

    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    pub(super) struct Order {
        paint: Paint,
    }
}

mod blue {
    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    struct Paint {
        colour: Colour,
        finish: super::Finish,
    }

    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    struct Colour {
        blue: u8,
    }

    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    pub(super) struct Order {
        paint: Paint,
    }
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is read")]
enum Finish {
    Matt,
    Glossy,
}

#[test]
fn types_of_one_name_are_told_apart_and_the_same_type_is_shared() {
    let models = [
        model_of::<red::Order, red::Paint>("first"),
        model_of::<blue::Order, red::Order>("second"),
    ];
    let document = document_of(&models);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let own: Vec<_> = schemas.keys().skip_while(|name| *name != "Error").skip(1).collect();
    assert_eq!(
        own,
        [
            "FirstInput",
            "Colour",
            "Finish",
            "Paint",
            "FirstOutput",
            "SecondInput",
            "SecondColour",
            "SecondPaint",
            "SecondOutput",
        ]
    );
    // The paints are written alike, but the colours that they refer to differ.
    let colour = |paint: &str| schemas[paint]["properties"]["colour"]["$ref"].clone();
    assert_eq!(colour("Paint"), "#/components/schemas/Colour");
    assert_eq!(colour("SecondPaint"), "#/components/schemas/SecondColour");
    let paint = |order: &str| schemas[order]["properties"]["paint"]["$ref"].clone();
    assert_eq!(paint("SecondInput"), "#/components/schemas/SecondPaint");
    assert_eq!(paint("SecondOutput"), "#/components/schemas/Paint");
}

#[test]
fn names_of_the_service_are_not_taken_over() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    struct Error {
        inner: Option<ModelList>,
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only the schema is read")]
    struct ModelList(u8);

    let document = document_of(&[model_of::<Vec<Error>, Vec<Error>>("any_model")]);
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["AnyModelInput"]["items"]["$ref"], "#/components/schemas/AnyModelError");
    assert!(schemas["Error"]["properties"].get("messages").is_some());
    assert!(schemas["ModelList"]["properties"].get("models").is_some());
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is read")]
struct Tree {
    value: f64,
    left: Option<Box<Tree>>,
    leaves: Vec<Tree>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is read")]
enum Term {
    Sum { left: Box<Term>, right: Box<Term> },
    Number(f64),
}

#[test]
fn recursive_types_refer_to_themselves() {
    let document =
        document_of(&[model_of::<Tree, Term>("any_model"), model_of::<Term, Tree>("other")]);
    let tree = &document["components"]["schemas"]["AnyModelInput"];
    assert_eq!(tree["properties"]["leaves"]["items"]["$ref"], INPUT);
    assert!(tree.get("$schema").is_none() && tree.get("$defs").is_none());
    let example = request_example(&document, "any_model").unwrap();
    assert_eq!(example, json!({ "value": 1.5, "left": null, "leaves": [] }));
    assert_eq!(request_example(&document, "other").unwrap(), json!({ "Number": 1.5 }));
}

#[test]
fn references_of_all_kinds_are_followed() {
    let input = schema(json!({
        "type": "object",
        "properties": {
            "escaped": { "$ref": "#/$defs/a~1b%20c" },
            "deep": { "$ref": "#/$defs/a~1b%20c/properties/size" },
            "sibling": { "$ref": "#/properties/escaped" },
            "$ref": { "type": "null" },
            "elsewhere": true,
        },
        "$defs": {
            "a/b c": { "type": "object", "properties": { "size": { "type": "integer" } } },
            "unused": { "type": "string" },
        },
    }));
    let document = document_of(&[model("any_model", input, schema(json!(true)))]);
    let schemas = &document["components"]["schemas"];
    let properties = &schemas["AnyModelInput"]["properties"];
    assert_eq!(properties["escaped"]["$ref"], "#/components/schemas/a_b_c");
    assert_eq!(properties["deep"]["$ref"], "#/components/schemas/a_b_c/properties/size");
    assert_eq!(properties["sibling"]["$ref"], format!("{INPUT}/properties/escaped"));
    assert!(schemas.get("unused").is_none());
    assert_eq!(schemas["AnyModelOutput"], true);
}

#[test]
fn data_that_looks_like_a_reference_stays() {
    let data = json!({ "$ref": "#/$defs/other" });
    let input = schema(json!({
        "properties": { "default": { "$ref": "#/$defs/other" }, "x": { "default": data } },
        "examples": [data],
        "$defs": { "other": { "const": data } },
    }));
    let document = document(&Info::new("Test"), &[model("any_model", input, schema(json!({})))]);
    let schemas = &document["components"]["schemas"];
    let input = &schemas["AnyModelInput"];
    assert_eq!(input["properties"]["x"]["default"], data);
    assert_eq!(input["examples"][0], data);
    assert_eq!(schemas["other"]["const"], data);
    assert_eq!(input["properties"]["default"]["$ref"], "#/components/schemas/other");
}

#[test]
fn an_example_has_no_prediction_id_to_send_but_one_that_comes_back() {
    let document = document_of(&[charges_model()]);
    assert_eq!(
        request_example(&document, "charges_model").unwrap(),
        json!({ "age": 41, "bmi": 32.5, "sex": "male", "address": { "zip": "string" } })
    );
    let operation = &document["paths"]["/api/models/charges_model/prediction"]["post"];
    let answer = &operation["responses"]["200"]["content"]["application/json"]["example"];
    assert_eq!(answer["charges"], 1.5);
    assert_eq!(answer["prediction_id"].as_str().unwrap().len(), 36);
}
