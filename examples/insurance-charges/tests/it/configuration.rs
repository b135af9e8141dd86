//! The demo with configuration files: those of Python services, short ones and ones with mistakes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::demo::{Demo, PUBLISHED, command};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn keys(record: &Value) -> Vec<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Returns the two records of one prediction by the demo with this configuration.
fn records(name: &str, answer_has_id: bool) -> [Value; 2] {
    let path = fixture(name);
    let mut demo = Demo::start_with(&[
        ("REST_CONFIG", path.to_str().unwrap()),
        ("NODE_IP", "10.0.0.7"),
        ("POD_NAME", "pod-1"),
    ]);
    let (status, answer) = demo.predict(PUBLISHED);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer.get("prediction_id").is_some(), answer_has_id, "{answer}");
    let requested = demo.record_with(|record| record["message"] == "Prediction requested.");
    let created = demo.record_with(|record| record["message"] == "Prediction created.");
    for record in [&requested, &created] {
        assert_eq!(record["pathname"], path.to_str().unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        let line = text.lines().nth(record["lineno"].as_u64().unwrap() as usize - 1).unwrap();
        assert!(line.contains("LoggingDecorator") || line.contains("- logging:"), "{line}");
    }
    [requested, created]
}

const HEAD: [&str; 3] = ["action", "model_qualified_name", "model_version"];
const OUTCOME: [&str; 2] = ["status", "duration_ms"];

#[test]
fn the_logging_decorator_without_fields() {
    let [requested, created] = records("1-logging.yaml", false);
    let context = ["asctime", "node_ip", "name", "pathname", "lineno", "levelname", "message"];
    assert_eq!(keys(&requested), [&context[..], &HEAD].concat());
    assert_eq!(keys(&created), [&context[..], &HEAD, &OUTCOME].concat());
    assert_eq!(requested["node_ip"], "10.0.0.7");
}

#[test]
fn the_logging_decorator_with_fields() {
    let [requested, created] = records("2-fields.yaml", false);
    let context = [
        "asctime",
        "hostname",
        "node_ip",
        "process",
        "thread",
        "pathname",
        "lineno",
        "levelname",
        "message",
    ];
    assert_eq!(keys(&requested), [&context[..], &HEAD, &["age", "bmi"]].concat());
    assert_eq!(keys(&created), [&context[..], &HEAD, &OUTCOME, &["charges"]].concat());
    assert_eq!((&requested["age"], requested["bmi"].to_string()), (&65.into(), "50.0".to_owned()));
}

#[test]
fn the_prediction_id_and_logging_decorators_in_both_spellings() {
    for name in ["3-prediction-id.yaml", "short.yaml"] {
        let [requested, created] = records(name, true);
        let context = [
            "asctime",
            "hostname",
            "pod_name",
            "node_name",
            "process",
            "thread",
            "pathname",
            "lineno",
            "levelname",
            "message",
        ];
        let id = ["prediction_id"];
        assert_eq!(keys(&requested), [&context[..], &HEAD, &id, &["age", "bmi"]].concat());
        assert_eq!(keys(&created), [&context[..], &HEAD, &id, &OUTCOME, &["charges"]].concat());
        assert_eq!(requested["prediction_id"], created["prediction_id"]);
        assert_eq!(
            (&requested["pod_name"], &requested["node_name"]),
            (&"pod-1".into(), &"N/A".into())
        );
    }
}

