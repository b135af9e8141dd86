//! Tests sensitive values, and the policies of logged fields in attributes and in configurations.

use std::collections::BTreeMap;

use crate::common::{Logged, logged};
use ml_model_core::decorators::logging::{FieldError, LoggedField, LoggingOptions};
use ml_model_core::{
    Described, Infer, JsonModel, LogValue, MLModel, Prediction, PredictionError, RegisteredModel,
    Request, Sensitive, SensitiveParts, Stack, Violation, unmarked_sensitive,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

const SECRET: &str = "078-05-1120";

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Gold,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Customer {
    id: Sensitive<u32>,
    #[schemars(example = SECRET)]
    name: String,
}

fn unknown() -> Sensitive<String> {
    Sensitive::new(SECRET.to_owned())
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Input {
    #[serde(default = "unknown")]
    #[schemars(example = SECRET, length(min = 3))]
    ssn: Sensitive<String>,
    nickname: Option<Sensitive<String>>,
    income: Sensitive<Option<i64>>,
    age: u8,
    share: f32,
    plan: Plan,
    customer: Customer,
    guardian: Option<Sensitive<Customer>>,
    #[serde(default)]
    phones: Sensitive<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Output {
    score: Sensitive<f64>,
    class: &'static str,
}

fn infer(input: &Input) -> Result<Output, std::io::Error> {
    match input.age {
        50 => panic!("no model for {input:?}"),
        40 => Err(std::io::Error::other(format!("no model for {input:?}"))),
        _ => Ok(Output { score: Sensitive::new(0.343_751_2), class: "low" }),
    }
}

mod compiled {
    use super::*;

    #[derive(MLModel)]
    #[decorate(logging(
        input_fields = [redacted(ssn), "hashed(ssn) as ssn_digest", "hashed(nickname)",
                        "bucketed(income, 1_000)", bucketed(age, 10), "bucketed(share, 0.1)",
                        hashed(plan), hashed(customer.id) as customer, "redacted(phones)"],
        output_fields = ["bucketed(score, 0.25)", "hashed(class)"],
    ))]
    pub(super) struct RiskModel;

    impl Infer for RiskModel {
        type Input = Input;
        type Output = Output;
        type Error = std::io::Error;

        fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
            infer(input)
        }
    }
}

#[derive(MLModel)]
struct RiskModel;

impl Infer for RiskModel {
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

fn configured(input_fields: &[&str], output_fields: &[&str]) -> RegisteredModel {
    let options = LoggingOptions {
        input_fields: fields(input_fields),
        output_fields: fields(output_fields),
        ..LoggingOptions::new("risk_model")
    };
    Stack::around(RiskModel).logging(options).into_model()
}

fn body() -> Value {
    json!({
        "ssn": SECRET, "nickname": SECRET, "income": 52_900, "age": 37, "share": 0.375,
        "plan": "gold", "customer": {"id": 78_051_120, "name": SECRET},
        "guardian": {"id": 78_051_120, "name": SECRET}, "phones": [SECRET],
    })
}

type Call = Result<Result<Value, PredictionError>, String>;

fn call(model: &dyn MLModel<Input = Value, Output = Value>, body: Value) -> (Call, Vec<Logged>) {
    logged(LevelFilter::INFO, || {
        let call = || model.call(Request::new(body)).map(Prediction::into_output);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(call))
            .map_err(|panic| panic.downcast_ref::<String>().unwrap().clone())
    })
}

