//! The start of a program: its command line, its environment, and what keeps it from serving.

use std::io::BufRead as _;
use std::process::{ExitCode, Output};

use ml_model_service::Service;
use serde_json::Value;

/// Runs the programs whose `main` is mistaken.
pub(crate) fn main(mistake: &str) -> Option<ExitCode> {
    let service = Service::new("Mistaken Service");
    match mistake {
        "no model" => Some(service.main()),
        "async main" => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            Some(runtime.block_on(async { service.model(crate::RuntimeModel::load).main() }))
        }
        "logging" => {
            let _logging = ml_model_service::ml_logging::builder().init().unwrap();
            Some(service.model(crate::RuntimeModel::load).main())
        }
        _ => None,
    }
}

/// Returns the lines on standard error of a program that must fail.
fn failure(name: &str, arguments: &[&str]) -> Vec<String> {
    let output = crate::command(name, arguments).output().unwrap();
    assert!(!output.status.success(), "{name} {arguments:?}");
    lines(&output.stderr)
}

fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8(text.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

pub(crate) fn mistaken_mains_are_refused_with_a_remedy() {
    let no_models =
        ["error: the program has no models; add one with `Service::model` before `main`"];
    assert_eq!(failure("no model", &[]), no_models);
    assert_eq!(failure("no model", &["check-config"]), no_models);

    let [runtime] = failure("async main", &[]).try_into().unwrap();
    assert!(runtime.contains("`main` that is not `async`"), "{runtime}");
    let check = crate::command("async main", &["check-config"]).output().unwrap();
    assert!(check.status.success(), "{check:?}");

    let [logging] = failure("logging", &[]).try_into().unwrap();
    assert!(logging.contains("remove the program's own set-up"), "{logging}");
}

pub(crate) fn guessed_commands_work_or_name_the_option() {
    let (mut program, records) = crate::start("served", &["serve"]);
    let mut records = records.lines().map(|line| line.unwrap().parse::<Value>().unwrap());
    records.find(|record| record["message"] == "All models are loaded.").unwrap();
    program.kill().unwrap();
    program.wait().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.yaml");
    std::fs::write(&path, "metrics: {enabled: true}").unwrap();
    let path = path.to_str().unwrap();
    let output = crate::command("served", &["check-config", path]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(lines(&output.stdout)[0].starts_with(&format!("{path} is valid")), "{output:?}");
    let both = failure("served", &["check-config", path, "--config", path]);
    assert!(both[0].contains("cannot be used with"), "{both:?}");

    let port = failure("served", &["--port", "8080"]).join("\n");
    assert!(port.contains("write `--address 127.0.0.1:8080`"), "{port}");
}

pub(crate) fn misspelt_variables_are_reported() {
    let warnings = |variables: &[&str]| {
        let mut command = crate::command("served", &["check-config"]);
        for variable in variables {
            command.env(variable, "x");
        }
        let Output { status, stderr, .. } = command.output().unwrap();
        assert!(status.success());
        lines(&stderr)
    };
    assert_eq!(
        warnings(&["ML_SERVICE_ADRESS", "ML_LOG_HASHKEY", "ML_SERVICE_SERVER__ADDRESS"]),
        [
            "warning: unknown environment variable ML_LOG_HASHKEY; did you mean ML_LOG_HASH_KEY?",
            "warning: unknown environment variable ML_SERVICE_ADRESS; did you mean ML_SERVICE_ADDRESS?",
            "warning: unknown environment variable ML_SERVICE_SERVER__ADDRESS; did you mean \
             ML_SERVICE__SERVER__ADDRESS?",
        ]
    );
    // Those of a Kubernetes service.
    let kubernetes = ["ML_SERVICE_PORT", "ML_SERVICE_SERVICE_HOST", "ML_SERVICE_PORT_80_TCP_ADDR"];
    assert_eq!(warnings(&kubernetes), [""; 0]);
}