#[test]
fn the_elastic_common_schema_with_the_trace_of_the_request() {
    let path = fixture("ecs.yaml");
    let mut demo = Demo::start_with(&[("REST_CONFIG", path.to_str().unwrap())]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n");
    let (status, answer) = demo.predict_with(&header, PUBLISHED);
    assert_eq!(status, 200, "{answer}");
    let created = demo.record_with(|record| record["message"] == "Prediction created.");
    assert_eq!(created["trace.id"], trace);
    assert_eq!(created["span.id"], "00f067aa0ba902b7");
    assert_eq!(created["service.name"], "insurance");
    assert_eq!(created["prediction_id"], answer["prediction_id"]);
    assert_eq!(created["log.logger"], "insurance_charges_model_logger");
    assert!(created["event.duration"].is_u64(), "{created}");
    assert!(created.get("duration_ms").is_none() && created.get("trace_id").is_none(), "{created}");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let path = fixture("mistakes.yaml");
    for arguments in [&["check-config"][..], &[]] {
        let output =
            command().args(arguments).env("REST_CONFIG", &path).env("PORT", "0").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!errors.contains("not-to-be-shown"), "{errors}");
        let shown = errors.replace(path.to_str().unwrap(), "mistakes.yaml");
        expect_test::expect_file!["../fixtures/mistakes.stderr"].assert_eq(&shown);
    }
}

#[test]
fn a_valid_file_is_summarised() {
    let output = command()
        .arg("check-config")
        .args(["--configuration_file".as_ref(), fixture("short.yaml").as_os_str()])
        .output()
        .unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains(
            "short.yaml is valid: Insurance Charges Model Service, 1 model\n  API keys: none\n"
        ),
        "{printed}"
    );
    assert!(printed.contains("insurance_charges_model: 2 configured decorators"), "{printed}");
}

#[test]
fn the_error_on_a_missing_file_contains_its_name() {
    let output = command().env("REST_CONFIG", "nowhere.yaml").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("nowhere.yaml"), "{error}");
}

#[test]
fn the_environment_overrides_scalars() {
    let path = fixture("short.yaml");
    let demo = Demo::start_with(&[
        ("REST_CONFIG", path.to_str().unwrap()),
        ("ML_SERVICE__MODELS__0__CREATE_ENDPOINT", "false"),
    ]);
    assert_eq!(demo.predict(PUBLISHED).0, 404);

    let output = command()
        .arg("check-config")
        .env("REST_CONFIG", &path)
        .env("ML_SERVICE__MODELS__0__CREATE_ENDPONT", "false")
        .env("ML_SERVICE__SERVER__BODY_LIMIT_BYTES", "hunter2")
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert!(errors.contains("ML_SERVICE__MODELS__0__CREATE_ENDPONT"), "{errors}");
    assert!(errors.contains("did you mean `create_endpoint`?"), "{errors}");
    assert!(!errors.contains("hunter2"), "{errors}");
}

/// Returns the success, output and errors of `check-config` in a folder with these variables.
fn checked(folder: &Path, variables: &[(&str, &str)]) -> (bool, String, String) {
    let mut command = command();
    command.current_dir(folder).arg("check-config").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn without_a_file_the_defaults_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    // Empty variables are ignored.
    let empty = [("REST_CONFIG", ""), ("ML_SERVICE_ADDRESS", ""), ("RUST_LOG", "")];
    for variables in [&[][..], &empty] {
        let (success, printed, errors) = checked(folder.path(), variables);
        assert!(success, "{errors}");
        let begins = "there is no rest_config.yaml here; the registered models are valid: \
                      Insurance Charges Model Service, 1 model\n  API keys: none\n";
        assert!(printed.starts_with(begins), "{printed}");
    }
}

#[test]
fn mistakes_in_the_environment_and_in_the_file_are_reported_together() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rest_config.yaml"), "metrics: {enabled: sure}\n").unwrap();
    let variables = [
        ("ML_SERVICE_ADDRESS", "example.com:8000"),
        ("ML_SERVICE__MODELS__0__CREATE_ENDPOINT", "false"),
        ("ML_SERVICE__SERVER__API_KEYS", ""),
        ("RUST_LOG", "loud,hyper=inof"),
    ];
    let (success, printed, errors) = checked(folder.path(), &variables);
    assert!(!success && printed.is_empty(), "{printed}");
    let mut lines = errors.lines();
    assert_eq!(
        lines.next().unwrap(),
        "error: environment variable ML_SERVICE_ADDRESS: expected an IP address or `localhost`, and a \
         port, as in `127.0.0.1:8000`"
    );
    let log = lines.next().unwrap();
    assert!(log.contains("RUST_LOG") && log.contains("`loud` is not a level"), "{log}");
    assert!(log.contains("directive `hyper=inof`"), "{log}");
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "error: rest_config.yaml:1: metrics.enabled: expected true or false, found text",
            "error: environment variable ML_SERVICE__MODELS__0__CREATE_ENDPOINT: the file has no \
             list `models`; write its items in the file, because variables cannot add items",
            "error: environment variable ML_SERVICE__SERVER__API_KEYS: server.api_keys: `api_keys` \
             is empty; write `file:` with a path or `environment:` with the name of a variable below it, or remove the key to serve without API keys",
        ]
    );
}

