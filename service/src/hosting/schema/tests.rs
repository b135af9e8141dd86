use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::hosting::body::Parsed;

/// Checks a body, and returns its mistakes as text.
fn mistakes(schema: &Validator, body: &str) -> Vec<String> {
    let parsed = Parsed::new(body.as_bytes()).unwrap();
    match schema.check(parsed.body(), &mut MessageSpace::default()) {
        Validity::Valid { .. } => Vec::new(),
        Validity::Invalid(violations) => violations.iter().map(Violation::to_string).collect(),
    }
}

/// Names and values of few kinds, so that schemas and values meet.
fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3..4).prop_map(Value::from),
        prop_oneof![Just(0.5), Just(1.0), Just(-2.0), Just(1e20), Just(2.5)].prop_map(Value::from),
        prop_oneof![Just(""), Just("a"), Just("b"), Just("ab"), Just("é1"), Just("A_9")]
            .prop_map(Value::from),
    ];
    scalar.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![Just("a"), Just("b"), Just("ab"), Just("c")].prop_map(str::to_owned)
}

fn types() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["null", "boolean", "integer", "number", "string", "array", "object"])
}

fn patterns() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["^a", "b$", r"^\w+$", r"\d", "^[ab]{1,2}$", r"^\W?$", r"[^\d]", "é"])
}

