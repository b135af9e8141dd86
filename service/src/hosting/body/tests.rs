use proptest::prelude::*;

use super::*;

/// Generates JSON with few names, so that some are repeated.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<u64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| serde_json::Value::from(value).to_string()),
        any::<String>().prop_map(|value| serde_json::Value::from(value).to_string()),
    ];
    scalar.prop_recursive(4, 200, 60, |inner| {
        let name = prop_oneof![Just("a"), Just("b"), Just("é"), Just("\\u00e9"), Just("c\\n")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec((name, inner), 0..50).prop_map(|members| {
                let members = members.iter().map(|(name, value)| format!("\"{name}\": {value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(",\n"))
            }),
        ]
    })
}

/// Reads a body through its index.
fn read(body: Body<'_>) -> serde_json::Value {
    match body.value() {
        Value::Null => serde_json::Value::Null,
        Value::Boolean => (body.text() == "true").into(),
        Value::Number(number) => serde_json::Value::Number(number.0.parse().unwrap()),
        Value::String(text) => text.into(),
        Value::Array => body.items().map(read).collect(),
        Value::Object => {
            body.members().map(|(name, value)| (name.into_owned(), read(value))).collect()
        }
    }
}

/// Bytes with a meaning in JSON.
const PARTS: &[u8] = b"{}[],:\"\\ \n\t-+.019eEtfn";

proptest! {
    #[test]
    fn the_index_holds_what_serde_json_reads(text in json()) {
        let parsed = Parsed::new(text.as_bytes()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        // The texts show the order of members too.
        prop_assert_eq!(read(parsed.body()).to_string(), value.to_string());
        let reread: serde_json::Value = serde_json::from_str(parsed.body().text()).unwrap();
        prop_assert_eq!(reread.to_string(), value.to_string());
    }

    #[test]
    fn a_removed_member_leaves_the_others(text in json(), name in "[abé]") {
        let parsed = Parsed::new(text.as_bytes()).unwrap();
        let body = parsed.body();
        prop_assume!(body.is_object());
        let mut value = read(body);
        value.as_object_mut().unwrap().shift_remove(&name);
        let without: serde_json::Value = serde_json::from_str(&body.for_model(Some(&name), false)).unwrap();
        prop_assert_eq!(without.to_string(), value.to_string());
    }

    #[test]
    fn equal_values_have_one_canonical_text(text in json()) {
        let parsed = Parsed::new(text.as_bytes()).unwrap();
        let mut value = read(parsed.body());
        value.sort_all_objects();
        let sorted = value.to_string();
        let sorted = Parsed::new(sorted.as_bytes()).unwrap();
        prop_assert_eq!(parsed.body().canonical(), sorted.body().canonical());
    }

    #[test]
    fn it_refuses_what_serde_json_refuses(
        text in json(),
        at: prop::sample::Index,
        removed in 0_usize..2,
        inserted in prop::option::of(prop_oneof![any::<u8>(), prop::sample::select(PARTS)]),
    ) {
        let mut text = text.into_bytes();
        let at = at.index(text.len());
        text.splice(at..at + removed, inserted);
        let refusal = |error: serde_json::Error| error.to_string();
        let value = serde_json::from_slice::<serde_json::Value>(&text).map_err(refusal);
        let body = Parsed::new(text.as_slice()).map(|parsed| read(parsed.body())).map_err(refusal);
        prop_assert_eq!(body.map(|body| body.to_string()), value.map(|value| value.to_string()));
    }
}

#[test]
fn numbers_are_compared_by_their_digits() {
    use std::cmp::Ordering::{Equal, Greater, Less};

    for (one, order, other) in [
        ("1", Equal, "1.0"),
        ("1e2", Equal, "100"),
        ("-0", Equal, "0.0"),
        ("0e99999999999", Equal, "0"),
        ("1e-999", Equal, "0"),
        ("9007199254740993", Greater, "9007199254740992"),
        ("-9007199254740993", Less, "-9007199254740992"),
        ("18446744073709551616", Greater, "18446744073709551615"),
        ("18446744073709551616", Equal, "1.8446744073709551616e19"),
        (
            "340282366920938463463374607431768211456",
            Greater,
            "340282366920938463463374607431768211455",
        ),
        ("-1", Less, "1"),
        ("0.1", Greater, "0.05"),
        ("1e300", Greater, "1e299"),
    ] {
        assert_eq!(Number(one).compare(Number(other)), order, "{one} {other}");
        assert_eq!(Number(other).compare(Number(one)), order.reverse(), "{other} {one}");
    }
}

#[test]
fn whole_numbers_are_integers_in_any_notation() {
    for (number, integer) in [
        ("30.0", Some("30")),
        ("3e1", Some("30")),
        ("-1.20e+2", Some("-120")),
        ("1200e-2", Some("12")),
        ("-0", Some("0")),
        ("-0.0", Some("0")),
        ("9007199254740993.0", Some("9007199254740993")),
        ("18446744073709551616e0", Some("18446744073709551616")),
        ("1e38", Some("100000000000000000000000000000000000000")),
        // Written as an integer already.
        ("-9223372036854775809", None),
        // Longer than any integer type.
        ("1e39", None),
        // Not whole.
        ("30.5", None),
        ("25.00000000000000000001", None),
        ("4503599627370497.3", None),
        ("1e-999", None),
        ("1e-99999999999999999999", None),
    ] {
        assert_eq!(Number(number).written_as_integer().as_deref(), integer, "{number}");
    }
    let parsed = Parsed::new(br#" {"a" : [1.0, 2.5,"1.0"], "b": 1e2 }"#.as_slice()).unwrap();
    let body = parsed.body();
    assert_eq!(body.for_model(None, true), r#"{"a" : [1, 2.5,"1.0"], "b": 100 }"#);
    assert_eq!(body.for_model(Some("b"), true), r#"{"a":[1, 2.5,"1.0"]}"#);
}

#[test]
fn multiples_are_exact() {
    for (number, step, expected) in [
        ("0.3", "0.1", true),
        ("1.1", "0.1", true),
        ("0.35", "0.1", false),
        ("1e300", "7", false),
        ("1e300", "8", true),
        ("0", "0.01", true),
        ("-4", "2", true),
        ("5", "2.5", true),
        ("4", "2.5", false),
        ("0.5", "5", false),
        ("18446744073709551616", "2", true),
        ("18446744073709551617", "2", false),
    ] {
        assert_eq!(Number(number).is_multiple_of(Number(step)), expected, "{number} {step}");
    }
}
