//! What becomes of the fields of several models, and why a program may have no single description.

use ml_logging::{Configuration, EcsFormatter, EcsKeys, Handler, JsonFormatter};
use ml_model_core::{Infer, MLModel, ModelRegistry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::DescribeError;
use super::{DescribedRecords, elasticsearch, grafana, kibana, opensearch, prometheus};
use crate::info::Info;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Input {
    count: u32,
    total: u64,
    ratio: f64,
    user: String,
    #[serde(rename = "kundennummer")]
    customer: String,
    inner: Inner,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Inner {
    zip: String,
}

#[derive(Serialize, JsonSchema)]
struct Output {
    score: f64,
    class: String,
}

/// A model whose records hold these fields.
macro_rules! model {
    ($name:ident, [$($input:tt)*], [$($output:tt)*]) => {
        #[derive(MLModel)]
        #[decorate(prediction_id)]
        #[decorate(logging(input_fields = [$($input)*], output_fields = [$($output)*]))]
        struct $name;

        impl Infer for $name {
            type Input = Input;
            type Output = Output;
            type Error = std::convert::Infallible;

            fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
                Ok(Output { score: input.ratio, class: input.user.clone() })
            }
        }
    };
}

model!(First, ["count", "total", "user", "inner.zip"], ["score"]);
model!(Second, ["ratio as count"], ["score", "class"]);
model!(TextUnderSameKey, ["user as count"], ["score"]);
model!(ObjectUnderSameKey, ["count as inner"], ["score"]);
model!(Renamed, ["customer"], ["score"]);

fn keys(formatter: EcsFormatter) -> Vec<EcsKeys> {
    Configuration::new().handler(Handler::stdout("stdout").formatter(formatter)).ecs_keys()
}

fn described(registry: &ModelRegistry) -> Result<DescribedRecords, DescribeError> {
    DescribedRecords::new(&Info::new("The Score-Service!"), registry, &keys(EcsFormatter::new()))
}

fn registry() -> ModelRegistry {
    let mut registry = ModelRegistry::new();
    registry.add(First).expect("its name is its own");
    registry.add(Second).expect("its name is its own");
    registry
}

fn error_with(model: impl FnOnce(&mut ModelRegistry)) -> String {
    let mut registry = registry();
    model(&mut registry);
    described(&registry).expect_err("the models do not fit together").to_string()
}

/// The mapping of the field at `key`.
fn mapping<'t>(template: &'t Value, key: &str) -> &'t Value {
    let path = key.replace('.', "/properties/");
    template.pointer(&format!("/template/mappings/properties/{path}")).unwrap_or(&Value::Null)
}

#[test]
fn one_template_has_the_fields_of_all_models() {
    let records = described(&registry()).expect("the models fit together");
    assert_eq!(records.service, "the_score_service");
    let template = elasticsearch::index_template(&records);
    assert_eq!(
        template["index_patterns"],
        json!(["logs-first-*", "logs-second-*", "logs-the_score_service-*"])
    );
    // A whole number in one model, any number in the other.
    assert_eq!(mapping(&template, "count")["type"], "double");
    assert_eq!(mapping(&template, "total"), &json!({"type": "long", "ignore_malformed": true}));
    assert_eq!(mapping(&template, "inner.zip")["type"], "keyword");
    // A name that the Elastic Common Schema has for an object.
    assert_eq!(mapping(&template, "fields.user")["type"], "keyword");
    assert_eq!(mapping(&template, "event.duration")["type"], "long");
    assert_eq!(mapping(&template, "error.message.fields"), &Value::Null);
    assert_eq!(mapping(&template, "error.message")["fields"]["keyword"]["type"], "keyword");
    assert_eq!(records.numeric_outputs, ["score"]);
}

#[test]
fn what_the_formatter_adds_and_leaves_out_counts() {
    let formatter = EcsFormatter::new()
        .service_name("scores")
        .static_field("replica", 3)
        .exclude_field("process");
    let records = DescribedRecords::new(&Info::new("Scores"), &registry(), &keys(formatter))
        .expect("it fits");
    let template = elasticsearch::index_template(&records);
    assert_eq!(mapping(&template, "service.name")["type"], "keyword");
    assert_eq!(mapping(&template, "replica")["type"], "long");
    assert_eq!(mapping(&template, "process"), &Value::Null);
}

#[test]
fn a_key_with_two_types_is_a_mistake_with_its_remedy() {
    let error = error_with(|registry| registry.add(TextUnderSameKey).expect("its name is its own"));
    assert_eq!(
        error,
        "`count` has one type in the input of `first` and another one in the input of \
         `text_under_same_key`: rename one of them, as in `count as other_name`"
    );
    let error =
        error_with(|registry| registry.add(ObjectUnderSameKey).expect("its name is its own"));
    assert_eq!(
        error,
        "`inner.zip` makes an object of `inner`, which is a value as well: rename one of them, as in \
         `inner.zip as other_name`"
    );
}

