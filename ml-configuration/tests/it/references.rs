//! References between values.

use ml_configuration::{Document, Problems};
use serde_json::{Value, json};

/// Returns the value of `part` of a document, and the messages.
fn resolved(text: &str) -> (Value, String) {
    let document = Document::parse("f", text).unwrap();
    let mut problems = Problems::new();
    let part = document.root().mapping(&mut problems).unwrap().get("part").unwrap();
    let (resolved, _) = part.resolve("cfg://", &mut problems).unwrap();
    let value = resolved.root().deserialize(&mut Problems::new()).unwrap();
    (value, problems.to_string())
}

#[test]
fn references_may_be_paths_and_chains() {
    let text = "part:
  sizes: [10, 20, {large: 30}]
  file: {name: app.log, size: 'cfg://sizes[1]'}
  copy: cfg://file
  name: 'cfg:// copy . name '
  large: cfg://sizes[2].large
  list: ['cfg://copy.size', text]
  other: 'text cfg://file'
";
    let file = json!({"name": "app.log", "size": 20});
    let expected = json!({
        "sizes": [10, 20, {"large": 30}], "file": file, "copy": file, "name": "app.log",
        "large": 30, "list": [20, "text"], "other": "text cfg://file",
    });
    assert_eq!(resolved(text), (expected, String::new()));
    let document = Document::parse("f", "a: b").unwrap();
    assert!(document.root().resolve("cfg://", &mut Problems::new()).is_none());
}

#[test]
fn mistakes_are_reported_where_they_are() {
    let nowhere = "`cfg://` leads to no value; write a path such as `cfg://handlers.file.filename`";
    for reference in [
        "cfg://",
        "cfg://b",
        "cfg://part.a",
        "cfg://a.b",
        "cfg://a..a",
        "cfg://list[2]",
        "cfg://list]",
        "cfg://list[0",
        "cfg://list.0]",
    ] {
        let (_, problems) =
            resolved(&format!("part:\n  a: 1\n  list: [1, 2]\n  x: {reference:?}\n"));
        assert_eq!(problems, format!("f:4: part.x: {nowhere}"), "{reference}");
    }
    let circle = "the references form a circle, or expand to too many values";
    for (text, place) in [("{a: {b: 'cfg://a'}}", "a.b"), ("{a: ['cfg://a']}", "a[0]")] {
        let (_, problems) = resolved(&format!("part: {text}"));
        assert_eq!(problems, format!("f:1: part.{place}: {circle}"));
    }
    let (_, problems) = resolved("part: {a: 'cfg://b', b: 'cfg://a'}");
    assert_eq!(problems, format!("f:1: part.a: {nowhere}\nf:1: part.b: {nowhere}"));
    let (_, problems) = resolved("part: {a: {x: 'cfg://b'}, b: {y: 'cfg://a'}}");
    assert!(problems.ends_with(circle), "{problems}");
    let mut bomb = String::from("part:\n  a0: [x, x]\n");
    for level in 1..30 {
        bomb.push_str(&format!("  a{level}: ['cfg://a{0}', 'cfg://a{0}']\n", level - 1));
    }
    assert!(resolved(&bomb).1.ends_with(circle));
}
