//! Handlers of a configuration file that export over OTLP.

use std::ffi::OsString;

use ml_configuration::{Document, Problems};
use ml_logging::{Configuration, Filters};
use serde_json::json;
use tracing::Level;

use crate::support::Record;
use crate::support::collector::{Collector, fields, value};

/// Reads a configuration.
fn read(yaml: &str) -> Result<Configuration, String> {
    let document = Document::parse("f", yaml).unwrap();
    let mut problems = Problems::new();
    let configuration = Configuration::read(document.root(), &Filters::new(), &mut problems);
    problems
        .into_result(configuration)
        .map(|configuration| configuration.unwrap().environment(|_| None))
        .map_err(|problems| problems.to_string())
}

#[test]
fn the_handler_of_the_documentation_is_read() {
    let documentation = include_str!("../../../docs/logging.md");
    let section = documentation.split("## OpenTelemetry").nth(1).unwrap();
    let yaml = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let rest = "version: 1\nformatters: {json: {class: JsonFormatter}}\nroot: {handlers: [otlp]}\n";
    assert!(read(&format!("{rest}{yaml}")).is_ok());
}

#[test]
fn an_export_has_level_filters_and_format() {
    let collector = Collector::start();
    let configuration = read(&format!(
        r#"
version: 1
formatters: {{json: {{class: JsonFormatter, format: "%(levelname)s %(release)s %(message)s", static_fields: {{release: v1}}, rename_fields: {{age: years}}}}}}
handlers:
  otlp:
    class: ml_logging.OtlpHandler
    endpoint: {}
    resource_attributes: {{service.name: from-file}}
    level: WARNING
    formatter: json
root: {{level: INFO, handlers: [otlp]}}
"#,
        collector.address()
    ));
    let (subscriber, logging) = configuration.unwrap().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::event!(Level::INFO, age = 24, "Too low.");
        tracing::event!(Level::WARN, age = 25, "High enough.");
    });
    logging.flush().unwrap();
    let records = collector.records();
    let [(_, record)] = &records[..] else { panic!("{records:?}") };
    assert_eq!(value(record.body.as_ref()), json!("High enough."));
    let expected = [("release".to_owned(), json!("v1")), ("years".to_owned(), json!(25))];
    assert_eq!(fields(&record.attributes), expected);
    assert!(collector.resource().contains(&("service.name".into(), json!("from-file"))));
}

#[test]
fn mistakes_in_a_file_are_reported_at_their_places() {
    let problems = read(
        r#"
version: 1
formatters: {text: {class: logging.Formatter, format: "%(message)s"}}
handlers:
  one: {class: OtlpHandler, endpoint: "https://collector:4318", formatter: text}
  two: {class: OtlpHandler, endpiont: "http://localhost:4318"}
  three: {class: OtlpHandler, resource_attributes: [service.name]}
  four: {class: OtlpHandlr}
root: {level: INFO, handlers: [one, two, three, four]}
"#,
    )
    .unwrap_err();
    let expected = [
        "f:5: handlers.one.endpoint: `https://collector:4318` requires TLS",
        "f:5: handlers.one.formatter: an OtlpHandler takes fields, not lines of text; name a formatter that writes JSON",
        "f:6: handlers.two: unknown key `endpiont`; did you mean `endpoint`?",
        "f:7: handlers.three.resource_attributes: ",
        "f:8: handlers.four.class: unknown handler class `OtlpHandlr`; did you mean `OtlpHandler`?",
    ];
    for line in expected {
        assert!(problems.contains(line), "{line}\n{problems}");
    }
    assert_eq!(problems.lines().count(), 5, "{problems}");
}

#[test]
fn a_variable_adds_the_export_to_a_file_with_the_fields_of_its_json() {
    let collector = Collector::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.jsonl");
    let configuration = read(&format!(
        r#"
version: 1
formatters: {{json: {{class: JsonFormatter, format: "%(lineno)s %(message)s"}}}}
handlers:
  file: {{class: FileHandler, filename: "{}", formatter: json, level: ERROR}}
loggers: {{quiet: {{level: ERROR}}}}
root: {{level: INFO, handlers: [file]}}
"#,
        file.display()
    ));
    let address = collector.address().to_owned();
    let configuration = configuration.unwrap().environment(move |name| {
        (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| OsString::from(&address))
    });
    let (subscriber, logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("For the collector.");
        tracing::info!(target: "quiet", "For nobody.");
        tracing::error!("For both.");
    });
    logging.flush().unwrap();
    let records = collector.records();
    let [(_, info), (_, error)] = &records[..] else { panic!("{records:?}") };
    assert_eq!(value(info.body.as_ref()), json!("For the collector."));
    let lines = std::fs::read_to_string(&file).unwrap();
    let line = Record::read(&lines);
    assert_eq!(line["message"], value(error.body.as_ref()));
    assert_eq!(fields(&error.attributes), [("lineno".to_owned(), line["lineno"].clone())]);
}
