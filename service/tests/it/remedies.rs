//! Remedies for what is valid elsewhere: names of other keys, fields of the other side, decorators that no file names,
//! and a runtime inside an inline model.

use std::sync::Arc;

use crate::common::{ChargesModel, Gate, Running, log};
use ml_model_core::{Decorator, Infer, MLModel};
use ml_model_service::{Document, Service};

#[derive(Debug)]
struct Plain;

impl<M: MLModel> Decorator<M> for Plain {}

fn service() -> Service {
    Service::new("Test")
        .model(|| ChargesModel { gate: Arc::default() })
        .decorator("plain", || Plain)
}

/// Returns the mistakes in a file, without its name.
fn mistakes(yaml: &str) -> Vec<String> {
    let problems = service().configured(&Document::parse("f", yaml).unwrap()).unwrap_err();
    problems.to_string().lines().map(|line| line["f:1: ".len()..].to_owned()).collect()
}

/// Returns the mistakes in the decorators of the model, without the place of the list.
fn in_decorators(decorators: &str) -> Vec<String> {
    let yaml = format!("models: [{{qualified_name: charges_model, decorators: {decorators}}}]");
    let short = |line: String| line.replace("models[0].decorators", "");
    mistakes(&yaml).into_iter().map(short).collect()
}

#[test]
fn another_key_for_the_name_of_a_model_is_one_mistake() {
    for key in ["name", "model", "model_name"] {
        assert_eq!(
            mistakes(&format!("models: [{{{key}: charges_model}}]")),
            [format!("models[0]: unknown key `{key}`; did you mean `qualified_name`?")]
        );
    }
    let [_, key] = mistakes("models: [{name: charges_model, decorator: []}]").try_into().unwrap();
    assert!(key.ends_with("unknown key `decorator`; did you mean `decorators`?"), "{key}");
}

#[test]
fn a_level_in_place_of_the_logging_is_shown_as_a_mapping() {
    let [mistake] = mistakes("logging: INFO").try_into().unwrap();
    let (_, rest) = mistake.split_once("as in `").unwrap();
    let (example, rest) = rest.split_once("`, found text; ").unwrap();
    assert!(rest.contains("`RUST_LOG` sets the level"), "{mistake}");
    let document = Document::parse("f", &format!("logging: {example}")).unwrap();
    assert!(service().configured(&document).is_ok(), "{example}");
}

#[test]
fn a_decorator_that_is_not_registered_is_registered_by_name() {
    assert_eq!(
        in_decorators("[quota: {limit: 10}]"),
        [
            "[0]: unknown decorator `quota`; valid are `prediction_id`, `logging`, `metrics`, `plain`; for one of the \
             program's own, call `Service::decorator(\"quota\", ...)` in its `main`"
        ]
    );
}

#[test]
fn a_field_of_the_other_side_leads_to_the_other_list() {
    assert_eq!(
        in_decorators("[logging: {input_fields: [age, charges], output_fields: [redacted(bmi)]}]"),
        [
            "[0].logging.input_fields[1]: `charges` is a field of the output: list it in `output_fields`",
            "[0].logging.output_fields[0]: `redacted(bmi)` is a field of the input: list it in `input_fields`",
        ]
    );
}

#[test]
fn decorators_that_no_model_has_are_logged() {
    let unused = |service: Service, yaml: &str| {
        let service = Running::serve(service, yaml, Arc::default());
        service.wait_until("/api/health/ready", 200);
        let unused = |name: &str| log().iter().any(|record| record["decorators"] == name);
        unused("unlisted") && !unused("plain")
    };
    let yaml = "models: [{qualified_name: charges_model, decorators: [plain]}]";
    assert!(unused(service().decorator("unlisted", || Plain), yaml));
}

/// Doubles a number in a runtime of its own.
#[derive(MLModel)]
#[ml_model(execution = inline)]
#[decorate(prediction_id)]
struct RuntimeModel;

impl Infer for RuntimeModel {
    type Input = f64;
    type Output = f64;
    type Error = std::io::Error;

    fn infer(&self, input: &f64) -> std::io::Result<f64> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(runtime.block_on(async { 2.0 * input }))
    }
}

#[test]
fn an_inline_model_that_drives_a_runtime_is_logged() {
    let service = Service::new("Runtimes").model(|| RuntimeModel);
    let service = Running::serve(service, "", Arc::<Gate>::default());
    service.wait_until("/api/health/ready", 200);
    for _ in 0..2 {
        let path = "/api/models/runtime_model/prediction";
        assert_eq!(service.post(path, "application/json", b"1.5").status, 500);
    }
    let mut warnings = log();
    warnings.retain(|record| {
        record["levelname"] == "WARNING" && record["model_qualified_name"] == "runtime_model"
    });
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    let message = warning["message"].as_str().unwrap();
    assert!(message.contains("Remove `execution = inline`"), "{message}");
}
