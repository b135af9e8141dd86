//! Files of Python's `dictConfig`: the tables of docs/dict-config.md, and the output of whole files, compared with
//! what `tests/python/dict_config.py` has recorded from Python.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use crate::support::{command, is_child, mistakes_with};
use ml_logging::{Configuration, Filters};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    /// Keys and classes of the schema by section.
    names: BTreeMap<String, Vec<String>>,
    /// Examples that Python reads.
    examples: Vec<String>,
    /// Output by file and stream.
    files: BTreeMap<String, BTreeMap<String, String>>,
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("../python/dict_config.json")).unwrap()
}

/// Row of a table.
struct Row {
    section: &'static str,
    names: Vec<&'static str>,
    example: String,
    outcome: &'static str,
}

fn rows() -> Vec<Row> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in include_str!("../../../docs/dict-config.md").lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        } else if let Some(row) = line.strip_prefix("| ").filter(|row| row.contains('`')) {
            let cells = row.strip_suffix(" |").unwrap().splitn(3, " | ").collect::<Vec<_>>();
            let [names, example, outcome] = cells[..] else { panic!("{line}") };
            rows.push(Row {
                section,
                names: names.split('`').skip(1).step_by(2).collect(),
                example: example.trim_matches('`').replace("\\n", "\n"),
                outcome,
            });
        }
    }
    rows
}

/// Returns the file that an example stands for. `dict_config.py` has the same.
fn whole(Row { section, example, .. }: &Row) -> String {
    let mut text = match *section {
        "The file" => example.clone(),
        "Formatters" => format!("version: 1\nformatters: {{f: {example}}}"),
        "Filters" => format!("version: 1\nfilters: {{f: {example}}}"),
        "Handlers" => format!(
            "version: 1\nhandlers: {{h: {example}, other: {{class: logging.StreamHandler}}}}"
        ),
        "Loggers" => {
            format!("version: 1\nfilters: {{f: {{name: a}}}}\nloggers: {{a: {example}}}")
        }
        "Fields" => format!("version: 1\nformatters: {{f: {{format: \"{example}\"}}}}"),
        "Values" => format!("version: 1\n{example}"),
        other => panic!("{other}"),
    };
    if !text.contains("handlers: {h") && *section != "The file" {
        text.push_str("\nhandlers: {h: {class: logging.StreamHandler}}");
    }
    if !text.contains("root:") {
        text.push_str("\nroot: {handlers: [h]}");
    }
    text
}

#[test]
fn every_row_describes_the_treatment_of_its_example() {
    let rows = rows();
    assert!(rows.len() > 60);
    for row in &rows {
        let mistakes = mistakes_with(&whole(row), &Filters::new());
        let shown = format!("{}: {}: {mistakes}", row.section, row.example);
        if let Some(message) = row.outcome.strip_prefix("refused: ") {
            assert_eq!(mistakes.lines().count(), 1, "{shown}");
            assert!(mistakes.ends_with(&format!(": {message}")), "{shown}\n{message}");
        } else {
            assert!(row.outcome.starts_with("read") || row.outcome.starts_with("no effect: "));
            assert_eq!(mistakes, "", "{shown}");
        }
    }
}

#[test]
fn every_key_and_class_of_python_has_a_row_and_python_reads_every_example() {
    let recorded = recorded();
    let rows = rows();
    for (section, names) in &recorded.names {
        assert!(!names.is_empty());
        for name in names {
            let has_row =
                rows.iter().any(|row| row.section == section && row.names.contains(&&**name));
            assert!(has_row, "{section}: {name}");
        }
    }
    for row in &rows {
        assert!(recorded.examples.contains(&row.example), "{}", row.example);
    }
}

const LOGGERS: [&str; 8] =
    ["app", "app.requests", "app.db.backend", "foo", "foo.bar", "server", "server.error", "other"];

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/files")
}

/// Replaces times.
fn without_times(text: &str) -> String {
    let is_time = |word: &str| {
        let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
        let shape: String = word.chars().map(shape).collect();
        shape == "0000-00-00 00:00:00,000" || shape == "0000-00-00 00:00:00"
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let time = [23, 19].into_iter().find(|length| rest.get(..*length).is_some_and(is_time));
        match time {
            Some(length) => {
                out.push_str("TIME");
                rest = &rest[length..];
            }
            None => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

#[test]
fn whole_files_write_what_python_writes() {
    let test = "python_files::whole_files_write_what_python_writes";
    if is_child() {
        let file = env::var_os("LOG_FILE").unwrap();
        let logging = Configuration::from_file(file, &Filters::new()).unwrap();
        let logging = logging.init().unwrap();
        for logger in LOGGERS {
            use log::Level::{Debug, Error, Info, Warn};
            for (level, name) in
                [(Debug, "debug"), (Info, "info"), (Warn, "warning"), (Error, "error")]
            {
                log::log!(target: logger, level, "{name} of {logger}");
            }
        }
        return logging.finish().unwrap();
    }
    let recorded = recorded();
    let names = fs::read_dir(files()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(names.len(), recorded.files.len());
    for name in names {
        let folder = tempfile::tempdir().unwrap();
        let output = command(test)
            .current_dir(folder.path())
            .env("LOG_FILE", files().join(&name))
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        // The lines of the test harness are around those of the log.
        let (_, stdout) = stdout.split_once(&format!("test {test} ... ")).unwrap();
        let (stdout, _) = stdout.split_once("ok\n").unwrap();
        let mut written = BTreeMap::from([
            ("stdout".to_owned(), without_times(stdout)),
            ("stderr".to_owned(), without_times(&String::from_utf8(output.stderr).unwrap())),
        ]);
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            written.insert(file, without_times(&fs::read_to_string(path).unwrap()));
        }
        assert_eq!(written, recorded.files[&name], "{name}");
    }
}
