//! Tests decorators chosen at run time, whose records equal those of the attributes.

use std::sync::Arc;

use crate::common::{Logged, Sex, logged};
use ml_model_core::decorators::logging::{FieldError, LoggedField, LoggingOptions};
use ml_model_core::{
    Decorator, Described, Infer, JsonForm, JsonModel, MLModel, Prediction, PredictionError,
    PredictionId, RegisteredModel, Request, Stack,
};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use uuid::Uuid;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Address {
    zip: String,
    #[serde(default)]
    floor: i8,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Input {
    age: u8,
    sex: Sex,
    bmi: f64,
    ratio: f32,
    address: Option<Address>,
    note: Option<String>,
    key: Uuid,
    letter: char,
    debt: i64,
    big: u64,
    smoker: bool,
    point: (i32, (i64, f64)),
    tags: Vec<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Output {
    charges: f64,
    class: Option<u16>,
}

fn infer(input: &Input) -> Result<Output, std::io::Error> {
    match input.age {
        40 => Err(std::io::Error::other("forty")),
        50 => panic!("fifty"),
        age => Ok(Output { charges: f64::from(age) * 10.0, class: (age > 30).then_some(2) }),
    }
}

/// The same model with its decorators in attributes.
mod compiled {
    use super::*;

    #[derive(MLModel)]
    #[decorate(prediction_id)]
    #[decorate(logging(
        input_fields = ["age", "sex", "bmi", "ratio", "note", "key", "letter", "debt", "big",
                        "smoker", "point.0", "point.1.1 as y", "address.zip", "address.floor as floor",
                        "redacted(address.zip) as hidden", "bucketed(address.floor, 10) as bucket",
                        "prediction_id"],
        output_fields = ["charges", "class as risk"],
        level = "debug",
    ))]
    pub(super) struct ChargesModel;

    impl Infer for ChargesModel {
        type Input = Input;
        type Output = Output;
        type Error = std::io::Error;

        fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
            infer(input)
        }
    }
}

#[derive(MLModel)]
#[decorate(logging)]
struct ChargesModel;

impl Infer for ChargesModel {
    type Input = Input;
    type Output = Output;
    type Error = std::io::Error;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        infer(input)
    }
}

fn fields(names: &[&str]) -> Vec<LoggedField> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn options() -> LoggingOptions {
    LoggingOptions {
        level: Level::DEBUG,
        input_fields: fields(&[
            "age",
            "sex",
            "bmi",
            "ratio",
            "note",
            "key",
            "letter",
            "debt",
            "big",
            "smoker",
            "point.0",
            "point.1.1 as y",
            "address.zip",
            "address.floor as floor",
            "redacted(address.zip) as hidden",
            "bucketed(address.floor, 10) as bucket",
        ]),
        output_fields: fields(&["charges", "class as risk"]),
        file: "rest_config.yaml".into(),
        line: 12,
        ..LoggingOptions::new("charges_model")
    }
}

fn configured() -> RegisteredModel {
    Stack::around(ChargesModel).logging(options()).prediction_id().into_model()
}

fn body() -> Value {
    json!({
        "prediction_id": "order-7", "age": 25.0, "sex": "female", "bmi": 21, "ratio": 0.1,
        "address": {"zip": "1010"}, "note": null, "key": "67E55044-10B1-426F-9247-BB680E5FE0C8",
        "letter": "ß", "debt": -3, "big": u64::MAX, "smoker": true, "point": [1, [2, 3]],
        "tags": ["a"],
    })
}

/// Returns the records of one prediction, without the duration.
fn records(model: &dyn MLModel<Input = Value, Output = Value>, body: Value) -> Vec<Logged> {
    let call = || {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            model.call(Request::new(body)).map(Prediction::into_output)
        }))
    };
    let (_result, mut records) = logged(LevelFilter::DEBUG, call);
    for (name, value) in records.iter_mut().flat_map(|record| &mut record.fields) {
        if *name == "duration_ms" {
            value.parse::<f64>().expect("a duration is a number");
            value.clear();
        }
    }
    records
}

fn assert_same(compiled: &[Logged], configured: &[Logged]) {
    assert_eq!(compiled.len(), configured.len());
    for (compiled, configured) in compiled.iter().zip(configured) {
        assert_eq!(compiled.declared, configured.declared);
        assert_eq!(compiled.fields, configured.fields);
        assert_eq!(compiled.level, configured.level);
        assert_eq!(compiled.target, configured.target);
        assert_eq!(compiled.span_ids, configured.span_ids);
    }
}

