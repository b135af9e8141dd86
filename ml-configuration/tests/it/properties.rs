//! Properties: no text causes a panic, and values survive a round trip.

use ml_configuration::{Document, Node, Problems, nearest};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

/// Reads every value with every method.
fn read_all(node: Node<'_>, problems: &mut Problems) {
    let _ = (node.path(), node.place(), node.kind(), node.is_null());
    let _ = (node.string(problems), node.boolean(problems), node.number(problems));
    let _ = (node.integer(0..=10_u8, problems), node.duration_s(problems));
    let _ = node.choice("word", &[("a", 1), ("b", 2)], problems);
    let _: Option<Value> = node.deserialize(problems);
    let _: Option<Vec<(u8, String)>> = node.deserialize(problems);
    for item in node.list(problems).unwrap_or_default() {
        read_all(item, problems);
    }
    if let Some(mut mapping) = node.mapping(problems) {
        let _ = (mapping.get("a"), mapping.required("b", problems));
        for (_, node) in mapping.entries() {
            read_all(node, problems);
        }
        mapping.finish(problems);
    }
}

fn check(text: &str) {
    let problems = match Document::parse("f", text) {
        Ok(document) => {
            let mut problems = Problems::new();
            read_all(document.root(), &mut problems);
            problems
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            problems
        }
    };
    let shown = problems.to_string();
    assert_eq!(shown.lines().count(), problems.len().min(101));
    assert!(!shown.replace('\n', "").contains(char::is_control));
}

const PIECES: [&str; 44] = [
    "a",
    "b: ",
    "- ",
    "\n",
    "\n  ",
    "    ",
    "[",
    "]",
    "{",
    "}",
    ",",
    ", ",
    ":",
    "? ",
    "&x ",
    "*x",
    "!t ",
    "!!str ",
    "!!int ",
    "|\n",
    ">-",
    "\"",
    "'",
    "# c",
    "---",
    "...",
    "\t",
    "%YAML 1.2",
    "\r\n",
    "\u{feff}",
    "é",
    "007",
    "\\",
    "~",
    "<<: ",
    "*x\n",
    "-",
    "\0",
    "\u{85}",
    "\u{2028}",
    "1.5",
    "yes",
    "\n\n",
    "()",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text: String) {
        check(&text);
    }

    #[test]
    fn text_similar_to_yaml(pieces in vec(select(&PIECES[..]), 0..30)) {
        check(&pieces.concat());
    }

    #[test]
    fn any_variables(names in vec("ML(__[A-Za-z0-9é]{0,3}){0,4}", 0..8), value: String) {
        let text = "a: 1\nb: [1, {c: 2}]\nC: {d: 3}\n";
        let mut document = Document::parse("f", text).unwrap();
        let variables = names.iter().map(|name| (name.clone(), value.clone()));
        let _ = document.override_from("ML", variables);
        read_all(document.root(), &mut Problems::new());
    }

    #[test]
    fn quoted_text_round_trips(key: String, value: String) {
        // JSON is YAML, except for characters that JSON does not escape and YAML does not allow.
        let text = Value::from_iter([(key.clone(), value.clone())]).to_string();
        if let Ok(document) = Document::parse("f", &text) {
            let mut problems = Problems::new();
            let mut root = document.root().mapping(&mut problems).unwrap();
            prop_assert_eq!(root.get(&key).unwrap().string(&mut problems), Some(&*value));
        } else {
            prop_assert!(text.chars().any(|c| c.is_control() || !c.is_ascii()), "{}", text);
        }
    }

    #[test]
    fn numbers_round_trip(integer: i64, number in proptest::num::f64::NORMAL) {
        let document = Document::parse("f", &format!("[{integer}, {number:?}]")).unwrap();
        let mut problems = Problems::new();
        let items = document.root().list(&mut problems).unwrap();
        prop_assert_eq!(items[0].integer(i64::MIN..=i64::MAX, &mut problems), Some(integer));
        prop_assert_eq!(items[1].number(&mut problems), Some(number));
    }

    #[test]
    fn a_word_is_nearest_to_itself(word in "\\PC{1,20}", others in vec("\\PC{0,20}", 0..5)) {
        let candidates = others.iter().map(String::as_str).chain([word.as_str()]);
        let found = nearest(&word, candidates).unwrap();
        prop_assert_eq!(found.to_lowercase(), word.to_lowercase());
    }
}
