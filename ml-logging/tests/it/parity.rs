//! Comparison with the records of Python's `python-json-logger`, `ecs-logging` and `logging` for the same
//! configurations and events. `python/compare.py` has recorded them, and can compare live.

use std::{collections::BTreeMap, env, fs};

use crate::support::Record;
use ml_configuration::{Document, Problems};
use ml_logging::{Configuration, Filters};
use serde::Deserialize;
use serde_json::Value;
use tracing::{error, info, warn};

#[derive(Deserialize)]
struct Case {
    name: String,
    event: String,
    #[serde(default)]
    filters: Vec<String>,
    formatter: Value,
    #[serde(default)]
    kind: Kind,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Json,
    Text,
    Ecs,
}

#[derive(Deserialize)]
struct Expected {
    versions: BTreeMap<String, String>,
    written: BTreeMap<String, String>,
}

/// Same as in `compare.py`.
macro_rules! event {
    ($macro:ident, $message:expr, $($fields:tt)*) => {
        $macro!(
            target: "insurance_charges_model_logger",
            action = "predict",
            model_qualified_name = "insurance_charges_model",
            model_version = "0.1.0",
            $($fields)*
            $message
        )
    };
}

fn log(event: &str) {
    match event {
        "bare" => event!(info, "Prediction requested.",),
        "requested" => {
            event!(info, "Prediction requested.", prediction_id = "p-1", age = 65, bmi = 50.5,);
        }
        "created" => {
            event!(info, "Prediction created.", status = "success", age = 65, charges = 46277.67,);
        }
        "failed" => {
            let status = "error";
            event!(error, "Prediction exception.", status, error_info = "outer: inner",);
        }
        "values" => warn!(
            target: "insurance_charges_model_logger",
            text = "a\tb\u{2028}\x1b",
            empty = "",
            small = 1e-7,
            large = 1_u64 << 63,
            yes = true,
            none = None::<u8>,
            "é \"quoted\" \\ \n"
        ),
        other => panic!("no event {other}"),
    }
}

/// Logs a case.
fn written(case: &Case) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let text = format!(
        "version: 1\n\
         formatters: {{f: {formatter}}}\n\
         filters:\n  host: {{class: HostnameFilter}}\n  \
         env: {{class: EnvironmentInfoFilter, env_variables: [POD_NAME, NODE_NAME, NODE_IP]}}\n\
         handlers: {{h: {{class: FileHandler, filename: {path:?}, formatter: f, filters: {filters:?}}}}}\n\
         root: {{level: DEBUG, handlers: [h]}}\n",
        formatter = case.formatter,
        filters = case.filters,
    );
    let document = Document::parse(&case.name, &text).unwrap();
    let mut problems = Problems::new();
    let configuration = Configuration::read(document.root(), &Filters::new(), &mut problems);
    assert!(problems.is_empty(), "{problems}");
    let configuration = configuration.unwrap().environment(|_| None);
    let (subscriber, logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, || log(&case.event));
    logging.flush().unwrap();
    fs::read_to_string(path).unwrap()
}

/// Fields that differ by nature: the place and the time of the run.
const OF_THE_PLACE: [&str; 8] = [
    "hostname",
    "pathname",
    "filename",
    "lineno",
    "module",
    "threadName",
    "log.origin.file.name",
    "process.thread.name",
];

/// Returns the text with every digit replaced by zero.
fn form(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// Returns the part of a value that must be equal.
fn comparable(key: &str, value: &Value) -> Value {
    match value {
        Value::String(text) if OF_THE_PLACE.contains(&key) => {
            assert!(!text.is_empty(), "{key}");
            "text".into()
        }
        Value::String(text) if text.starts_with(|c: char| c.is_ascii_digit()) => form(text).into(),
        // For example process and line.
        Value::Number(number)
            if ["process", "thread", "lineno", "created", "msecs"].contains(&key)
                || key.starts_with("process.")
                || key.starts_with("log.origin.") =>
        {
            (if number.is_f64() { "a float" } else { "an integer" }).into()
        }
        value => value.clone(),
    }
}

/// Flattens nested objects into keys with dots.
fn flattened(prefix: &str, value: &Value, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flattened(&key, value, out);
            }
        }
        value => out.push((prefix.to_owned(), value.clone())),
    }
}

#[test]
fn records_equal_those_of_python() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../python/cases.json")).unwrap();
    let expected: Expected = match env::var_os("ML_LOGGING_PARITY") {
        Some(path) => serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(),
        None => serde_json::from_str(include_str!("../python/expected.json")).unwrap(),
    };
    assert!(expected.versions.contains_key("python-json-logger"));
    assert_eq!(expected.written.len(), cases.len(), "record them again");
    for case in &cases {
        let python = &expected.written[&case.name];
        let own = written(case);
        if case.kind == Kind::Text {
            // The fields of the event follow.
            let text = form(own.strip_suffix('\n').unwrap());
            let python = form(python);
            let rest = text.strip_prefix(&python);
            let rest = rest.unwrap_or_else(|| panic!("{}: {text} and not {python}", case.name));
            assert!(rest.starts_with(" action=predict "), "{}: {rest}", case.name);
            continue;
        }
        let mut own = Record::read(&own).0;
        let mut python = match case.kind {
            Kind::Ecs => {
                let mut python_fields = Vec::new();
                flattened("", &serde_json::from_str(python).unwrap(), &mut python_fields);
                python_fields
            }
            _ => Record::read(&format!("{python}\n")).0,
        };
        if case.kind == Kind::Ecs {
            // Python writes them from a set, in random order.
            own.sort_by(|left, right| left.0.cmp(&right.0));
            python.sort_by(|left, right| left.0.cmp(&right.0));
        }
        let keys = |record: &[(String, Value)]| -> Vec<String> {
            record.iter().map(|(key, _)| key.clone()).collect()
        };
        assert_eq!(keys(&own), keys(&python), "{}", case.name);
        for ((key, own), (_, python)) in own.iter().zip(&python) {
            assert_eq!(comparable(key, own), comparable(key, python), "{}: {key}", case.name);
        }
    }
}
