//! Tests the registry and models in JSON form.

use std::borrow::Cow;

use crate::common::{Input, Output, logged};
use ml_model_core::{
    Decorator, Infer, MLModel, ModelMetadata, ModelRegistry, PredictionError, PredictionId,
    PredictionIdDecorator, RegistryError, Request,
};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = [age]))]
struct ChargesModel;
infer!(ChargesModel);

#[derive(MLModel)]
#[ml_model(version = "2", description = "Plain.")]
struct PlainModel;
infer!(PlainModel);

fn registry() -> ModelRegistry {
    let mut registry = ModelRegistry::new();
    registry.add(ChargesModel).expect("the first of its name");
    registry.add(PlainModel).expect("the first of its name");
    registry
}

fn body() -> Value {
    serde_json::to_value(Input::example()).expect("inputs are JSON")
}

fn predict(registry: &ModelRegistry, name: &str, body: Value) -> Result<Value, PredictionError> {
    let model = registry.get(name).expect("it was added");
    model.predict(body).map(|prediction| prediction.into_output())
}

#[test]
fn models_are_listed_in_the_order_added() {
    let list = serde_json::to_value(registry().list()).unwrap();
    assert_eq!(
        list,
        json!([
            {
                "display_name": "Charges Model",
                "qualified_name": "charges_model",
                "description": "",
                "version": env!("CARGO_PKG_VERSION"),
            },
            {
                "display_name": "Plain Model",
                "qualified_name": "plain_model",
                "description": "Plain.",
                "version": "2",
            },
        ])
    );
}

#[test]
fn metadata_holds_the_schemas_beside_the_details() {
    let metadata = serde_json::to_value(registry().metadata("charges_model").unwrap()).unwrap();
    let keys: Vec<_> = metadata.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "display_name",
            "qualified_name",
            "description",
            "version",
            "input_schema",
            "output_schema"
        ]
    );
    assert_eq!(metadata["input_schema"]["properties"]["age"]["maximum"], 65);
}

#[test]
fn a_second_model_of_one_name_is_refused() {
    let error = registry().add(PlainModel).unwrap_err();
    assert_eq!(error, RegistryError::DuplicateName { name: "plain_model".into() });
}

#[test]
fn the_error_for_an_unknown_name_lists_the_known_ones() {
    let mut registry = registry();
    let message = registry.metadata("charges").unwrap_err().to_string();
    assert_eq!(message, "no model is named `charges`; the models are: charges_model, plain_model");
    assert!(registry.get("charges").is_err());
    assert!(registry.remove("charges").is_err());
    assert!(registry.add_decorator("charges", PredictionIdDecorator).is_err());
}

#[test]
fn a_removed_model_is_gone_and_still_works() {
    let mut registry = registry();
    let model = registry.remove("plain_model").unwrap();
    assert!(registry.get("plain_model").is_err());
    assert_eq!(model.predict(body()).unwrap()["charges"], 250.0);
    registry.add(PlainModel).unwrap();
}

#[test]
fn the_callers_id_is_read_from_the_body_and_is_last_in_the_output() {
    let mut with_id = body();
    with_id["prediction_id"] = json!("order-7");
    let output = predict(&registry(), "charges_model", with_id).unwrap();
    assert_eq!(output.to_string(), r#"{"charges":250.0,"prediction_id":"order-7"}"#);
}

#[test]
fn without_an_id_one_is_made() {
    for absent in [None, Some(Value::Null)] {
        let mut body = body();
        if let Some(null) = absent {
            body["prediction_id"] = null;
        }
        let output = predict(&registry(), "charges_model", body).unwrap();
        let id = output["prediction_id"].as_str().unwrap();
        assert!(uuid::Uuid::parse_str(id).is_ok());
    }
}

#[test]
fn a_model_without_the_decorator_returns_no_id() {
    let mut with_id = body();
    with_id["prediction_id"] = json!("order-7");
    let output = predict(&registry(), "plain_model", with_id).unwrap();
    assert_eq!(output, json!({"charges": 250.0}));
}

#[test]
fn an_input_of_another_type_is_invalid_and_recorded() {
    let mut bad = body();
    bad["age"] = json!("old");
    bad["prediction_id"] = json!("order-7");
    let (error, records) =
        logged(LevelFilter::INFO, || predict(&registry(), "charges_model", bad).unwrap_err());
    assert!(matches!(error, PredictionError::InvalidInput(_)), "{error:?}");
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].get("prediction_id"), Some("order-7"));
    assert_eq!(
        records[1].get("error_info"),
        Some("invalid input: age: invalid type: string \"old\", expected u8")
    );
}

#[test]
fn a_whole_number_is_an_integer() {
    let mut body = body();
    body["age"] = json!(30.0);
    body["point"] = json!([1.0, [2, 3.0]]);
    assert_eq!(predict(&registry(), "charges_model", body.clone()).unwrap()["charges"], 300.0);
    body["age"] = json!(30.5);
    assert!(predict(&registry(), "charges_model", body).is_err());
}

#[test]
fn an_invalid_id_in_the_body_is_reported() {
    for bad in [json!("order 7"), json!(7), json!(""), json!("x".repeat(129))] {
        let mut body = body();
        body["prediction_id"] = bad;
        let error = predict(&registry(), "charges_model", body).unwrap_err();
        let PredictionError::InvalidInput(violations) = error else { panic!("{error:?}") };
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].path, "prediction_id");
    }
}