#[test]
fn a_field_that_the_schema_does_not_name_is_a_mistake_with_its_remedy() {
    let error = error_with(|registry| registry.add(Renamed).expect("its name is its own"));
    assert!(
        error.starts_with("the type of `customer` in the input of `renamed` is not known"),
        "{error}"
    );
    assert!(error.contains("by the names in the JSON"), "{error}");
}

#[test]
fn records_in_another_form_are_not_described() {
    let handler = Handler::stdout("stdout").formatter(JsonFormatter::default());
    let keys = Configuration::new().handler(handler).ecs_keys();
    let error = DescribedRecords::new(&Info::new("Scores"), &registry(), &keys);
    assert!(matches!(error, Err(DescribeError::NoEcs)), "{error:?}");
    let keys = self::keys(EcsFormatter::new().exclude_field("status"));
    let error = DescribedRecords::new(&Info::new("Scores"), &registry(), &keys);
    assert!(matches!(error, Err(DescribeError::Excluded { field: "status" })), "{error:?}");
}

/// All texts and all keys in `value`, those in embedded JSON included.
fn walk(value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                found.push((name.clone(), member.clone()));
                walk(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::String(text) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                walk(&inner, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_field_of_a_panel_is_in_the_template() {
    let records = described(&registry()).expect("the models fit together");
    let template = elasticsearch::index_template(&records);
    for objects in [kibana::saved_objects(&records), opensearch::saved_objects(&records)] {
        let mut found = Vec::new();
        walk(&objects.into(), &mut found);
        let fields: Vec<&str> = found
            .iter()
            .filter(|(name, _)| {
                ["sourceField", "fieldName", "field", "timeFieldName"].contains(&&**name)
            })
            .filter_map(|(_, value)| value.as_str())
            .filter(|field| *field != "___records___")
            .collect();
        assert!(fields.len() > 10, "{fields:?}");
        for field in fields {
            let (field, is_grouped) = match field.strip_suffix(".keyword") {
                Some(field) => (field, true),
                None => (field, false),
            };
            let mapping = mapping(&template, field);
            assert!(mapping["type"].is_string(), "{field} is not in the template");
            assert!(!is_grouped || mapping["fields"]["keyword"].is_object(), "{field}");
        }
    }
}

#[test]
fn every_reference_of_a_saved_object_leads_to_one() {
    let records = described(&registry()).expect("the models fit together");
    for objects in [kibana::saved_objects(&records), opensearch::saved_objects(&records)] {
        let of = |object: &Value| (object["type"].clone(), object["id"].clone());
        let mut known = Vec::new();
        for object in &objects {
            for reference in object["references"].as_array().expect("each object has references") {
                assert!(known.contains(&of(reference)), "{reference} leads nowhere");
            }
            assert!(!known.contains(&of(object)), "{} stands twice", object["id"]);
            known.push(of(object));
        }
    }
}

#[test]
fn both_products_get_the_same_panels() {
    let records = described(&registry()).expect("the models fit together");
    let titles = |objects: Vec<Value>| -> Vec<String> {
        let dashboard = objects.iter().find(|object| object["type"] == "dashboard");
        let panels = dashboard.expect("there is one")["attributes"]["panelsJSON"].clone();
        let panels: Value =
            serde_json::from_str(panels.as_str().expect("it is a text")).expect("JSON");
        let panels = panels.as_array().expect("a list").clone();
        panels
            .iter()
            .map(|panel| panel["panelIndex"].as_str().expect("a text").to_owned())
            .collect()
    };
    let mut of_opensearch = titles(opensearch::saved_objects(&records));
    // The control is a part of the dashboard in Kibana, and a panel here.
    assert_eq!(of_opensearch.remove(0), "search-by-prediction-id");
    assert_eq!(titles(kibana::saved_objects(&records)), of_opensearch);
}

#[test]
fn queries_on_metrics_select_the_models_of_the_program() {
    let records = described(&registry()).expect("the models fit together");
    let rules = prometheus::rules(&records, "https://example.com/runbook").to_string();
    assert!(rules.contains("model=~\\\"first|second\\\""), "{rules}");
    assert!(rules.contains("https://example.com/runbook#logrecordslost"), "{rules}");
    assert!(rules.contains("model_service_ready{service=\\\"the_score_service\\\"}"), "{rules}");
    let dashboard = grafana::dashboard(&records).to_string();
    assert!(dashboard.contains("model=~\\\"first|second\\\""), "{dashboard}");
}