/// Runs an ignored test of this file in a process with the key `key`.
fn in_process(test: &str, key: Option<&str>) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args([&format!("privacy::{test}"), "--exact", "--ignored", "--nocapture"]);
    match key {
        Some(key) => command.env("ML_LOG_HASH_KEY", key),
        None => command.env_remove("ML_LOG_HASH_KEY"),
    };
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{errors}");
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[test]
fn policies_are_the_same_in_attributes_and_configurations() {
    in_process("with_a_key", Some(KEY));
    in_process("with_a_key", Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"));
}

#[test]
#[ignore = "runs in a process with a key"]
fn with_a_key() {
    let (result, records) = call(&JsonModel::new(compiled::RiskModel), body());
    assert_eq!(result.unwrap().unwrap(), json!({"score": 0.3437512, "class": "low"}));
    // HMAC-SHA-256 as Python's `hmac` computes it.
    let digest_of_ssn = "0b6e373a6c22947edab4ac8044b00382";
    assert_eq!(
        records[0].fields[4..],
        [
            ("ssn", "[REDACTED]".to_owned()),
            ("ssn_digest", digest_of_ssn.to_owned()),
            ("nickname", digest_of_ssn.to_owned()),
            ("income", "52000".to_owned()),
            ("age", "30".to_owned()),
            ("share", "0.3".to_owned()),
            ("plan", "bd691b011b25c3692884c17bad2f85a7".to_owned()),
            ("customer", "1991fefd5895874470366e614f75aa8a".to_owned()),
            ("phones", "[REDACTED]".to_owned()),
        ]
    );
    assert_eq!(records[1].get("score"), Some("0.25"));
    assert_eq!(records[1].get("class").map(str::len), Some(32));

    let model = configured(
        &[
            "redacted(ssn)",
            "hashed(ssn) as ssn_digest",
            "hashed(nickname)",
            "bucketed(income, 1000)",
            "bucketed(age, 10)",
            "bucketed( share , 0.1 )",
            "hashed(plan)",
            "hashed(customer.id) as customer",
            "redacted(phones)",
        ],
        &["bucketed(score, 0.25)", "hashed(class)"],
    );
    let (_, by_name) = call(&*model, body());
    for (compiled, configured) in records.iter().zip(&by_name) {
        let without_duration = |record: &Logged| {
            let mut record = record.clone();
            record.fields.retain(|(name, _)| *name != "duration_ms");
            record.fields
        };
        assert_eq!(without_duration(compiled), without_duration(configured));
        assert_eq!(compiled.declared, configured.declared);
    }
    assert_eq!(
        compiled::RiskModel::logged_fields(),
        JsonModel::new(compiled::RiskModel).stack().logged_fields
    );
}

#[test]
fn without_a_key_one_record_reports_it() {
    in_process("without_a_key", None);
    in_process("without_a_key", Some("0011"));
}

#[test]
#[ignore = "runs in a process without a key"]
fn without_a_key() {
    let model = JsonModel::new(compiled::RiskModel);
    let of_calls: Vec<_> = (0..3).flat_map(|_| call(&model, body()).1).collect();
    let of_model: Vec<_> =
        of_calls.iter().filter(|record| record.target == "risk_model_logger").collect();
    assert_eq!(of_model.len(), 6);
    for record in &of_model {
        let key = if record.message() == "Prediction requested." { "nickname" } else { "class" };
        assert_eq!(record.get(key), Some("[NO KEY]"), "{record:?}");
    }
    let others: Vec<_> =
        of_calls.iter().filter(|record| record.target != "risk_model_logger").collect();
    assert_eq!(others.len(), 1, "{others:?}");
    assert_eq!(others[0].level, tracing::Level::ERROR);
    let error = others[0].get("error_info").unwrap();
    assert!(error.starts_with("ML_LOG_HASH_KEY "), "{error}");
    assert!(!error.contains("0011"), "{error}");
}

#[test]
fn no_record_and_no_message_has_a_sensitive_value() {
    let everything = ["ssn", "nickname", "income", "customer.id", "guardian.id", "guardian.name"];
    // The check of a configuration refuses these fields; without the check they are redacted.
    for model in [
        std::sync::Arc::new(JsonModel::new(compiled::RiskModel)) as RegisteredModel,
        configured(&everything, &["score"]),
    ] {
        for age in [json!(30), json!(40), json!(50), json!("none"), json!({"x": SECRET})] {
            let mut body = body();
            body["customer"]["name"] = json!("Ann");
            body["age"] = age;
            let (result, records) = call(&*model, body);
            let written = match result {
                Ok(Ok(_output)) => String::new(),
                Ok(Err(error)) => format!("{error:?} {error}"),
                Err(panic) => panic,
            };
            let written = format!("{written} {records:?}");
            for secret in [SECRET, "52900", "78051120", "0.3437512"] {
                assert!(!written.contains(secret), "{written}");
            }
        }
    }
}

#[test]
fn a_message_about_an_invalid_value_does_not_quote_it() {
    let model = JsonModel::new(RiskModel);
    let violation = |pointer: &str, value: Value| -> Violation {
        let mut body = body();
        *body.pointer_mut(pointer).unwrap() = value;
        match model.call(Request::new(body)) {
            Err(PredictionError::InvalidInput(violations)) => violations[0].clone(),
            other => panic!("{other:?}"),
        }
    };
    let hidden = "the value is not valid; it is sensitive and not shown";
    for (pointer, value, path) in [
        ("/income", json!(SECRET), "income"),
        ("/nickname", json!([SECRET]), "nickname"),
        ("/customer/id", json!(SECRET), "customer.id"),
        // The caller may have put the value in the wrong place.
        ("/customer", json!(SECRET), "customer"),
        ("/guardian/name", json!(78_051_120), "guardian"),
        ("/phones", json!({SECRET: 1}), "phones"),
    ] {
        let violation = violation(pointer, value);
        assert_eq!(violation, Violation::new(path, hidden), "{pointer}");
    }
    let shown = violation("/age", json!("forty"));
    assert_eq!(shown.path, "age");
    assert!(shown.message.contains("forty"), "{shown}");
}

#[test]
fn schemas_mark_sensitive_parts_and_have_no_examples_of_them() {
    let schema = RiskModel::bare_input_schema();
    let ssn = &schema.as_value()["properties"]["ssn"];
    assert_eq!(*ssn, json!({"type": "string", "x-sensitive": true, "minLength": 3}));
    assert!(!schema.as_value().to_string().contains(SECRET), "{schema:?}");
    assert_eq!(
        RiskModel::bare_output_schema().as_value()["properties"]["score"]["x-sensitive"],
        json!(true)
    );
    assert!(SensitiveParts::of(&schemars::schema_for!(Plan)).is_none());

    let parts = SensitiveParts::of(&schema).unwrap();
    let hidden_at = |path: &str| parts.hidden_at(path.split('.'));
    assert_eq!(hidden_at("age"), None);
    assert_eq!(hidden_at("customer.name"), None);
    assert_eq!(hidden_at("ssn"), Some(1));
    assert_eq!(hidden_at("customer"), Some(1), "it contains the id");
    assert_eq!(hidden_at("customer.id"), Some(2));
    assert_eq!(hidden_at("guardian.name.first"), Some(1));
    assert_eq!(hidden_at("phones.3"), Some(1));
    assert_eq!(parts.hidden_at([]), Some(0), "the body contains it");
}

#[test]
fn fields_without_examples_are_those_of_sensitive_parts_only() {
    #[derive(JsonSchema)]
    #[schemars(example = json!({"secret": SECRET, "open": "shown"}))]
    #[allow(dead_code, reason = "read by the schema only")]
    struct Mixed {
        secret: Sensitive<String>,
        #[schemars(example = &"shown")]
        open: String,
    }
    #[derive(MLModel)]
    struct MixedModel;
    impl Infer for MixedModel {
        type Input = Mixed;
        type Output = bool;
        type Error = std::convert::Infallible;
        fn infer(&self, _input: &Mixed) -> Result<bool, Self::Error> {
            Ok(true)
        }
    }
    let schema = MixedModel.input_schema().to_value();
    assert_eq!(schema["properties"]["open"]["examples"], json!(["shown"]));
    assert!(schema.get("examples").is_none(), "the example of the whole holds the secret");
}

/// Shapes in which schemas describe parts of a value.
#[test]
fn sensitive_parts_are_found_in_all_shapes() {
    use std::collections::BTreeMap;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "read by the schema only")]
    struct Shapes {
        map: BTreeMap<String, Sensitive<u8>>,
        list: Vec<Sensitive<u8>>,
        tuple: (u8, Sensitive<u8>),
        variant: Variant,
        tree: Tree,
        #[serde(flatten)]
        flat: Flat,
        any: Value,
    }
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "read by the schema only")]
    enum Variant {
        Open { name: String },
        Closed { name: Sensitive<String> },
    }
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "read by the schema only")]
    struct Tree {
        label: String,
        secret: Option<Sensitive<u8>>,
        children: Vec<Tree>,
    }
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "read by the schema only")]
    struct Flat {
        plain: u8,
        private: Sensitive<u8>,
    }
    let parts = SensitiveParts::of(&schemars::schema_for!(Shapes)).unwrap();
    let hidden_at = |path: &str| parts.hidden_at(path.split('.'));
    for (path, visible) in [
        ("map", 1),
        ("map.x", 2),
        ("map.x.y", 2),
        ("list.3", 2),
        ("tuple.1", 2),
        ("tuple", 1),
        ("variant", 1),
        ("variant.Closed.name", 3),
        ("tree.children.0.children.7.secret", 6),
        ("private", 1),
        ("unheard_of", 1),
    ] {
        assert_eq!(hidden_at(path), Some(visible), "{path}");
    }
    for path in ["tuple.0", "variant.Open.name", "tree.children.0.label", "plain", "any", "any.x"] {
        assert_eq!(hidden_at(path), None, "{path}");
    }
}