#[test]
fn the_records_are_those_of_the_attribute() {
    let compiled = JsonModel::new(compiled::ChargesModel);
    for age in [json!(25.0), json!(31), json!(40), json!(50), json!("none")] {
        let body = Value::Object(
            body()
                .as_object()
                .cloned()
                .into_iter()
                .flatten()
                .chain([("age".to_owned(), age)])
                .collect(),
        );
        let expected = records(&compiled, body.clone());
        assert_eq!(expected.len(), 2);
        assert_same(&expected, &records(&configured(), body));
    }
}

#[test]
fn file_and_line_are_those_of_the_configuration() {
    let records = records(&configured(), body());
    assert_eq!((records[0].file, records[0].line), ("rest_config.yaml", 12));
    assert_eq!(records[0].get("bmi"), Some("21.0"));
    assert_eq!(records[0].get("ratio"), Some("0.1"));
    assert_eq!(records[0].get("note"), None);
    assert_eq!(records[0].get("y"), Some("3.0"));
    assert_eq!(records[1].get("charges"), Some("250.0"));
}

proptest! {
    #[test]
    fn any_input_is_recorded_as_the_attribute_does(
        age in any::<u8>().prop_filter("these fail", |age| ![40, 50].contains(age)),
        bmi in any::<f64>().prop_filter("JSON has no others", |bmi| bmi.is_finite()),
        ratio in any::<f32>().prop_filter("JSON has no others", |ratio| ratio.is_finite()),
        note in any::<Option<String>>(),
        letter in any::<char>(),
        debt in any::<i64>(),
        address in any::<Option<(String, i8)>>(),
    ) {
        let mut body = body();
        body["age"] = age.into();
        body["bmi"] = bmi.into();
        body["ratio"] = ratio.into();
        body["note"] = note.into();
        body["letter"] = letter.to_string().into();
        body["debt"] = debt.into();
        body["address"] = address.map(|(zip, floor)| json!({"zip": zip, "floor": floor})).into();
        let compiled = JsonModel::new(compiled::ChargesModel);
        assert_same(&records(&compiled, body.clone()), &records(&configured(), body));
    }
}

/// A decorator that works on JSON.
struct Doubled;

impl Decorator<RegisteredModel> for Doubled {
    fn call(
        &self,
        model: &RegisteredModel,
        request: Request<Value>,
    ) -> Result<Prediction<Value>, PredictionError> {
        // The input is normalized: it contains defaults, and 21 is 21.0.
        if let Some(input) = request.input() {
            assert_eq!(input["bmi"].to_string(), "21.0");
            assert_eq!(input["address"]["floor"], 0);
            assert!(input.get("prediction_id").is_none());
        }
        let mut prediction = model.call(request)?;
        let doubled = prediction["charges"].as_f64().unwrap_or_default() * 2.0;
        prediction["charges"] = doubled.into();
        Ok(prediction)
    }
}

#[test]
fn json_decorators_stand_where_they_are_listed() {
    let inside = || Stack::around(ChargesModel).decorator(Doubled).logging(options());
    let model = inside().prediction_id().into_model();
    assert_eq!(
        format!("{:?}", model.decorators()),
        "PredictionIdDecorator(LoggingDecorator(Doubled(ChargesModel)))"
    );
    let output = model.call(Request::new(body())).unwrap().into_output();
    assert_eq!(output, json!({"charges": 500.0, "class": null, "prediction_id": "order-7"}));
    let seen = records(&model, body());
    assert_eq!(seen[0].get("bmi"), Some("21.0"));
    assert_eq!(seen[1].get("charges"), Some("500.0"));

    let outside = Stack::around(ChargesModel).logging(options()).decorator(Doubled).prediction_id();
    let outside = outside.into_model();
    assert_eq!(records(&outside, body())[1].get("charges"), Some("250.0"));
    let output = outside.call(Request::new(body())).unwrap().into_output();
    assert_eq!(output["charges"], 500.0);
}

#[test]
fn an_empty_stack_is_the_bare_model() {
    let model = Stack::around(ChargesModel).into_model();
    assert!(records(&model, body()).is_empty());
    assert_eq!(format!("{:?}", model.decorators()), "ChargesModel");
    assert_eq!(model.qualified_name(), ChargesModel::METADATA.qualified_name);
    assert_eq!(model.input_schema(), ChargesModel::bare_input_schema());
    assert_eq!(model.output_schema(), ChargesModel::bare_output_schema());
}

