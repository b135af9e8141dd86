//! Deserialization of user-defined types.

use std::{collections::BTreeMap, num::NonZeroU8};

use ml_configuration::{Document, Problems};
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: String,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    ratio: f32,
    #[serde(default)]
    limits: Vec<Limit>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    labels: BTreeMap<String, Option<i8>>,
    #[serde(default)]
    pair: Option<(u8, char)>,
    #[serde(default)]
    nonzero: Option<NonZeroU8>,
    #[serde(default)]
    checked: Option<Checked>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Limit {
    max: u16,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Fast,
    Slow,
    Custom {
        steps: u32,
    },
    Named(String),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct Checked;

impl TryFrom<String> for Checked {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("`{text}` is not valid"))
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let document = Document::parse("f", text).unwrap();
    let mut problems = Problems::new();
    let mut root = document.root().mapping(&mut problems).unwrap();
    let value = root.get("c").unwrap().deserialize(&mut problems);
    assert_eq!(value.is_some(), problems.is_empty());
    value.ok_or_else(|| problems.to_string())
}

fn mistake(text: &str) -> String {
    read::<Settings>(&format!("c:\n  name: a\n{text}")).unwrap_err()
}

#[test]
fn all_supported_types() {
    let settings: Settings = read(
        "c:\n  name: no\n  enabled: yes\n  ratio: 1\n  limits: [{max: 5}, {max: 0x10}]\n  \
         mode: {custom: {steps: 3}}\n  labels: {a: 1, b: null}\n  pair: [1, é]\n  nonzero: 1\n",
    )
    .unwrap();
    assert_eq!(
        settings,
        Settings {
            name: "no".into(),
            enabled: true,
            ratio: 1.0,
            limits: vec![Limit { max: 5 }, Limit { max: 16 }],
            mode: Mode::Custom { steps: 3 },
            labels: [("a".into(), Some(1)), ("b".into(), None)].into(),
            pair: Some((1, 'é')),
            nonzero: NonZeroU8::new(1),
            checked: None,
        }
    );
    assert_eq!(read::<Mode>("c: slow"), Ok(Mode::Slow));
    assert_eq!(read::<Mode>("c: {named: x}"), Ok(Mode::Named("x".into())));
    assert_eq!(read::<u64>("c: 18446744073709551615"), Ok(u64::MAX));
    assert_eq!(read::<i128>("c: -18446744073709551616"), Ok(-18446744073709551616));
    assert_eq!(read::<()>("c:"), Ok(()));
}