#[test]
fn sensitive_values_are_those_of_the_type_on_the_wire() {
    let input: Input = serde_json::from_value(body()).unwrap();
    assert_eq!(serde_json::to_value(&input).unwrap(), body());
    assert_eq!(input.ssn.expose(), SECRET);
    assert_eq!(format!("{:?}", input.ssn), "[REDACTED]");
    assert_eq!(Sensitive::from(3).into_exposed(), 3);
}

fn check(field: &str) -> Result<(), FieldError> {
    field.parse::<LoggedField>()?.check(&[], &RiskModel::bare_input_schema())
}

#[test]
fn sensitive_fields_of_a_configuration_need_a_policy() {
    for policy in [
        "redacted(ssn)",
        "hashed(nickname)",
        "bucketed(income, 1000)",
        "hashed(guardian.name)",
        "redacted(phones)",
        "redacted(guardian)",
        "bucketed(share, 0.1)",
        "age",
        "customer.name",
    ] {
        assert_eq!(check(policy), Ok(()), "{policy}");
    }
    let message = |field: &str| check(field).unwrap_err().to_string();
    assert_eq!(
        message("ssn"),
        "`ssn` is sensitive: write `redacted(ssn)` for \"[REDACTED]\" or `hashed(ssn)` for a keyed digest"
    );
    assert_eq!(
        message("income"),
        "`income` is sensitive: write `bucketed(income, 10)` for the lower bound of the number's bucket, \
         `redacted(income)` for \"[REDACTED]\" or `hashed(income)` for a keyed digest"
    );
    for sensitive in ["ssn as s", "nickname", "income", "customer.id", "guardian.name"] {
        assert!(message(sensitive).contains("is sensitive: write"), "{sensitive}");
    }
    assert_eq!(
        message("hash(ssn)"),
        "unknown policy `hash`; valid are `redacted`, `hashed`, `bucketed`"
    );
    assert_eq!(
        message("bucketed(age)"),
        "`bucketed` needs the width of its buckets, as in `bucketed(age, 10)`"
    );
    for width in ["0", "-1", "ten", "NaN", "inf"] {
        assert!(message(&format!("bucketed(age, {width})")).contains("expected a number above 0"));
    }
    assert_eq!(message("ssn as hashed"), "`hashed` is a policy: write `hashed(ssn)`");
    assert_eq!(message("age as bucketed"), "`bucketed` is a policy: write `bucketed(age, 10)`");
    assert_eq!(check("hashed(ssn) as hashed"), Ok(()));
    assert_eq!(message("hashed(ssn, 3)"), "`hashed` takes one field and nothing else");
    assert_eq!(
        message("bucketed(plan, 10)"),
        "`plan` is not a number and has no buckets: use `redacted` or `hashed`"
    );
    assert_eq!(
        message("bucketed(age, 0.5)"),
        "`age` is an integer: its buckets need a whole width, such as 10"
    );
    assert!(message("tags.len()").starts_with("`tags.len()` is not a field: expected"));
    for no_field in ["hashed()", "hashed(ssn as s)", "hashed(a b)", "hashed(ssn) x", "(ssn)"] {
        assert!(check(no_field).is_err(), "{no_field}");
    }
    assert!(check("hashed(sn)").unwrap_err().to_string().contains("unknown field `sn`"));
}

