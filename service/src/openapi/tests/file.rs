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

/// Adds the member by which the next run recognises the document.
fn marked(mut document: Value) -> Value {
    document["x-generated-by"] = "generate-openapi".into();
    document
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
    let expected = marked(document.clone());
    for name in ["openapi.json", "openapi.JSON"] {
        let json = written(&document, name);
        assert!(json.starts_with("{\n  \"openapi\": \"3.1.0\"") && json.ends_with("}\n"), "{json}");
        assert_eq!(json.parse::<Value>().unwrap(), expected);
    }
    for name in ["openapi.yaml", "openapi.yml", "openapi", "openapi.txt", "json"] {
        let yaml = written(&document, name);
        assert!(yaml.starts_with("openapi: \"3.1.0\"\ninfo:\n") && yaml.ends_with('\n'), "{yaml}");
        assert_eq!(read(&yaml), expected);
    }
}

#[test]
fn a_document_of_its_own_is_replaced_and_another_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["openapi.json", "openapi.yaml"] {
        let file = folder.path().join(name);
        write(&document(&Info::new("First"), &[]), &file).unwrap();
        write(&document(&Info::new("Second"), &[]), &file).unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.contains("Second") && !written.contains("First"), "{written}");

        std::fs::write(&file, "openapi: 3.1.0\ninfo: {title: by hand}\n").unwrap();
        let error = write(&json!({}), &file).unwrap_err().to_string();
        let expected = format!(
            "`{}` exists and was not written by this command: remove it, or choose another file \
             with --output-file",
            file.display()
        );
        assert_eq!(error, expected);
        assert!(std::fs::read_to_string(&file).unwrap().contains("by hand"));
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
    let document = json!({ "texts": texts });
    let yaml = written(&document, "texts.yaml");
    let items: Vec<_> =
        yaml.lines().filter_map(|line| line.trim_start().strip_prefix("- ")).collect();
    assert_eq!(items.len(), 28);
    for item in items {
        assert!(item.starts_with(['"', '\'']), "{item}");
    }
    assert_eq!(read(&yaml), marked(document));
    let document = json!({ "200": 1, "no": 2 });
    assert_eq!(read(&written(&document, "a.yaml")), marked(document));
}

#[test]
fn texts_that_only_resemble_numbers_come_back() {
    let texts =
        json!(["++0", "+-1", "+", "1e", "0x", "0o8", "--1", "1.2.3", "e1", "0b1", "-.", "+."]);
    let document = json!({ "texts": texts });
    let yaml = written(&document, "texts.yaml");
    assert_eq!(read(&yaml), marked(document), "{yaml}");
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
        let document = json!({ "document": document });
        let yaml = written(&document, "openapi.yaml");
        prop_assert_eq!(read(&yaml), marked(document), "{}", yaml);
    }
}
