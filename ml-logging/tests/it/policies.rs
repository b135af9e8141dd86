//! Set-up of policies in code and in a file.

use std::{fs, path::Path};

use crate::support::{Memory, Record, with};
use ml_logging::{Configuration, Error, Handler, Policy};
use serde_json::json;
use tracing::info;

fn lines(path: &Path) -> Vec<Record> {
    let text = fs::read_to_string(path).unwrap();
    text.split_inclusive('\n').map(Record::read).collect()
}

#[test]
fn a_policy_requires_a_queue() {
    let handler = || Handler::writer("h", Memory::default());
    let error = with(handler().policy(Policy::Drop)).build().err().unwrap();
    assert_eq!(error, Error::NoQueue("h".to_owned()));
    assert!(error.to_string().contains("replace it by a `Handler::queued`"), "{error}");
    // Such a handler works like an audit handler anyway.
    with(handler().policy(Policy::Audit)).build().map(|_| ()).unwrap();
}

#[test]
fn policies_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let text = format!(
        r#"
version: 1
formatters: {{json: {{class: JsonFormatter, format: "%(message)s"}}}}
handlers:
  block: {{class: FileHandler, filename: {block:?}, policy: block, queue_bytes: 4096, formatter: json}}
  drop: {{class: FileHandler, filename: {drop:?}, policy: drop, queue_bytes: 10_000_000, formatter: json}}
  rotating: {{class: RotatingFileHandler, filename: {rotating:?}, maxBytes: 0, mode: w, formatter: json}}
  audit: {{class: FileHandler, filename: {audit:?}, policy: audit, formatter: json}}
loggers:
  audit: {{handlers: [audit], propagate: false}}
root: {{level: INFO, handlers: [block, drop, rotating]}}
flush_limit_s: 2.5
"#,
        block = file("block"),
        drop = file("drop"),
        rotating = file("rotating"),
        audit = file("audit"),
    );
    let text = text.replace("10_000_000", "10000000");
    fs::write(file("rotating"), "old\n").unwrap();
    let document = ml_configuration::Document::parse("f", &text).unwrap();
    let mut problems = ml_configuration::Problems::new();
    let configuration =
        Configuration::read(document.root(), &ml_logging::Filters::new(), &mut problems);
    let configuration = problems.into_result(configuration).unwrap().unwrap();
    let (subscriber, logging) = configuration.environment(|_| None).build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!("everywhere");
        info!(target: "audit::x", "audited");
        assert_eq!(lines(&file("audit"))[0]["message"], json!("audited"));
    });
    logging.flush().unwrap();
    for name in ["block", "drop", "rotating"] {
        let records = lines(&file(name));
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["message"], json!("everywhere"));
    }
    let names: Vec<_> = logging.counts().into_iter().map(|counts| counts.handler).collect();
    assert_eq!(names, ["block", "drop", "rotating", "audit"]);
}
