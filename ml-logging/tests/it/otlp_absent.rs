//! Reports of a program without the feature `opentelemetry` for configurations that require it.

use crate::support::child;
use ml_configuration::{Document, Problems};
use ml_logging::{Configuration, Filters};

#[test]
fn a_handler_in_a_file_is_refused_with_the_remedy() {
    let yaml = r#"
version: 1
handlers: {otlp: {class: OtlpHandler, endpoint: "http://localhost:4318"}}
root: {level: INFO, handlers: [otlp]}
"#;
    let document = Document::parse("f", yaml).unwrap();
    let mut problems = Problems::new();
    assert!(Configuration::read(document.root(), &Filters::new(), &mut problems).is_none());
    assert_eq!(
        problems.to_string(),
        "f:3: handlers.otlp.class: this program is built without OTLP; build it with the feature \
         `opentelemetry` of `ml-logging` or `ml-model-service`, or remove the handler"
    );
}

/// Returns the reports of such a program on standard error.
fn said(test: &str, variables: &[(&str, &str)]) -> Option<String> {
    let output = child(test, variables, || {
        let _logging = ml_logging::builder().init().unwrap();
    })?;
    let text = String::from_utf8(output.stderr).unwrap();
    Some(text.lines().filter(|line| line.starts_with("ml-logging: ")).collect())
}

#[test]
fn a_variable_without_effect_is_reported() {
    let variables = [("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://localhost:4318/v1/logs")];
    let Some(said) = said("otlp_absent::a_variable_without_effect_is_reported", &variables) else {
        return;
    };
    assert_eq!(
        said,
        "ml-logging: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT is set, but this program is built without the \
         feature `opentelemetry`: nothing is exported"
    );
}

#[test]
fn nothing_is_reported_if_the_environment_turns_the_export_off() {
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"), ("OTEL_SDK_DISABLED", "true")];
    let test = "otlp_absent::nothing_is_reported_if_the_environment_turns_the_export_off";
    let Some(said) = said(test, &variables) else { return };
    assert_eq!(said, "");
}
