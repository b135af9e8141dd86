//! Tests the logged fields of stacks and their kinds in schemas.

use std::collections::BTreeMap;
use std::sync::Arc;

use ml_model_core::decorators::logging::{FieldError, FieldKind, LoggedField, LoggingOptions};
use ml_model_core::{Decorator, Infer, JsonModel, LogValue, MLModel, RegisteredModel, Stack};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "lowercase")]
enum Sex {
    Male,
    Female,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Address {
    zip: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Input {
    age: u8,
    big: u64,
    #[schemars(range(max = 1000))]
    bounded: u64,
    debt: Option<i64>,
    balance: i128,
    bmi: Option<f32>,
    is_smoker: bool,
    sex: Sex,
    coupon_code: String,
    #[serde(rename = "kundennummer")]
    customer: String,
    address: Address,
    #[schemars(extend("format" = "date-time"))]
    since: String,
    extra: BTreeMap<String, f64>,
    point: (i32, f64),
    tags: Vec<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Output {
    charges: f64,
}

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(
    input_fields = ["prediction_id", "age", coupon_code, address.zip, "bmi as body_mass_index", point.1 as y],
    output_fields = ["charges"],
))]
struct ChargesModel;

impl Infer for ChargesModel {
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        Ok(Output { charges: f64::from(input.age) })
    }
}

struct PassThrough;

impl<M: MLModel> Decorator<M> for PassThrough {}

fn listed(fields: &[LoggedField]) -> Vec<String> {
    fields.iter().map(LoggedField::to_string).collect()
}

fn kind(field: &str) -> Result<FieldKind, FieldError> {
    let field: LoggedField = field.parse().unwrap();
    field.kind(&ChargesModel.input_schema())
}

#[test]
fn the_fields_of_attributes_are_named_with_their_paths() {
    let fields = ChargesModel.stack().logged_fields;
    let input = ["age", "coupon_code", "address.zip", "bmi as body_mass_index", "point.1 as y"];
    assert_eq!(listed(&fields.input), input);
    assert_eq!(listed(&fields.output), ["charges"]);
    let keys: Vec<_> = fields.input.iter().map(LoggedField::key).collect();
    assert_eq!(keys, ["age", "coupon_code", "address.zip", "body_mass_index", "y"]);
}

#[test]
fn every_form_of_a_model_has_the_same_fields() {
    let fields = ChargesModel.stack().logged_fields;
    let json: RegisteredModel = Arc::new(JsonModel::new(ChargesModel));
    assert_eq!(json.stack().logged_fields, fields);
    assert_eq!(Box::new(ChargesModel).stack().logged_fields, fields);
    let mut registry = ml_model_core::ModelRegistry::new();
    registry.add(ChargesModel).unwrap();
    registry.add_decorator("charges_model", PassThrough).unwrap();
    assert_eq!(registry.get("charges_model").unwrap().stack().logged_fields, fields);
}

#[test]
fn fields_of_a_stack_replace_those_of_the_attributes() {
    let logging = |input: &str, output: &str| LoggingOptions {
        input_fields: vec![input.parse().unwrap()],
        output_fields: vec![output.parse().unwrap()],
        ..LoggingOptions::new("charges_model")
    };
    let stack = Stack::around(ChargesModel)
        .logging(logging("couponCode as coupon", "charges"))
        .logging(logging("age", "charges"))
        .into_model();
    let fields = stack.stack().logged_fields;
    assert_eq!(listed(&fields.input), ["age", "couponCode as coupon"]);
    assert_eq!(listed(&fields.output), ["charges"]);
    assert_eq!(Stack::around(ChargesModel).into_model().stack().logged_fields, Default::default());
}

#[test]
fn the_schema_declares_the_kind_of_each_field() {
    for (field, expected) in [
        ("age", FieldKind::Integer),
        ("big", FieldKind::WideInteger),
        ("bounded", FieldKind::Integer),
        ("debt", FieldKind::Integer),
        ("balance", FieldKind::WideInteger),
        ("bmi as body_mass_index", FieldKind::Number),
        ("isSmoker", FieldKind::Boolean),
        ("sex", FieldKind::Text),
        ("address.zip", FieldKind::Text),
        ("since", FieldKind::Date),
        ("extra.anything", FieldKind::Any),
        ("point.0", FieldKind::Integer),
        ("point.1", FieldKind::Number),
    ] {
        assert_eq!(kind(field), Ok(expected), "{field}");
    }
}

#[test]
fn a_field_with_another_spelling_in_serde_is_found() {
    assert_eq!(kind("coupon_code"), Ok(FieldKind::Text));
    assert_eq!(kind("is_smoker"), Ok(FieldKind::Boolean));
    assert!(
        matches!(kind("customer"), Err(FieldError::Unknown { name, .. }) if name == "customer")
    );
    assert!(matches!(kind("tags"), Err(FieldError::List { .. })));
    assert!(matches!(kind("address"), Err(FieldError::NotLoggable { .. })));
}

#[test]
fn kinds_of_several_forms_are_joined() {
    let schema = |text: &str| {
        schemars::Schema::try_from(serde_json::from_str::<serde_json::Value>(text).unwrap())
            .unwrap()
    };
    let of = |form: &str| {
        let schema = schema(&format!(r#"{{"type":"object","properties":{{"x":{form}}}}}"#));
        "x".parse::<LoggedField>().unwrap().kind(&schema).unwrap()
    };
    assert_eq!(of(r#"{"type":["integer","null"]}"#), FieldKind::Integer);
    assert_eq!(of(r#"{"anyOf":[{"type":"integer"},{"type":"number"}]}"#), FieldKind::Number);
    assert_eq!(of(r#"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#), FieldKind::Any);
    assert_eq!(of(r#"{"type":["string","null"],"format":"date"}"#), FieldKind::Date);
    assert_eq!(of(r#"{"enum":["a","b",null]}"#), FieldKind::Text);
    assert_eq!(of(r#"{"const":3}"#), FieldKind::Integer);
    assert_eq!(of("true"), FieldKind::Any);
}
