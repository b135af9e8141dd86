//! Values overridden by environment variables.

use ml_configuration::{Document, Place, Problems};
use serde::Deserialize;
use serde_json::{Value, json};

const TEXT: &str = "title: old\nmodels:\n- Create_Endpoint: true\n  configuration: {}\nmetrics:\n";

fn overridden(text: &str, variables: &[(&str, &str)]) -> (Document, String) {
    let mut document = Document::parse("f", text).unwrap();
    let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    let result = document.override_from("ML", variables);
    (document, result.err().map(|problems| problems.to_string()).unwrap_or_default())
}

fn value(document: &Document) -> Value {
    document.root().deserialize(&mut Problems::new()).unwrap()
}

#[test]
fn scalars_are_replaced_and_keys_added() {
    let (document, problems) = overridden(
        TEXT,
        &[
            ("ML__TITLE", "new"),
            ("ML__MODELS__0__CREATE_ENDPOINT", "false"),
            ("ML__MODELS__0__CONFIGURATION__Retries", "3"),
            ("ML__METRICS__ENABLED", "true"),
            ("ML__METRICS__BUCKETS__SMALL", "0.5"),
            ("ML__EMPTY", ""),
            ("ML_TITLE", "not this one"),
            ("MLX__TITLE", "nor this one"),
        ],
    );
    assert_eq!(problems, "");
    assert_eq!(
        value(&document),
        json!({
            "title": "new",
            "models": [{"Create_Endpoint": false, "configuration": {"retries": 3}}],
            "metrics": {"enabled": true, "buckets": {"small": 0.5}},
            "empty": null,
        })
    );
}

#[test]
fn problems_name_the_variable_and_never_its_value() {
    let (document, _) = overridden(
        TEXT,
        &[
            ("ML__TITLE", "hunter2"),
            ("ML__MODELS__0__CREATE_ENDPOINT", "hunter2"),
            ("ML__TITEL", "x"),
        ],
    );
    let mut problems = Problems::new();
    let mut root = document.root().mapping(&mut problems).unwrap();
    let title = root.get("title").unwrap();
    assert_eq!(title.place(), Place::Variable("ML__TITLE".into()));
    let _ = title.boolean(&mut problems);
    let _ = title.choice("word", &[("hunter", ())], &mut problems);
    let models = root.get("models").unwrap().list(&mut problems).unwrap();
    let mut model = models[0].mapping(&mut problems).unwrap();
    let _ = model.get("Create_Endpoint").unwrap().boolean(&mut problems);
    let _ = root.get("metrics");
    root.finish(&mut problems);
    assert_eq!(
        problems.to_string(),
        "environment variable ML__MODELS__0__CREATE_ENDPOINT: models[0].Create_Endpoint: expected true or false, found text\n\
         environment variable ML__TITEL: unknown key `titel`; did you mean `title`?\n\
         environment variable ML__TITLE: title: expected true or false, found text\n\
         environment variable ML__TITLE: title: unknown word; did you mean `hunter`?"
    );
}

#[test]
fn variables_have_no_types() {
    let (document, _) = overridden("", &[("ML__VERSION", "1.0"), ("ML__NAME", "true")]);
    let mut problems = Problems::new();
    let mut root = document.root().mapping(&mut problems).unwrap();
    assert_eq!(root.get("version").unwrap().string(&mut problems), Some("1.0"));
    #[derive(Deserialize, PartialEq, Debug)]
    struct Typed {
        version: String,
        name: Option<String>,
    }
    let typed = document.root().deserialize(&mut problems);
    assert_eq!(typed, Some(Typed { version: "1.0".into(), name: Some("true".into()) }));
    assert_eq!(problems.to_string(), "");
}

#[test]
fn variables_that_are_refused() {
    let text = "title: t\nmodels: [a]\nlogging: {version: 1}\nAge: 1\nage: 2\n";
    let (document, problems) = overridden(
        text,
        &[
            ("ML__MODELS", "b"),
            ("ML__MODELS__1", "b"),
            ("ML__MODELS__-1", "b"),
            ("ML__MODELS__FIRST", "b"),
            ("ML__LOGGING", "{}"),
            ("ML__TITLE__X", "b"),
            ("ML__", "b"),
            ("ML____TITLE", "b"),
            ("ML__AGE", "3"),
            ("ML__LOGGING__VERSION", "2"),
            ("ML__logging__version", "3"),
        ],
    );
    assert_eq!(
        problems,
        "environment variable ML__: a key between two `__` is missing\n\
         environment variable ML__AGE: several keys differ from `age` only in upper and lower case; rename them\n\
         environment variable ML__LOGGING: logging: this is a mapping; set its keys, as in `…__KEY`\n\
         environment variable ML__MODELS: models: this is a list; set its items, as in `…__0`\n\
         environment variable ML__MODELS__-1: models: there is no item `-1` in this list: its only item is 0\n\
         environment variable ML__MODELS__1: models: there is no item `1` in this list: its only item is 0\n\
         environment variable ML__MODELS__FIRST: models: there is no item `FIRST` in this list: its only item is 0\n\
         environment variable ML__TITLE__X: title: this is a single value and has no key `X`\n\
         environment variable ML____TITLE: a key between two `__` is missing\n\
         environment variable ML__logging__version: logging.version: the variable ML__LOGGING__VERSION sets this value too; remove one of them"
    );
    assert_eq!(value(&document)["logging"]["version"], 2);
}

#[test]
fn a_variable_cannot_create_a_list() {
    let (document, problems) = overridden(
        "empty: []\nblank:\ntwo: [a, b]\nouter: {}\n",
        &[
            ("ML__MODELS__0__CREATE_ENDPOINT", "false"),
            ("ML__OUTER__INNER__0", "x"),
            ("ML__BLANK__0", "x"),
            ("ML__EMPTY__0", "x"),
            ("ML__TWO__2", "x"),
            ("ML__TWO__1", "c"),
        ],
    );
    assert_eq!(
        problems,
        "environment variable ML__BLANK__0: blank: this list is empty in the file; write its items in the file, because variables cannot add items\n\
         environment variable ML__EMPTY__0: empty: there is no item `0` in this list: it is empty\n\
         environment variable ML__MODELS__0__CREATE_ENDPOINT: the file has no list `models`; write its items in the file, because variables cannot add items\n\
         environment variable ML__OUTER__INNER__0: the file has no list `outer.inner`; write its items in the file, because variables cannot add items\n\
         environment variable ML__TWO__2: two: there is no item `2` in this list: its items are 0 to 1"
    );
    assert_eq!(
        value(&document),
        json!({"empty": [], "blank": null, "two": ["a", "c"], "outer": {}})
    );
}

#[test]
fn lists_and_mappings_cannot_come_from_a_variable() {
    let (document, _) = overridden("", &[("ML__LIST", "hunter2"), ("ML__KEYS", "hunter2")]);
    let mut problems = Problems::new();
    let mut root = document.root().mapping(&mut problems).unwrap();
    assert!(root.get("list").unwrap().list(&mut problems).is_none());
    assert!(root.get("keys").unwrap().mapping(&mut problems).is_none());
    assert!(root.get("keys").unwrap().is_variable());
    assert_eq!(
        problems.to_string(),
        "environment variable ML__KEYS: keys: expected a mapping, which a variable cannot set; write it in the file\n\
         environment variable ML__LIST: list: expected a list, which a variable cannot set; write it in the file"
    );
}
