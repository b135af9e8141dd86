//! Checks of the documentation of the logging: its files, and the records it shows.

use crate::support::{Record, builder, logged_by, only};
use ml_configuration::{Document, Problems};
use ml_logging::{Configuration, Filters, HumanFormatter};
use tracing::info;

/// Returns the code blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let documentation = include_str!("../../../docs/logging.md");
    let fence = format!("```{language}\n");
    documentation.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

fn configured(text: &str) -> Configuration {
    let document = Document::parse("logging.md", text).unwrap();
    let mut problems = Problems::new();
    let configuration = Configuration::read(document.root(), &Filters::new(), &mut problems);
    assert!(problems.is_empty(), "{problems}");
    configuration.unwrap().environment(|_| None)
}

#[test]
fn the_documented_file_is_without_mistakes() {
    let files = blocks("yaml");
    let [file] =
        files.iter().filter(|block| block.starts_with("version: 1")).collect::<Vec<_>>()[..]
    else {
        panic!("{files:?}");
    };
    let _configuration = configured(file);
}

#[test]
fn the_documented_record_of_the_elastic_common_schema() {
    let [formatters] =
        blocks("yaml").into_iter().filter(|block| block.contains("ecs:")).collect::<Vec<_>>()[..]
    else {
        panic!("there is one");
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let configuration = configured(&format!(
        "version: 1\n{formatters}\nhandlers: {{h: {{class: FileHandler, filename: {path:?}, formatter: ecs}}}}\n\
         root: {{level: INFO, handlers: [h]}}"
    ));
    let (subscriber, logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!(
            target: "insurance_charges_model_logger",
            action = "predict",
            prediction_id = "05351f67",
            status = "success",
            duration_ms = 0.0421,
            charges = 2696.69,
            "Prediction created."
        );
    });
    logging.flush().unwrap();
    let record = Record::read(&std::fs::read_to_string(&path).unwrap());
    let [shown] = blocks("json")[..] else { panic!("there is one") };
    let shown = Record::read(&format!("{}\n", shown.replace('\n', "")));
    assert_eq!(record.keys(), shown.keys());
    for key in
        ["log.level", "message", "ecs.version", "service.version", "event.duration", "charges"]
    {
        assert_eq!(record[key], shown[key], "{key}");
    }
}

#[test]
fn the_documented_line_is_the_line_of_the_formatter() {
    let formatter =
        HumanFormatter::new().color(false).date_format("2022-06-12 18:09:45,971").unwrap();
    let memory = crate::support::Memory::default();
    let (subscriber, _logging) =
        builder().formatter(formatter).writer(memory.clone()).build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!(
            target: "insurance_charges_model_logger",
            status = "success",
            charges = 2696.69,
            note = "two words",
            "Prediction created."
        );
    });
    assert_eq!(blocks("text"), memory.writes());
}

#[test]
fn every_built_in_field_is_documented_and_provided() {
    let documentation = include_str!("../../../docs/logging.md");
    let (_, rest) =
        documentation.split_once("The format names the context fields in order: ").unwrap();
    let (list, _) = rest.split_once(", and\nthose that filters provide").unwrap();
    let format: String =
        list.split(',').map(|name| format!("%({})s ", name.trim().trim_matches('`'))).collect();
    let record = only(logged_by(builder().format(format), || info!("x")));
    assert_eq!(record.keys().len(), 14);
}
