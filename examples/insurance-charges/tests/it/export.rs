//! The command `export`: its files depend on the logged fields.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::demo::command;

fn export(what: &str, directory: &Path, configuration: Option<&str>) -> Output {
    let mut command = command();
    command.current_dir(directory).args(["export", what, "--output-dir", "exported/files"]);
    if let Some(text) = configuration {
        let file = directory.join("rest_config.yaml");
        fs::write(&file, text).unwrap();
        command.env("REST_CONFIG", file);
    }
    command.output().unwrap()
}

const FILES: [(&str, &[&str]); 5] = [
    ("elasticsearch", &["index-template.json", "lifecycle.json"]),
    ("kibana", &["dashboard.kibana.ndjson"]),
    ("opensearch", &["dashboard.opensearch.ndjson"]),
    ("grafana", &["dashboard.grafana.json"]),
    ("prometheus", &["rules.yaml", "prometheus-rule.yaml"]),
];

#[test]
fn all_files_are_written_without_a_configuration() {
    let directory = tempfile::tempdir().unwrap();
    for (what, names) in FILES {
        let output = export(what, directory.path(), None);
        assert!(output.status.success(), "{output:?}");
        let expected: String =
            names.iter().map(|name| format!("exported/files/{name}\n")).collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        for name in names {
            let text =
                fs::read_to_string(directory.path().join("exported/files").join(name)).unwrap();
            assert!(
                text.contains("insurance_charges_model") || *name == "lifecycle.json",
                "{text}"
            );
            if !name.ends_with(".yaml") {
                let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
                assert!(values.map(Result::unwrap).count() > 0, "{name} is empty");
            }
        }
    }
}

#[test]
fn logged_fields_determine_template_and_dashboards() {
    let directory = tempfile::tempdir().unwrap();
    let text = |name: &str| {
        fs::read_to_string(directory.path().join("exported/files").join(name)).unwrap()
    };
    let configuration = |field: &str| {
        format!(
            "models:\n  - qualified_name: insurance_charges_model\n    decorators:\n      \
             - prediction_id\n      - logging: {{input_fields: [{field}], output_fields: [charges as price]}}\n\
             logging:\n  version: 1\n  formatters: {{ecs: {{class: EcsFormatter}}}}\n  \
             filters: {{pod: {{class: EnvironmentInfoFilter, env_variables: [POD_NAME]}}}}\n  \
             handlers: {{out: {{class: StreamHandler, formatter: ecs, filters: [pod]}}}}\n  \
             root: {{level: INFO, handlers: [out]}}\n"
        )
    };
    for what in ["elasticsearch", "kibana", "opensearch"] {
        let output = export(what, directory.path(), Some(&configuration("region")));
        assert!(output.status.success(), "{output:?}");
    }
    let template: Value = serde_json::from_str(&text("index-template.json")).unwrap();
    let properties = &template["template"]["mappings"]["properties"];
    assert_eq!(properties["region"]["type"], "keyword");
    assert_eq!(properties["price"]["type"], "double");
    assert_eq!(properties["pod_name"]["type"], "keyword");
    assert!(properties.get("age").is_none() && properties.get("charges").is_none(), "{properties}");
    for name in ["dashboard.kibana.ndjson", "dashboard.opensearch.ndjson"] {
        let text = text(name);
        for expected in ["Distribution of price", "region", "pod_name"] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
        assert!(!text.contains("bmi") && !text.contains("charges\\\""), "{text}");
    }
}

#[test]
fn errors_have_a_remedy_and_leave_no_files() {
    let directory = tempfile::tempdir().unwrap();
    let output = export(
        "elasticsearch",
        directory.path(),
        Some(
            "logging: {version: 1, handlers: {out: {class: StreamHandler}}, root: {handlers: [out]}}",
        ),
    );
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("give one a formatter of the class `EcsFormatter`"), "{error}");
    assert!(!directory.path().join("exported").exists());

    fs::write(directory.path().join("exported"), "a file").unwrap();
    let output = export("elasticsearch", directory.path(), Some(""));
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: cannot write `exported/files`: "), "{error}");
}
