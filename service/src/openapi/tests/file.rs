//! The OpenAPI document as a file.

use std::path::Path;

use crate::info::Info;
use crate::openapi::{document, write};
use ml_configuration::{Document, Problems};
use proptest::prelude::*;
use serde_json::{Value, json};

fn written(document: &Value, name: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(name);
    write(document, &file).unwrap();
    std::fs::read_to_string(file).unwrap()
}

/// YAML as another library than the writer's reads it, by the core schema of YAML 1.2.
fn read(yaml: &str) -> Value {
    let mut problems = Problems::new();
    let document = Document::parse("written.yaml", yaml);
    let document = document.unwrap_or_else(|problems| panic!("{problems} in\n{yaml}"));
    let value = document.root().deserialize(&mut problems);
    value.unwrap_or_else(|| panic!("{problems} in\n{yaml}"))
}

#[test]
fn the_extension_chooses_the_format() {
    let document = document(&Info::new("Test"), &[]);
    for name in ["openapi.json", "openapi.JSON"] {
        let json = written(&document, name);
        assert!(json.starts_with("{\n  \"openapi\": \"3.1.0\"") && json.ends_with("}\n"), "{json}");
        assert_eq!(json.parse::<Value>().unwrap(), document);
    }
    for name in ["openapi.yaml", "openapi.yml"] {
        let yaml = written(&document, name);
        assert!(yaml.starts_with("openapi: \"3.1.0\"\ninfo:\n") && yaml.ends_with('\n'), "{yaml}");
        assert_eq!(read(&yaml), document);
    }
}

#[test]
fn a_file_of_another_kind_is_refused() {
    for name in ["openapi.txt", "openapi", "json"] {
        let error = write(&json!({}), Path::new(name)).unwrap_err().to_string();
        let expected = "is neither JSON nor YAML by its name: let it end in .json, .yaml or .yml";
        assert_eq!(error, format!("`{name}` {expected}"));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let error = write(&json!({}), Path::new("no/such/directory/openapi.json")).unwrap_err();
    assert_eq!(error.to_string(), "cannot write `no/such/directory/openapi.json`");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn texts_that_look_like_something_else_are_quoted() {
    // Also for readers of YAML 1.1, for whom `no` is false.
    let texts = json!([
        "no",
        "Yes",
        "on",
        "y",
        "null",
        "~",
        "1.0",
        "1e3",
        "0x1F",
        "1_000",
        "12:30:00",
        "2026-01-31",
        "",
        " ",
        "- a",
        "a: b",
        "# a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "{",
        "[",
        "|",
        ">",
        "<<",
        ".inf"
    ]);
    let yaml = written(&texts, "texts.yaml");
    for line in yaml.lines() {
        let item = line.strip_prefix("- ").unwrap();
        assert!(item.starts_with(['"', '\'']), "{line}");
    }
    assert_eq!(read(&yaml), texts);
    assert_eq!(
        read(&written(&json!({ "200": 1, "no": 2 }), "a.yaml")),
        json!({ "200": 1, "no": 2 })
    );
}

#[test]
fn texts_that_only_resemble_numbers_come_back() {
    let texts =
        json!(["++0", "+-1", "+", "1e", "0x", "0o8", "--1", "1.2.3", "e1", "0b1", "-.", "+."]);
    let yaml = written(&texts, "texts.yaml");
    assert_eq!(read(&yaml), texts, "{yaml}");
}

/// Texts with what matters to YAML in them.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just(":".to_owned()),
        Just("#".to_owned()),
        Just("- ".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\t".to_owned()),
        Just(" ".to_owned()),
        Just("...".to_owned()),
        Just("---".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\u{85}".to_owned()),
        Just("\u{2028}".to_owned()),
        "[a-z]{1,30}",
        "[0-9.eE+-]{1,4}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(text(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn yaml_comes_back_as_it_was(document in value()) {
        // The reader is one of configurations: for it, nothing is an empty mapping.
        let document = json!({ "document": document });
        let yaml = written(&document, "openapi.yaml");
        prop_assert_eq!(read(&yaml), document, "{}", yaml);
    }
}