#[test]
fn mistakes_have_the_place_of_the_inner_value_but_not_the_value() {
    for (text, expected) in [
        ("  enabled: hunter2\n", "f:3: c.enabled: expected true or false, found text"),
        (
            "  limits:\n  - max: 1\n  - max: 70000\n",
            "f:5: c.limits[1].max: expected an integer from 0 to 65535, found another integer",
        ),
        (
            "  limits:\n  - max: -123\n",
            "f:4: c.limits[0].max: expected an integer from 0 to 65535, found another integer",
        ),
        ("  limits:\n  - {}\n", "f:4: c.limits[0]: the key `max` is missing"),
        ("  limits: hunter2\n", "f:3: c.limits: expected a list, found text"),
        (
            "  labels: {a: [1]}\n",
            "f:3: c.labels.a: expected an integer from -128 to 127, found a list",
        ),
        (
            "  labels: {a: 1234567}\n",
            "f:3: c.labels.a: expected an integer from -128 to 127, found another integer",
        ),
        ("  ratio: '12.5'\n", "f:3: c.ratio: expected a number, found text"),
        ("  ratoi: 1\n", "f:3: c: unknown key `ratoi`; did you mean `ratio`?"),
        (
            "  mode: fsat\n",
            "f:3: c.mode: unknown word `fsat`; did you mean `fast`? Valid are `fast`, `slow`, `custom`, `named`",
        ),
        (
            "  mode: {costum: 1}\n",
            "f:3: c.mode: unknown word `costum`; did you mean `custom`? Valid are `fast`, `slow`, `custom`, `named`",
        ),
        (
            "  mode: {custom: {steps: x}}\n",
            "f:3: c.mode.custom.steps: expected an integer from 0 to 4294967295, found text",
        ),
        (
            "  mode: {a: 1, b: 2}\n",
            "f:3: c.mode: expected a mapping with one key, which names the variant, found 2 keys",
        ),
        ("  pair: [1, a, 3]\n", "f:3: c.pair: expected 2 items, found 3"),
        ("  nonzero: 0\n", "f:3: c.nonzero: expected a nonzero u8, found another integer"),
        (
            "  nonzero: 07\n",
            "f:3: c.nonzero: an integer that begins with 0 is octal in YAML 1.1 and decimal in YAML 1.2; write it without the 0, or as 0o17 if it is octal, or in quotes if it is text",
        ),
        ("  checked: hunter2\n", "f:3: c.checked: `…` is not valid"),
    ] {
        assert_eq!(mistake(text), expected, "{text}");
    }
    assert_eq!(read::<Settings>("c: {}\n").unwrap_err(), "f:1: c: the key `name` is missing");
    assert_eq!(
        read::<Settings>("c: {name: 12}\n").unwrap_err(),
        "f:1: c.name: expected text, found an integer; put it in quotes"
    );
    assert_eq!(
        read::<Settings>("c: hunter2").unwrap_err(),
        "f:1: c: expected a mapping with the keys `name`, `enabled`, `ratio`, `limits`, `mode`, \
         `labels`, `pair`, `nonzero`, `checked`, found text"
    );
    assert_eq!(
        read::<u8>("c: 170141183460469231731687303715884105727").unwrap_err(),
        "f:1: c: expected an integer from 0 to 255, found something else"
    );
}

#[test]
fn keys_that_a_type_ignores_are_mistakes() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Open {
        #[serde(default)]
        max: u16,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Empty {}
    #[derive(Debug, Deserialize)]
    struct Obsolete {
        #[serde(rename = "old")]
        _old: serde::de::IgnoredAny,
    }

    assert_eq!(
        read::<Vec<Limit>>("c:\n- max: 1\n- max: 2\n  mxa: {a: 3}\n  other: 4\n").unwrap_err(),
        "f:4: c[1]: unknown key `mxa`; did you mean `max`?\n\
         f:5: c[1]: unknown key `other`; valid are `max`"
    );
    assert_eq!(
        read::<Limit>("c: {mxa: 1}").unwrap_err(),
        "f:1: c: the key `max` is missing\nf:1: c: unknown key `mxa`; did you mean `max`?"
    );
    let custom = read::<Mode>("c:\n  custom: {steps: 1, stops: 2}\n").unwrap_err();
    assert_eq!(custom, "f:2: c.custom: unknown key `stops`; did you mean `steps`?");
    let none = read::<Empty>("c: {a: 1}").unwrap_err();
    assert_eq!(none, "f:1: c: unknown key `a`; this mapping takes no keys");
    let open = Open { max: 0, rest: [("other".to_owned(), 1)].into() };
    assert_eq!(read::<Open>("c: {other: 1}"), Ok(open));
    assert!(read::<Obsolete>("c: {old: [1]}").is_ok());
}

#[test]
fn words_of_environment_variables_are_not_shown() {
    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        #[allow(dead_code)]
        Plain { x: u8 },
    }
    let mut document = Document::parse("f", "c: {kind: plain, x: 1}").unwrap();
    document.override_from("ML", [("ML__C__KIND".into(), "hunter2".into())]).unwrap();
    let mut problems = Problems::new();
    let mut root = document.root().mapping(&mut problems).unwrap();
    assert!(root.get("c").unwrap().deserialize::<Tagged>(&mut problems).is_none());
    assert_eq!(
        problems.to_string(),
        "environment variable ML__C__KIND: c.kind: unknown word; valid are `plain`"
    );
}