#[test]
fn the_text_form_of_a_field_keeps_its_policy() {
    for text in ["redacted(a.b)", "hashed(a) as b", "bucketed(a, 10)", "bucketed(a, 0.5) as b"] {
        let field: LoggedField = text.parse().unwrap();
        assert_eq!(field.to_string(), text);
        assert!(field.policy().is_some());
    }
    let field: LoggedField = "bucketed(a.b, 10)".parse().unwrap();
    assert_eq!(field.key(), "a.b");
}

#[test]
fn sensitive_values_that_the_schema_does_not_mark_are_found() {
    fn short(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 5})
    }

    #[derive(Deserialize, JsonSchema)]
    struct Ssn(#[allow(dead_code)] Sensitive<String>);

    #[derive(Deserialize, JsonSchema)]
    struct Flag(
        #[schemars(with = "bool")]
        #[allow(dead_code)]
        Sensitive<bool>,
    );

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    enum Payment {
        Cash,
        Card {
            #[schemars(with = "String")]
            number: Sensitive<String>,
        },
    }

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Person {
        marked: Sensitive<String>,
        open: Option<u8>,
        list: Vec<Sensitive<u32>>,
        pair: (Sensitive<u32>, u32),
        map: BTreeMap<String, Option<Sensitive<String>>>,
        newtype: Ssn,
        whole: Sensitive<Vec<String>>,
        #[schemars(range(min = 1))]
        ranged: Option<Sensitive<u32>>,
        #[schemars(with = "String", extend("x-sensitive" = true))]
        extended: Sensitive<String>,
        #[schemars(with = "Option<String>")]
        optional: Option<Sensitive<String>>,
        #[schemars(schema_with = "short")]
        function: Sensitive<String>,
        #[schemars(with = "u32")]
        other: Sensitive<String>,
        #[schemars(with = "Vec<u32>")]
        items: Vec<Sensitive<u32>>,
        #[schemars(with = "Vec<u32>")]
        all_items: Sensitive<Vec<u32>>,
        #[schemars(with = "BTreeMap<String, String>")]
        values: BTreeMap<String, Sensitive<String>>,
        flag: Flag,
        payment: Payment,
        parents: Vec<Person>,
    }

    let schema = schemars::schema_for!(Person);
    assert_eq!(
        unmarked_sensitive::<Person>(&schema),
        [
            "optional",
            "function",
            "other",
            "items.0",
            "all_items",
            "values.*",
            "flag",
            "payment.Card.number",
        ]
    );
}