#[test]
fn outputs_as_text_are_the_same() {
    let json = Stack::around(ChargesModel).decorator(Doubled).prediction_id().into_model();
    let plain = Stack::around(ChargesModel).into_model();
    for model in [configured(), json, plain] {
        for age in [25, 35, 40] {
            let mut body = body();
            body["age"] = age.into();
            if !model.input_schema().to_value()["properties"]
                .as_object()
                .unwrap()
                .contains_key("prediction_id")
            {
                body.as_object_mut().unwrap().shift_remove("prediction_id");
            }
            let value = model
                .call(Request::new(body.clone()))
                .map(|prediction| prediction.into_output().to_string())
                .map_err(|error| error.to_string());
            // A text has no id.
            let mut without_id = body.clone();
            let id = PredictionId::take_from(&mut without_id).and_then(Result::ok);
            let text = without_id.to_string();
            let mut of_text = Request::new(text.as_str());
            id.into_iter().for_each(|id| of_text.context_mut().set_prediction_id(id));
            let text = model.call_text(of_text);
            match (value, text.map(Prediction::into_output)) {
                (Ok(value), Ok(text)) => assert_eq!(value.as_bytes(), text),
                (Err(value), Err(text)) => assert_eq!(value, text.to_string()),
                (value, text) => panic!("{value:?} and {text:?}"),
            }
        }
    }

    /// A model whose output has no members.
    #[derive(MLModel)]
    #[decorate(prediction_id)]
    struct Empty;

    #[derive(Serialize, JsonSchema)]
    struct Nothing {}

    impl Infer for Empty {
        type Input = Vec<u8>;
        type Output = Nothing;
        type Error = std::convert::Infallible;

        fn infer(&self, _input: &Vec<u8>) -> Result<Nothing, Self::Error> {
            Ok(Nothing {})
        }
    }
    let model = JsonModel::new(Empty);
    let text = model.call_text(Request::new("[]").with_prediction_id("order-7")).unwrap();
    assert_eq!(text.output(), br#"{"prediction_id":"order-7"}"#);
}

#[test]
fn stacks_are_shared_between_threads() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    is_shared(&Arc::new(configured()));
}

fn check(field: &str) -> Result<(), FieldError> {
    field.parse::<LoggedField>()?.check(&fields(&["age"]), &ChargesModel::bare_input_schema())
}

#[test]
fn fields_are_checked_against_the_schema() {
    for known in ["bmi", "address.zip", "point.1.0", "address.floor as floor", "note", "key"] {
        assert_eq!(check(known), Ok(()), "{known}");
    }
    let message = |field: &str| check(field).unwrap_err().to_string();
    assert_eq!(
        message("bmii"),
        "unknown field `bmii`; valid are `age`, `sex`, `bmi`, `ratio`, `address`, `note`, `key`, \
         `letter`, `debt`, `big`, `smoker`, `point`, `tags`"
    );
    assert_eq!(message("address.zipp"), "unknown field `zipp`; valid are `zip`, `floor`");
    assert_eq!(message("bmi.x"), "`bmi` is a number and has no fields");
    assert_eq!(
        message("address"),
        "`address` is an object, which is not a single value: name a field inside it by its path"
    );
    for list in ["tags", "tags.0", "tags.x.y"] {
        assert_eq!(message(list), "`tags` is a list: lists cannot be logged");
    }
    assert_eq!(
        message("point"),
        "`point` is a list, which is not a single value: name an item of it by its number, as in \
         `point.0`"
    );
    assert_eq!(
        message("age"),
        "`age` is listed twice: remove one of them, or rename it, as in `age as other_name`"
    );
    assert_eq!(
        message("redacted(age)"),
        "`age` is listed twice: remove one of them, or rename it, as in `redacted(age) as other_name`"
    );
    assert_eq!(message("bmi as age"), "another field is already named `age`: choose another name");
    assert_eq!(
        message("bmi as message"),
        "every record has its own `message`: choose another name"
    );
    assert_eq!(
        message("message"),
        "every record has its own `message`: rename the field, as in `message as message_value`"
    );
    for no_field in ["", "a..b", "bmi as ", "bmi as b as c", "a b"] {
        assert!(message(no_field).contains("is not a field: expected"), "{no_field}");
    }
}