#[test]
fn an_id_of_the_request_takes_precedence() {
    let mut body = body();
    body["prediction_id"] = json!("body");
    let id = PredictionId::try_from("request").unwrap();
    let request = Request::new(body).with_prediction_id(id);
    let output = registry().get("charges_model").unwrap().call(request).unwrap();
    assert_eq!(output["prediction_id"], "request");
}

struct Renamed(&'static str);

impl<M: MLModel> Decorator<M> for Renamed {
    fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
        let mut metadata = model.metadata();
        metadata.to_mut().qualified_name = self.0.into();
        metadata
    }
}

#[test]
fn decorators_are_added_by_name() {
    let mut registry = registry();
    registry.add_decorator("plain_model", PredictionIdDecorator).unwrap();
    let mut with_id = body();
    with_id["prediction_id"] = json!("order-7");
    let output = predict(&registry, "plain_model", with_id).unwrap();
    assert_eq!(output.to_string(), r#"{"charges":250.0,"prediction_id":"order-7"}"#);
    assert_eq!(
        format!("{registry:?}"),
        r#"{"charges_model": PredictionIdDecorator(LoggingDecorator(ChargesModel)), "plain_model": PredictionIdDecorator(PlainModel)}"#
    );
}

#[test]
fn a_decorator_may_rename_a_model_but_not_to_anothers_name() {
    let mut registry = registry();
    let error = registry.add_decorator("plain_model", Renamed("charges_model")).unwrap_err();
    assert_eq!(error, RegistryError::DuplicateName { name: "charges_model".into() });
    registry.add_decorator("plain_model", Renamed("fancy_model")).unwrap();
    assert!(registry.get("plain_model").is_err());
    assert_eq!(predict(&registry, "fancy_model", body()).unwrap()["charges"], 250.0);
}

/// Models whose input and output have a field `prediction_id`.
mod own_id {
    use ml_model_core::{Infer, MLModel};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Clone)]
    pub(super) struct Both {
        prediction_id: u32,
    }

    macro_rules! models {
        ($($(#[$attribute:meta])* $model:ident)*) => {$(
            #[derive(MLModel)]
            $(#[$attribute])*
            pub(super) struct $model;

            impl Infer for $model {
                type Input = Both;
                type Output = Both;
                type Error = std::convert::Infallible;

                fn infer(&self, input: &Both) -> Result<Both, Self::Error> {
                    Ok(input.clone())
                }
            }
        )*};
    }

    models! {
        PlainIdModel
        #[decorate(prediction_id)]
        DecoratedIdModel
    }
}

#[test]
fn a_field_of_the_model_called_prediction_id_is_not_the_id() {
    let mut registry = ModelRegistry::new();
    let ((), warnings) = logged(LevelFilter::WARN, || {
        registry.add(own_id::PlainIdModel).unwrap();
        registry.add(own_id::DecoratedIdModel).unwrap();
    });
    let [input, output] = &*warnings else { panic!("{warnings:?}") };
    assert_eq!(input.get("model_qualified_name"), Some("decorated_id_model"));
    assert!(input.message().starts_with("The input of the model has a field `prediction_id`"));
    assert!(output.message().starts_with("The output of the model has a field `prediction_id`"));
    for name in ["plain_id_model", "decorated_id_model"] {
        let body = json!({"prediction_id": 7});
        assert_eq!(predict(&registry, name, body.clone()).unwrap(), body, "{name}");
        let schema = registry.metadata(name).unwrap().input_schema;
        assert_eq!(schema.pointer("/properties/prediction_id/type").unwrap(), "integer");
    }
}

#[test]
fn a_map_has_no_prediction_id() {
    use std::collections::BTreeMap;

    /// Returns its input.
    #[derive(MLModel)]
    #[decorate(prediction_id)]
    struct MapModel;

    impl Infer for MapModel {
        type Input = BTreeMap<String, String>;
        type Output = BTreeMap<String, String>;
        type Error = std::convert::Infallible;

        fn infer(&self, input: &Self::Input) -> Result<Self::Output, Self::Error> {
            Ok(input.clone())
        }
    }
    let mut registry = ModelRegistry::new();
    registry.add(MapModel).unwrap();
    let body = json!({"prediction_id": "one of the values"});
    assert_eq!(predict(&registry, "map_model", body.clone()).unwrap(), body);
    let metadata = registry.metadata("map_model").unwrap();
    for schema in [metadata.input_schema, metadata.output_schema] {
        assert_eq!(schema.get("properties"), None);
        assert_eq!(schema.get("required"), None);
    }
}

#[test]
fn whole_numbers_of_any_size_are_integers() {
    let mut body = body();
    body["type"] = json!(4294967295.0);
    body["point"] = json!([-3.0, [9007199254740994.0, -9e18]]);
    assert!(predict(&registry(), "charges_model", body.clone()).is_ok());

    // Integers beyond 64 bits are floats in a `Value`, and are not rounded to one of 64 bits.
    let beyond: Value = serde_json::from_str("-9223372036854775809").unwrap();
    body["point"] = json!([-3, [1, beyond]]);
    assert!(predict(&registry(), "charges_model", body).is_err());
}
