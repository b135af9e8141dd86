//! Typed reading: accepted values, and the place of every mistake.

use std::time::Duration;

use ml_configuration::{Document, Kind, Node, Place, Problems};

/// Returns the value of the key `v`, read by `read`, and the problems.
fn read<T>(
    value: &str,
    read: impl FnOnce(Node<'_>, &mut Problems) -> Option<T>,
) -> (Option<T>, String) {
    let document = Document::parse("f", &format!("v: {value}")).unwrap();
    let mut problems = Problems::new();
    let node = document.root().mapping(&mut problems).unwrap().get("v").unwrap();
    let value = read(node, &mut problems);
    assert_eq!(value.is_none(), !problems.is_empty());
    (value, problems.to_string())
}

#[test]
fn strings() {
    let string = |text| {
        let (value, problems) = read(text, |node, p| node.string(p).map(str::to_owned));
        value.ok_or(problems)
    };
    assert_eq!(string("no").unwrap(), "no");
    assert_eq!(string("'12'").unwrap(), "12");
    assert_eq!(string("''").unwrap(), "");
    assert_eq!(string("|\n  two\n  lines\n").unwrap(), "two\nlines\n");
    assert_eq!(string("ext://sys.stdout").unwrap(), "ext://sys.stdout");
    assert_eq!(
        string("0.10").unwrap_err(),
        "f:1: v: expected text, found a decimal number; put it in quotes"
    );
    assert_eq!(
        string("true").unwrap_err(),
        "f:1: v: expected text, found a boolean; put it in quotes"
    );
    assert_eq!(string("").unwrap_err(), "f:1: v: expected text, found nothing");
    assert_eq!(string("[a]").unwrap_err(), "f:1: v: expected text, found a list");
}

#[test]
fn booleans() {
    let boolean = |text| read(text, |node, p| node.boolean(p));
    for text in ["true", "True", "yes", "on", "ON"] {
        assert_eq!(boolean(text).0, Some(true), "{text}");
    }
    for text in ["false", "no", "Off"] {
        assert_eq!(boolean(text).0, Some(false), "{text}");
    }
    assert_eq!(boolean("'true'").1, "f:1: v: expected true or false, found text");
    assert_eq!(boolean("1").1, "f:1: v: expected true or false, found an integer");
}

#[test]
fn integers() {
    let byte = |text| read(text, |node, p| node.integer(1..=200_u8, p));
    assert_eq!(byte("200").0, Some(200));
    assert_eq!(byte("0x10").0, Some(16));
    for text in ["0", "201", "256", "-1"] {
        assert_eq!(
            byte(text).1,
            "f:1: v: expected an integer from 1 to 200, found one outside of this range",
            "{text}"
        );
    }
    assert_eq!(byte("1.0").1, "f:1: v: expected an integer from 1 to 200, found a decimal number");
    assert_eq!(byte("1_0").0, Some(10));
    assert_eq!(byte("'1_0'").1, "f:1: v: expected an integer from 1 to 200, found text");
    assert!(byte("010").1.contains("octal in YAML 1.1"));
    assert!(byte(&"9".repeat(99)).1.ends_with("the integer is too large"));
    let only = |text| read(text, |node, p| node.integer(1..=1_u8, p));
    assert_eq!(only("1").0, Some(1));
    assert_eq!(only("2").1, "f:1: v: expected 1, found another integer");
    assert_eq!(only("'1'").1, "f:1: v: expected 1, found text");
    assert_eq!(
        read("-9223372036854775808", |node, p| node.integer(i64::MIN..=i64::MAX, p)).0,
        Some(i64::MIN)
    );
}

#[test]
fn numbers_and_durations() {
    assert_eq!(read("1", |node, p| node.number(p)).0, Some(1.0));
    assert_eq!(read("-2.5e-1", |node, p| node.number(p)).0, Some(-0.25));
    assert_eq!(read(".inf", |node, p| node.number(p)).1, "f:1: v: expected a finite number");
    assert_eq!(read("1e999", |node, p| node.number(p)).1, "f:1: v: expected a finite number");
    assert_eq!(read("x", |node, p| node.number(p)).1, "f:1: v: expected a number, found text");

    let duration = |text| read(text, |node, p| node.duration_s(p));
    assert_eq!(duration("30").0, Some(Duration::from_secs(30)));
    assert_eq!(duration("0.25").0, Some(Duration::from_millis(250)));
    assert_eq!(duration("1e9").0, Some(Duration::from_secs(1_000_000_000)));
    let huge = "9".repeat(99);
    for text in ["-1", "-0.5", ".nan", ".inf", "1e300", "1000000001", "99999999999999999999", &huge]
    {
        assert_eq!(
            duration(text).1,
            "f:1: v: expected a number of seconds from 0 to 1000000000, found one outside of this \
             range",
            "{text}"
        );
    }
    assert!(duration("010").1.contains("octal in YAML 1.1"));
    assert_eq!(duration("5s").1, "f:1: v: expected a number of seconds, found text");
}

#[test]
fn choices() {
    let choices = [("INFO", 20), ("WARNING", 30), ("off", 0)];
    let level = |text| read(text, |node, p| node.choice("level", &choices, p));
    assert_eq!(level("INFO").0, Some(20));
    assert_eq!(level("warning").0, Some(30));
    assert_eq!(level("off").0, Some(0));
    assert_eq!(
        level("INOF").1,
        "f:1: v: unknown level `INOF`; did you mean `INFO`? Valid are `INFO`, `WARNING`, `off`"
    );
    assert_eq!(level("20").1, "f:1: v: unknown level `20`; valid are `INFO`, `WARNING`, `off`");
    assert_eq!(level("").1, "f:1: v: expected a level, found nothing");
    assert_eq!(level("{}").1, "f:1: v: expected a level, found a mapping");
}

#[test]
fn kinds() {
    for (text, kind) in [
        ("", Kind::Null),
        ("no", Kind::Text),
        ("false", Kind::Boolean),
        ("1", Kind::Integer),
        ("1.0", Kind::Number),
        ("\"1\"", Kind::Text),
        ("[]", Kind::List),
        ("{}", Kind::Mapping),
    ] {
        assert_eq!(read(text, |node, _| Some(node.kind())).0, Some(kind), "{text}");
    }
}

#[test]
fn unknown_and_missing_keys_are_reported() {
    let text = "handlers:\n  a.b:\n    levle: INFO\n    strem: x\n    zzz: 1\n    empty:\n";
    let document = Document::parse("f", text).unwrap();
    let mut problems = Problems::new();
    let mut root = document.root().mapping(&mut problems).unwrap();
    for (name, node) in root.get("handlers").unwrap().mapping(&mut problems).unwrap().entries() {
        assert_eq!(name, "a.b");
        let mut handler = node.mapping(&mut problems).unwrap();
        assert!(handler.get("level").is_none());
        assert!(handler.required("stream", &mut problems).is_none());
        assert!(handler.get("empty").is_some() && handler.optional("empty").is_none());
        handler.finish(&mut problems);
    }
    root.finish(&mut problems);
    assert_eq!(
        problems.to_string(),
        "f:2: handlers[\"a.b\"]: the key `stream` is missing\n\
         f:3: handlers[\"a.b\"]: unknown key `levle`; did you mean `level`?\n\
         f:4: handlers[\"a.b\"]: unknown key `strem`; did you mean `stream`?\n\
         f:5: handlers[\"a.b\"]: unknown key `zzz`; valid are `level`, `stream`, `empty`"
    );
    assert_eq!(problems.len(), 4);
    let first = problems.iter().next().unwrap();
    assert_eq!(first.place(), Some(&Place::Line(2)));
    assert_eq!(first.path(), "handlers[\"a.b\"]");
    assert_eq!(first.message(), "the key `stream` is missing");
}

#[test]
fn messages_on_lists_and_mappings_show_the_syntax() {
    let list = |text| read(text, |node, p| node.list(p).map(|_| ())).1;
    for (text, found) in [("a", "text"), ("{a: 1}", "a mapping"), ("1", "an integer")] {
        let expected = format!("f:1: v: expected a list, found {found}; begin each item with `- `");
        assert_eq!(list(text), expected);
    }
    let mapping = |text| read(text, |node, p| node.mapping(p).map(|_| ())).1;
    for (text, found) in [("a", "text"), ("[a]", "a list"), ("true", "a boolean")] {
        assert_eq!(
            mapping(text),
            format!(
                "f:1: v: expected a mapping, found {found}; write its keys below, as in `key: value`"
            )
        );
    }
}

#[test]
fn keys_that_may_be_secrets_are_not_shown() {
    let document = Document::parse("f", "v:\n  hunter2:\n  flie: x\n").unwrap();
    let mut problems = Problems::new();
    let node = document.root().mapping(&mut problems).unwrap().get("v").unwrap();
    let mut mapping = node.mapping(&mut problems).unwrap().hiding_unknown_keys();
    let _ = (mapping.get("file"), mapping.get("environment"));
    mapping.finish(&mut problems);
    assert_eq!(
        problems.to_string(),
        "f:2: v: unknown key; valid are `file`, `environment`\n\
         f:3: v: unknown key; did you mean `file`?"
    );
}

#[test]
fn each_message_is_one_line() {
    let key = format!("a\\e[31m\\n{}", "x".repeat(1000));
    let document = Document::parse("f", &format!("\"{key}\": 1\n")).unwrap();
    let mut problems = Problems::new();
    document.root().mapping(&mut problems).unwrap().finish(&mut problems);
    let text = problems.to_string();
    assert!(text.starts_with("f:1: unknown key `a\\u{1b}[31m\\nxxx"), "{text}");
    assert!(text.len() < 200, "{text}");
}

#[test]
fn problems_without_a_place_come_first_and_many_are_counted() {
    let text: String = (0..150).map(|i| format!("k{i}: 1\n")).collect();
    let document = Document::parse("f", &text).unwrap();
    let mut problems = Problems::new();
    document.root().mapping(&mut problems).unwrap().finish(&mut problems);
    problems.add("the flag is wrong");
    let mut others = Problems::new();
    document.root().report(&mut others, "the whole is wrong");
    problems.extend(others);
    assert_eq!(problems.len(), 152);
    let text = problems.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "the flag is wrong");
    assert_eq!(lines[1], "f:1: unknown key `k0`; this mapping takes no keys");
    assert_eq!(lines[2], "f:1: the whole is wrong");
    assert_eq!(lines[100], "and 52 more");
    assert!(problems.into_result(()).is_err());
    assert_eq!(Problems::new().into_result(1), Ok(1));
}

#[test]
fn debug_output_hides_values() {
    let document = Document::parse("f", "password: hunter2").unwrap();
    let mut problems = Problems::new();
    let mapping = document.root().mapping(&mut problems).unwrap();
    let text = format!("{document:?} {:?} {mapping:?}", document.root());
    assert!(!text.contains("hunter2"), "{text}");
}
