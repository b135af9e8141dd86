//! A filter of the program's own in the log of a service that runs as a program. This test is that
//! program, too.

#![allow(clippy::unwrap_used, reason = "all of this is a test")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Command, ExitCode, Stdio},
};

use ml_model_service::{ContextFilter, Document, Service};
use serde_json::Value;

/// Says which release this is.
struct ReleaseFilter(String);

impl ContextFilter for ReleaseFilter {
    fn fields(&self) -> Vec<(String, String)> {
        vec![("release".to_owned(), self.0.clone())]
    }
}

fn service() -> Service {
    Service::new("Filtered Service").log_filter("ReleaseFilter", |keys, problems| {
        let prefix = keys.required("prefix", problems)?.string(problems)?;
        Some(ReleaseFilter(format!("{prefix}1.0")))
    })
}

const FILE: &str = r#"
logging:
  version: 1
  formatters: {json: {class: JsonFormatter, format: "%(release)s %(hostname)s %(message)s"}}
  filters: {release: {class: our.filters.ReleaseFilter, prefix: v}, host: {class: HostnameFilter}}
  handlers: {stdout: {class: StreamHandler, stream: ext://sys.stdout, formatter: json, filters: [release, host]}}
  root: {level: INFO, handlers: [stdout]}
"#;

fn mistakes(service: Service, file: &str) -> String {
    let document = Document::parse("f", file).unwrap();
    service.configured(&document).map(|_| ()).unwrap_err().to_string()
}

fn its_fields_are_in_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rest_config.yaml");
    fs::write(&path, FILE).unwrap();
    let mut program = Command::new(env::current_exe().unwrap())
        .arg("--config")
        .arg(&path)
        .args(["--address", "127.0.0.1:0"])
        .env(PROGRAM, "1")
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let read = BufReader::new(program.stdout.take().unwrap()).read_line(&mut line);
    program.kill().unwrap();
    program.wait().unwrap();
    read.unwrap();
    let record: Value = line.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
    let keys: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys[..3], ["release", "hostname", "message"], "{line}");
    assert_eq!(record["release"], "v1.0");
}

fn its_mistakes_are_reported_with_the_others() {
    let file =
        FILE.replace("prefix: v", "prefx: v").replace("stdout, formatter", "stdin, formatter");
    let line = |key: &str| format!("f:{key}");
    assert_eq!(
        mistakes(service(), &file),
        [
            line("5: logging.filters.release: the key `prefix` is missing"),
            line("5: logging.filters.release: unknown key `prefx`; did you mean `prefix`?"),
            line("6: logging.handlers.stdout.stream: unknown stream `ext://sys.stdin`; did you mean `ext://sys.stdout`? Valid are `ext://sys.stdout`, `ext://sys.stderr`"),
        ]
        .join("\n")
    );
}

fn nobody_else_knows_it() {
    assert_eq!(
        mistakes(Service::new("Other Service"), FILE),
        "f:5: logging.filters.release.class: unknown filter class `ReleaseFilter`; valid are `HostnameFilter`, `EnvironmentInfoFilter`"
    );
}

const PROGRAM: &str = "LOG_FILTER_TEST_PROGRAM";

fn main() -> ExitCode {
    if env::var_os(PROGRAM).is_some() {
        return service().main();
    }
    its_fields_are_in_the_records();
    its_mistakes_are_reported_with_the_others();
    nobody_else_knows_it();
    println!("log_filter: 3 tests passed");
    ExitCode::SUCCESS
}