/// Generates schemas of all supported keywords.
fn schemas() -> impl Strategy<Value = Value> {
    let count = || 0..4_u64;
    let number = || prop_oneof![(-3..4).prop_map(Value::from), Just(json!(0.5)), Just(json!(2.5))];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        types().prop_map(|name| json!({ "type": name })),
        prop::collection::hash_set(types(), 1..4).prop_map(|names| json!({ "type": names })),
        values().prop_map(|value| json!({ "const": value })),
        prop::collection::vec(values(), 1..4).prop_map(|values| json!({ "enum": values })),
        (number(), number()).prop_map(|(least, most)| json!({"minimum": least, "maximum": most})),
        (number(), number())
            .prop_map(|(least, most)| json!({"exclusiveMinimum": least, "exclusiveMaximum": most})),
        prop_oneof![Just(0.5), Just(2.0), Just(0.1)].prop_map(|step| json!({ "multipleOf": step })),
        (count(), count()).prop_map(|(least, most)| json!({"minLength": least, "maxLength": most})),
        (count(), count()).prop_map(|(least, most)| json!({"minItems": least, "maxItems": most})),
        (count(), count())
            .prop_map(|(least, most)| json!({"minProperties": least, "maxProperties": most})),
        patterns().prop_map(|pattern| json!({ "pattern": pattern })),
        any::<bool>().prop_map(|is_unique| json!({ "uniqueItems": is_unique })),
        prop::collection::vec(names(), 0..3).prop_map(|mut names| {
            names.sort();
            names.dedup();
            json!({ "required": names })
        }),
        (names(), names()).prop_map(|(one, other)| json!({"dependentRequired": {one: [other]}})),
        Just(json!({ "$ref": "#/$defs/self" })),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        let named = || prop::collection::hash_map(names(), inner.clone(), 0..3);
        prop_oneof![
            list().prop_map(|schemas| json!({ "allOf": schemas })),
            list().prop_map(|schemas| json!({ "anyOf": schemas })),
            list().prop_map(|schemas| json!({ "oneOf": schemas })),
            inner.clone().prop_map(|schema| json!({ "not": schema })),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(one, two, three)| json!({"if": one, "then": two, "else": three})),
            inner.clone().prop_map(|schema| json!({ "items": schema })),
            (list(), inner.clone())
                .prop_map(|(first, rest)| json!({"prefixItems": first, "items": rest})),
            (inner.clone(), count(), count()).prop_map(|(schema, least, most)| {
                json!({"contains": schema, "minContains": least, "maxContains": most})
            }),
            (named(), inner.clone()).prop_map(
                |(named, rest)| json!({"properties": named, "additionalProperties": rest})
            ),
            (patterns(), inner.clone(), inner.clone()).prop_map(|(pattern, schema, rest)| {
                json!({"patternProperties": {pattern: schema}, "additionalProperties": rest})
            }),
            inner.clone().prop_map(|schema| json!({ "propertyNames": schema })),
            (names(), inner.clone())
                .prop_map(|(name, schema)| json!({"dependentSchemas": {name: schema}})),
            (named(), list(), any::<bool>(), inner.clone()).prop_map(
                |(named, list, is_any, rest)| {
                    let choice = if is_any { "anyOf" } else { "allOf" };
                    json!({"properties": named, choice: list, "unevaluatedProperties": rest})
                }
            ),
            (list(), list(), inner.clone()).prop_map(|(first, list, rest)| {
                json!({"prefixItems": first, "anyOf": list, "unevaluatedItems": rest})
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn it_accepts_what_the_reference_accepts(
        mut schema in schemas(),
        recursive in schemas(),
        bodies in prop::collection::vec(values(), 1..8),
    ) {
        prop_assume!(schema.is_object());
        schema["$defs"] = json!({ "self": recursive });
        let Ok(compiled) = Validator::new(&schema) else {
            // Only a schema that refers to itself for the same value is refused.
            prop_assert!(schema.to_string().matches("$ref").count() > 0);
            return Ok(());
        };
        let reference = jsonschema::draft202012::new(&schema).unwrap();
        for body in bodies {
            let text = body.to_string();
            let parsed = Parsed::new(text.as_bytes()).unwrap();
            let expected = reference.is_valid(&body);
            prop_assert_eq!(compiled.is_valid(parsed.body()), expected, "{} {}", &schema, &text);
            prop_assert_eq!(mistakes(&compiled, &text).is_empty(), expected, "{} {}", &schema, &text);
        }
    }
}

#[test]
fn unsupported_schemas_are_refused() {
    for (schema, expected) in [
        (json!(5), "at `/`: expected a schema: an object or a boolean"),
        (
            json!({"properties": {"a": {"minimum": "1"}}}),
            "at `/properties/a/minimum`: expected a number",
        ),
        (json!({"type": "int"}), "at `/type`: expected the name of a type or a list of such names"),
        (json!({"items": [true]}), "at `/items`: expected a schema: an object or a boolean"),
        (
            json!({"anyOf": [{"$ref": "other.json"}]}),
            "at `/anyOf/0`: `other.json` does not refer to a part of this schema",
        ),
        (json!({"$dynamicRef": "#a"}), "at `/$dynamicRef`: this keyword is not supported"),
        (json!({"items": {"$id": "a"}}), "at `/items/$id`: this keyword is not supported"),
        (
            json!({"pattern": "(?=a)b"}),
            "at `/pattern`: `(?=a)b` is not a regular expression: look-around, including look-ahead \
             and look-behind, is not supported",
        ),
        (json!({"allOf": [{"$ref": "#"}]}), "a schema refers to itself for the same value"),
    ] {
        assert_eq!(Validator::new(&schema).unwrap_err(), expected, "{schema}");
    }
}

#[test]
fn every_mistake_has_a_message() {
    for (schema, body, expected) in [
        (json!({"const": 1}), "2", "1 was expected"),
        (json!({"enum": [1, "a", null]}), "2", "2 is none of 1, \"a\", null"),
        (json!({"type": ["null", "integer"]}), "\"a\"", "\"a\" is not of type integer or null"),
        (json!({"minimum": 2}), "1e0", "1.0 is less than the minimum of 2"),
        (
            json!({"exclusiveMinimum": 2.5}),
            "2.5",
            "2.5 is less than or equal to the minimum of 2.5",
        ),
        (json!({"maximum": 2}), "3", "3 is greater than the maximum of 2"),
        (json!({"exclusiveMaximum": 2}), "2", "2 is greater than or equal to the maximum of 2"),
        (json!({"multipleOf": 0.1}), "0.35", "0.35 is not a multiple of 0.1"),
        (json!({"minLength": 1}), "\"\"", "\"\" is shorter than 1 character"),
        (json!({"maxLength": 2}), "\"äöü\"", "\"äöü\" is longer than 2 characters"),
        (json!({"pattern": "^a$"}), "\"\\u0062\"", "\"b\" does not match \"^a$\""),
        (json!({"minItems": 2}), "[ 1 ]", "[1] has less than 2 items"),
        (json!({"maxItems": 1}), "[1,2]", "[1,2] has more than 1 item"),
        (json!({"minProperties": 2}), r#"{ "a": 1 }"#, r#"{"a":1} has less than 2 properties"#),
        (json!({"uniqueItems": true}), "[1, 1.0]", "[1,1.0] has non-unique elements"),
        (
            json!({"contains": {"type": "null"}}),
            "[1]",
            "[1] must have 1 to any number of the items that `contains` describes",
        ),
        (json!({"not": {}}), "1", "1 is not allowed"),
        (json!({"properties": {"a": false}}), r#"{"a": 1}"#, "a: 1 is not allowed"),
        (json!({"additionalProperties": false}), r#"{"a": 1}"#, "a: is not known to this model"),
        (json!({"required": ["a"]}), "{}", "a: is required"),
        (json!({"dependentRequired": {"a": ["b"]}}), r#"{"a": 1}"#, "b: is required"),
        (
            json!({"propertyNames": {"maxLength": 1}}),
            r#"{"ab": 1}"#,
            "\"ab\" is longer than 1 character",
        ),
        (json!({"oneOf": [true, true]}), "1", "1 fits several alternatives, of which one is meant"),
        (json!({"anyOf": []}), "1", "1 fits no alternative"),
    ] {
        let compiled = Validator::new(&schema).unwrap();
        assert_eq!(mistakes(&compiled, body), [expected], "{schema} {body}");
    }
}

#[test]
fn sensitive_values_are_not_shown() {
    let schema = json!({
        "properties": {
            "ssn": {"type": "string", "pattern": "^[0-9]{9}$", "x-sensitive": true},
            "list": {"type": "array", "maxItems": 1},
            "text": {"type": "string"},
        },
        "maxProperties": 3,
    });
    let compiled = Validator::new(&schema).unwrap();
    assert_eq!(
        mistakes(&compiled, r#"{"ssn": "12-34", "list": ["12-34", 1], "text": 5, "more": 1}"#),
        [
            "ssn: the value does not match \"^[0-9]{9}$\"",
            "list: [\"12-34\",1] has more than 1 item",
            "text: 5 is not of type string",
            "the value has more than 3 properties",
        ]
    );
}

#[test]
fn mistakes_are_those_in_the_intended_alternative() {
    let circle = json!({
        "type": "object",
        "properties": {"kind": {"const": "circle"}, "radius": {"type": "number", "minimum": 0}},
        "required": ["kind", "radius"],
    });
    let square = json!({
        "type": "object",
        "properties": {"kind": {"const": "square"}, "side": {"type": "number"}},
        "required": ["kind", "side"],
    });
    let tagged = json!({"oneOf": [circle, square]});
    let optional = json!({"anyOf": [tagged, {"type": "null"}]});
    let outside = json!({
        "oneOf": [
            {"type": "string", "enum": ["none", "all"]},
            {
                "type": "object",
                "properties": {"circle": {"$ref": "#/$defs/circle"}},
                "required": ["circle"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {"square": {"type": "number"}},
                "required": ["square"],
                "additionalProperties": false,
            },
        ],
        "$defs": {"circle": {"type": "object", "properties": {"radius": {"type": "number"}}}},
    });
    let untagged = json!({
        "anyOf": [
            {"type": "number"},
            {"type": "array", "items": {"type": "number"}},
            {"type": "object", "properties": {"low": {"type": "number"}}, "required": ["low"]},
            {"type": "object", "properties": {"low": {"type": "boolean"}}, "required": ["low"]},
        ],
    });
    for (schema, body, expected) in [
        (
            &tagged,
            r#"{"kind": "circle", "radius": "x"}"#,
            &["radius: \"x\" is not of type number"][..],
        ),
        (&tagged, r#"{"kind": "square", "radius": 1}"#, &["side: is required"]),
        (
            &tagged,
            r#"{"kind": "cirle", "radius": 1}"#,
            &[r#"kind: "cirle" is none of "circle", "square""#],
        ),
        (
            &tagged,
            r#"{"radius": -1}"#,
            &["radius: -1 is less than the minimum of 0", "kind: is required"],
        ),
        (&tagged, "5", &["5 is not of type object"]),
        (&optional, r#"{"kind": "square", "side": null}"#, &["side: null is not of type number"]),
        (&optional, "5", &["5 is not of type object or null"]),
        (
            &outside,
            r#"{"triangle": {}}"#,
            &["triangle: is not known to this model", "one of `circle`, `square` is required"],
        ),
        (&outside, "{}", &["one of `circle`, `square` is required"]),
        (
            &outside,
            r#"{"circle": {"radius": "x"}}"#,
            &["circle.radius: \"x\" is not of type number"],
        ),
        (&outside, r#""some""#, &[r#""some" is none of "none", "all""#]),
        (&outside, "5", &["5 is not of type string or object"]),
        (&untagged, r#"[1, "x"]"#, &["1: \"x\" is not of type number"]),
        (&untagged, r#"{"low": "x"}"#, &["low: \"x\" is not of type boolean or number"]),
        (&untagged, "null", &["null is not of type number or array or object"]),
    ] {
        let compiled = Validator::new(schema).unwrap();
        assert_eq!(mistakes(&compiled, body), expected, "{body}");
    }
}