#[test]
fn log_files_cannot_overwrite_files_that_the_service_reads() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = (folder.path().join("rest_config.yaml"), folder.path().join("keys"));
    fs::write(&keys, "0123456789abcdef0123456789abcdef\n").unwrap();
    for (log, read) in [
        ("rest_config.yaml", "the configuration file"),
        ("./keys", "the file of API keys"),
        ("key", "the file of admin keys"),
    ] {
        let text = format!(
            "server: {{api_keys: {{file: keys}}, admin_keys: {{file: key.1}}}}\n\
             logging:\n  version: 1\n  \
             handlers: {{h: {{class: RotatingFileHandler, mode: w, filename: {log}}}}}\n  \
             root: {{handlers: [h]}}\n"
        );
        fs::write(&path, &text).unwrap();
        for arguments in [&["check-config"][..], &[]] {
            let output = command().current_dir(folder.path()).args(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let errors = String::from_utf8(output.stderr).unwrap();
            let expected = format!(
                "error: rest_config.yaml:4: logging.handlers.h.filename: the log would overwrite {read}, \
                 or its rotation would; name another file\n"
            );
            assert!(errors.contains(&expected), "{errors}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::read_to_string(&keys).unwrap().len(), 33);
    }
}

#[test]
fn records_of_predictions_that_no_handler_receives_are_reported_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let remedy = "give that logger or `root` a handler, as in `root: {level: INFO, handlers: [...]}`, or a \
                  NullHandler if they are not wanted\n";
    let exact = format!(
        "error: rest_config.yaml:2: logging: no handler receives the records of predictions by \
         `insurance_charges_model`, whose target is `insurance_charges_model_logger`; {remedy}"
    );
    let likely = format!(
        "warning: no handler receives the records of predictions by `insurance_charges_model` if their \
         target is the default, `insurance_charges_model_logger`; {remedy}"
    );
    let configured =
        "models: [{qualified_name: insurance_charges_model, decorators: [logging: {}]}]";
    let compiled = "models: [{qualified_name: insurance_charges_model}]";
    for (models, loggers, expected) in [
        (configured, "{uvicorn: {handlers: [h]}}", &*exact),
        (compiled, "{uvicorn: {handlers: [h]}}", &likely),
        (
            configured,
            "{insurance_charges_model_logger: {propagate: false}, root: {handlers: [h]}}",
            &exact,
        ),
        (configured, "{uvicorn: {}, root: {handlers: [h]}}", ""),
        (configured, "{uvicorn: {handlers: [h]}, root: {handlers: [no]}}", ""),
        (compiled, "{insurance_charges_model_logger: {handlers: [h]}}", ""),
        // The filter keeps them out.
        (configured, "{root: {handlers: [some]}}", &exact),
    ] {
        let text = format!(
            "{models}\nlogging: {{version: 1, filters: {{f: {{name: uvicorn}}}}, handlers: {{\
             h: {{class: StreamHandler}}, no: {{class: logging.NullHandler}}, \
             some: {{class: StreamHandler, filters: [f]}}}}, loggers: {loggers}}}\n"
        );
        fs::write(folder.path().join("rest_config.yaml"), text).unwrap();
        let (success, _, errors) = checked(folder.path(), &[]);
        assert_eq!(errors, expected, "{models} {loggers}");
        assert_eq!(success, expected != exact);
    }
}

#[test]
fn the_address_flag_is_checked_and_overrides_the_variable() {
    let flag = |address| {
        let mut command = command();
        command.args(["--address", address, "check-config", "--config"]).arg(fixture("short.yaml"));
        command.env("ML_SERVICE_ADDRESS", "foo").output().unwrap()
    };
    let errors = String::from_utf8(flag("example.com:8000").stderr).unwrap();
    let expected = "'--address <IP:PORT>': expected an IP address or `localhost`, and a port, as in \
                    `127.0.0.1:8000`";
    assert!(errors.contains(expected), "{errors}");
    assert!(flag("127.0.0.1:0").status.success());
    assert!(flag("localhost:0").status.success());
}

#[test]
fn a_broken_link_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("rest_config.yaml");
    std::os::unix::fs::symlink("..data/rest_config.yaml", link).unwrap();
    let (success, _, errors) = checked(folder.path(), &[]);
    assert!(!success);
    assert!(
        errors.contains("rest_config.yaml: this link points to a file that does not exist"),
        "{errors}"
    );
}

