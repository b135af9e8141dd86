//! Tests the records of inputs that do not have the model's type.

use std::sync::Arc;

use crate::common::{Sex, logged};
use ml_model_core::decorators::logging::{LoggedField, LoggingOptions, ReadableFields};
use ml_model_core::{
    Decorator, Infer, JsonModel, MLModel, RegisteredModel, Request, Sensitive, Stack, Violation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Address {
    zip: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Input {
    age: u8,
    bmi: f64,
    sex: Sex,
    is_smoker: bool,
    address: Address,
    ssn: Sensitive<String>,
    income: i64,
    point: (i32, f64),
    required: bool,
}

macro_rules! model {
    ($name:ident, $($decorators:tt)*) => {
        #[derive(MLModel)]
        $($decorators)*
        struct $name;

        impl Infer for $name {
            type Input = Input;
            type Output = bool;
            type Error = std::convert::Infallible;

            fn infer(&self, input: &Input) -> Result<bool, Self::Error> {
                Ok(input.required)
            }
        }
    };
}

model!(
    CompiledModel,
    #[decorate(logging(input_fields = [age, bmi, sex, is_smoker, "bucketed(income, 1000)", "redacted(age) as hidden",
                                       "redacted(ssn)", "hashed(ssn) as digest", point.0, point.1 as y]))]
);
model!(BareModel,);

/// A decorator of JSON models.
struct Json;

impl<M: MLModel> Decorator<M> for Json {}

fn configured() -> Stack<Input, bool> {
    let names = [
        "age",
        "bmi",
        "sex",
        "isSmoker as is_smoker",
        "bucketed(income, 1000)",
        "redacted(age) as hidden",
        "redacted(ssn)",
        "hashed(ssn) as digest",
        "point.0",
        "point.1 as y",
    ];
    let options = LoggingOptions {
        input_fields: names.map(|name| name.parse().unwrap()).into(),
        ..LoggingOptions::new("bare_model")
    };
    Stack::around(BareModel).logging(options)
}

/// Returns the input fields in the record of a refused input; `None` for null.
fn fields(model: &RegisteredModel, request: Request<Value>) -> Vec<(&'static str, Option<String>)> {
    let (result, records) = logged(LevelFilter::INFO, || model.call(request));
    assert!(result.is_err());
    // The first record may be that of a missing key.
    let requested = records.iter().find(|record| record.message() == "Prediction requested.");
    let requested = requested.unwrap_or_else(|| panic!("{records:?}"));
    let names = requested.declared.iter().skip(4);
    names.map(|name| (*name, requested.get(name).map(str::to_owned))).collect()
}

fn body() -> Value {
    json!({
        "age": 30.0, "bmi": 21, "sex": "female", "isSmoker": true, "address": {"zip": null},
        "ssn": "078-05-1120", "income": 52_917, "point": [1, 2], "required": "no boolean",
    })
}

fn models() -> [RegisteredModel; 3] {
    [
        Arc::new(JsonModel::new(CompiledModel)),
        configured().into_model(),
        configured().decorator(Json).into_model(),
    ]
}

#[test]
fn the_record_of_a_refused_input_has_the_readable_fields() {
    let expected = [
        ("age", Some("30")),
        ("bmi", Some("21.0")),
        ("sex", Some("female")),
        ("is_smoker", Some("true")),
        ("income", Some("52000")),
        ("hidden", Some("[REDACTED]")),
        ("ssn", None),
        ("digest", None),
        ("point.0", Some("1")),
        ("y", Some("2.0")),
    ];
    for model in models() {
        let fields = fields(&model, Request::new(body()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_deref())).collect();
        assert_eq!(fields, expected);
    }
}

#[test]
fn values_of_another_type_are_null() {
    let with = |pointer: &str, value: Value| {
        let mut body = body();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (pointer, value, name) in [
        ("/age", json!("30"), "age"),
        ("/age", json!(30.5), "age"),
        ("/age", json!(null), "age"),
        ("/bmi", json!([21.0]), "bmi"),
        ("/sex", json!("femal"), "sex"),
        ("/isSmoker", json!({"x": true}), "is_smoker"),
        ("/income", json!("52917"), "income"),
        ("/point", json!("1, 2"), "point.0"),
        ("/point", json!([]), "y"),
    ] {
        for model in models() {
            let fields = fields(&model, Request::new(with(pointer, value.clone())));
            let of_name = fields.iter().find(|(known, _)| *known == name).unwrap();
            assert_eq!(of_name.1, None, "{pointer} is {value}");
            assert!(fields.iter().any(|(_, value)| value.is_some()), "{fields:?}");
        }
    }
    // A number out of range has the type and helps to find the mistake.
    for model in models() {
        let fields = fields(&model, Request::new(with("/age", json!(300))));
        assert_eq!(fields[0], ("age", Some("300".to_owned())));
    }
}

#[test]
fn an_input_without_fields_is_recorded_with_nulls() {
    for model in models() {
        for body in [json!([1, 2]), json!(null), json!("078-05-1120"), json!({})] {
            let fields = fields(&model, Request::new(body));
            assert_eq!(fields.len(), 10);
            assert!(fields.iter().all(|(_, value)| value.is_none()), "{fields:?}");
        }
    }
}

#[test]
fn a_caller_that_checks_inputs_adds_the_readable_fields() {
    for model in models() {
        let readable =
            ReadableFields::new(&model.stack().logged_fields.input, &model.input_schema());
        let read = readable.read(|path| match path {
            [name] if name == "bmi" => Some(json!(21)),
            [name] if name == "isSmoker" => Some(json!(false)),
            [name] if name == "ssn" => panic!("a sensitive field is not read"),
            _ => None,
        });
        let request = Request::invalid(vec![Violation::new("age", "is required")]);
        let fields = fields(&model, request.with_refused_fields(read));
        let of_values: Vec<_> = fields.into_iter().filter(|(_, value)| value.is_some()).collect();
        let expected = [("bmi", Some("21.0".to_owned())), ("is_smoker", Some("false".to_owned()))];
        assert_eq!(of_values, expected);
    }
}

#[test]
fn texts_with_a_format_are_left_out() {
    let schema = schemars::json_schema!({
        "type": "object",
        "properties": {
            "since": {"type": "string", "format": "date"},
            "note": {"type": ["string", "null"]},
            "extra": true,
            "kind": {"enum": ["a", 1]},
        },
    });
    let names = ["since", "note", "extra", "kind", "missing"];
    let fields: Vec<LoggedField> = names.map(|name| name.parse().unwrap()).into();
    let readable = ReadableFields::new(&fields, &schema);
    let asked = std::sync::Mutex::new(Vec::new());
    readable.read(|path| {
        asked.lock().unwrap().push(path.join("."));
        None
    });
    assert_eq!(asked.into_inner().unwrap(), ["since", "note", "extra", "kind"]);
}