#[test]
fn the_check_prints_the_number_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("KEYS", "0123456789abcdef, fedcba9876543210"),
        ("ML_SERVICE__SERVER__API_KEYS__ENVIRONMENT", "KEYS"),
    ];
    let (success, printed, errors) = checked(folder.path(), &variables);
    assert!(success, "{errors}");
    assert!(printed.contains("\n  API keys: 2\n") && !printed.contains("0123456789"), "{printed}");
    assert!(!printed.contains("admin"), "{printed}");
    let variables = [variables[0], ("ML_SERVICE__SERVER__ADMIN_KEYS__ENVIRONMENT", "KEYS")];
    let (success, printed, errors) = checked(folder.path(), &variables);
    assert!(success, "{errors}");
    assert!(printed.contains("\n  API keys: none\n  admin keys: 2\n"), "{printed}");
}

#[test]
fn log_files_that_cannot_be_opened_are_reported_and_others_stay_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name| folder.path().join(name);
    fs::write(file("kept.log"), "kept\n").unwrap();
    fs::write(
        file("rest_config.yaml"),
        "models: [{qualified_name: insurance_charges_modl}]
logging:
  version: 1
  handlers:
    kept: {class: FileHandler, filename: kept.log, mode: w}
    new: {class: FileHandler, filename: new.log}
    nowhere: {class: FileHandler, filename: nowhere/x.log}
    folder: {class: FileHandler, filename: .}
  root: {level: INFO, handlers: [kept, new, nowhere, folder]}
",
    )
    .unwrap();
    for arguments in [&["check-config"][..], &["--address", "127.0.0.1:0"]] {
        let output = command().current_dir(folder.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "error: rest_config.yaml:1: models[0].qualified_name: unknown model \
             `insurance_charges_modl`; did you mean `insurance_charges_model`?\n\
             error: rest_config.yaml:7: logging.handlers.nowhere.filename: the folder `nowhere` does \
             not exist in the working directory; create it, or name another file\n\
             error: rest_config.yaml:8: logging.handlers.folder.filename: this is a folder; name a file \
             in it\n"
        );
        assert_eq!(std::fs::read_to_string(file("kept.log")).unwrap(), "kept\n");
        assert!(!file("new.log").exists());
    }
}

#[test]
fn the_openapi_document_does_not_need_the_log_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = "logging:
  version: 1
  handlers: {file: {class: FileHandler, filename: nowhere/x.log}}
  root: {handlers: [file]}
";
    fs::write(folder.path().join("rest_config.yaml"), text).unwrap();
    let (success, _, errors) = checked(folder.path(), &[]);
    assert!(!success && errors.contains("rest_config.yaml:3: logging.handlers.file.filename: "));
    let output = command().current_dir(folder.path()).arg("generate-openapi").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"Wrote the OpenAPI document to openapi.yaml\n");
    assert!(folder.path().join("openapi.yaml").exists());
}
