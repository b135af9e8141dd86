//! Examples in the OpenAPI document, from any schema.

use crate::info::Info;
use crate::openapi::{ModelApi, document};
use ml_model_core::{ModelDescription, ModelMetadata};
use schemars::Schema;
use serde_json::{Value, json};

/// The example for a schema, which the schema in the document accepts.
fn example(input: Value) -> Option<Value> {
    let details = ModelMetadata {
        display_name: "Any Model".into(),
        qualified_name: "any_model".into(),
        description: "Anything.".into(),
        version: "1.0.0".into(),
    };
    let output_schema = Schema::default();
    let input_schema = Schema::try_from(input.clone()).unwrap();
    let metadata = ModelDescription { metadata: details, input_schema, output_schema };
    let model = ModelApi { metadata, has_endpoint: true };
    let document = document(&Info::new("Test"), &[model]);
    let operation = &document["paths"]["/api/models/any_model/prediction"]["post"];
    let example = operation["requestBody"]["content"]["application/json"].get("example")?;
    let schema = json!({
        "$ref": "#/components/schemas/AnyModelInput",
        "components": document["components"],
    });
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(validator.is_valid(example), "{example} for {input}");
    Some(example.clone())
}

#[test]
fn examples_are_made_from_what_a_schema_says() {
    for (input, expected) in [
        (json!({ "type": "integer" }), json!(1)),
        (json!({ "type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6 }), json!(5)),
        (json!({ "type": "integer", "minimum": 10, "multipleOf": 7 }), json!(14)),
        (json!({ "type": "integer", "maximum": -3.5 }), json!(-4)),
        (json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX }), json!(1)),
        (json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }), json!(1)),
        (json!({ "type": "number", "minimum": 0.25, "exclusiveMaximum": 0.5 }), json!(0.375)),
        (json!({ "type": "number", "exclusiveMinimum": 7 }), json!(7.5)),
        (json!({ "type": "string" }), json!("string")),
        (json!({ "type": "string", "minLength": 8 }), json!("stringst")),
        (json!({ "type": "string", "maxLength": 3 }), json!("str")),
        (json!({ "type": "string", "pattern": "^[0-9]{5}$" }), json!("12345")),
        (json!({ "type": "string", "format": "date" }), json!("2026-01-31")),
        (json!({ "type": ["null", "boolean"] }), json!(true)),
        (json!({ "type": "null" }), Value::Null),
        (json!({ "type": "string", "examples": ["a", "b"] }), json!("a")),
        (json!({ "type": "integer", "default": 12 }), json!(12)),
        (json!({ "type": "integer", "default": "wrong" }), json!(1)),
        (json!({ "enum": [null, 2, 3] }), json!(2)),
        (json!({ "const": { "a": 1 } }), json!({ "a": 1 })),
        (json!({ "anyOf": [{ "type": "null" }, { "type": "boolean" }] }), Value::Null),
        (json!({ "allOf": [{ "minimum": 5 }, { "type": "integer" }, { "maximum": 9 }] }), json!(7)),
        (json!({ "type": "array", "items": { "type": "boolean" } }), json!([true])),
        (
            json!({ "type": "array", "items": { "type": "integer" }, "minItems": 3, "uniqueItems": true }),
            json!([1, 2, 3]),
        ),
        (
            json!({ "type": "array", "prefixItems": [{ "type": "integer" }, { "type": "string" }], "items": false }),
            json!([1, "string"]),
        ),
        (
            json!({ "type": "object", "additionalProperties": { "type": "number" } }),
            json!({ "key": 1.5 }),
        ),
        (
            json!({ "type": "object", "patternProperties": { "^[0-9]+$": { "type": "null" } }, "additionalProperties": false }),
            json!({ "1": null }),
        ),
        (
            json!({ "type": "object", "required": ["a"], "properties": { "b": false } }),
            json!({ "a": "value" }),
        ),
        (
            // An internally tagged enum with a field beside it.
            json!({
                "type": "object",
                "properties": { "size": { "type": "integer" } },
                "required": ["size"],
                "oneOf": [
                    { "properties": { "kind": { "const": "a" } }, "required": ["kind"] },
                    { "properties": { "kind": { "const": "b" } }, "required": ["kind"] },
                ],
            }),
            json!({ "size": 1, "kind": "a" }),
        ),
        (
            // The shortest value is the only one without what `not` forbids.
            json!({ "properties": { "a": { "type": "integer" } }, "not": { "required": ["a"] } }),
            json!({}),
        ),
    ] {
        assert_eq!(example(input.clone()), Some(expected), "{input}");
    }
}

#[test]
fn no_example_is_better_than_a_wrong_one() {
    for input in [
        json!(false),
        json!({ "type": "string", "pattern": "^a very special text$" }),
        json!({ "type": "integer", "minimum": 2, "maximum": 1 }),
        json!({ "type": "string", "minLength": 1_000_000_000 }),
        json!({ "type": "array", "items": { "$ref": "#" }, "minItems": 1 }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/a" } } }),
    ] {
        assert_eq!(example(input.clone()), None, "{input}");
    }
}

#[test]
fn a_search_without_end_is_given_up() {
    // Each definition refers twice to each other one, and none has a value.
    let names: Vec<_> = (0..12).map(|index| format!("d{index}")).collect();
    let branches: Vec<_> =
        names.iter().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    let all: serde_json::Map<_, _> = names
        .iter()
        .map(|name| {
            let pair = json!({ "type": "array", "minItems": 2, "items": { "oneOf": branches } });
            (name.clone(), pair)
        })
        .collect();
    assert_eq!(example(json!({ "oneOf": branches, "$defs": all })), None);
}

mod any_schema {
    use proptest::prelude::*;

    use super::*;

    /// Schemas that have values, by construction.
    fn schemas() -> impl Strategy<Value = Value> {
        let bounds = (any::<i32>(), any::<u16>());
        let leaf =
            prop_oneof![
            bounds.prop_map(|(least, span)| json!({
                "type": "integer", "minimum": least, "maximum": i64::from(least) + i64::from(span),
            })),
            (any::<i32>(), 2..99u8).prop_map(|(least, step)| json!({
                "type": "integer", "minimum": least, "multipleOf": step,
            })),
            (-1e6..1e6, 1e-3..1e6).prop_map(|(least, span)| json!({
                "type": "number", "exclusiveMinimum": least, "exclusiveMaximum": least + span,
            })),
            any::<i32>().prop_map(|most| json!({ "type": "number", "exclusiveMaximum": most })),
            (0..20u8, 0..20u8).prop_map(|(least, span)| json!({
                "type": "string", "minLength": least, "maxLength": least + span,
            })),
            prop::sample::select(vec![
                "uuid", "date", "date-time", "email", "uri", "ipv4", "ipv6", "time", "duration",
            ])
            .prop_map(|format| json!({ "type": "string", "format": format })),
            prop::collection::vec("[a-z]{0,5}", 1..4)
                .prop_map(|choices| json!({ "type": "string", "enum": choices })),
            any::<bool>().prop_map(|only| json!({ "const": only })),
            Just(json!({ "type": ["string", "null"] })),
            Just(json!({ "$ref": "#/$defs/leaf" })),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                (prop::collection::btree_map("[a-z$]{1,4}", (inner.clone(), any::<bool>()), 0..4))
                    .prop_map(|members| {
                        let required = members.iter().filter(|(_, (_, required))| *required);
                        let required: Vec<_> = required.map(|(name, _)| name.clone()).collect();
                        let properties: serde_json::Map<_, _> =
                            members.into_iter().map(|(name, (schema, _))| (name, schema)).collect();
                        json!({
                            "type": "object",
                            "properties": properties,
                            "required": required,
                            "additionalProperties": false,
                        })
                    }),
                (inner.clone(), 0..4u8, 0..3u8).prop_map(|(items, least, span)| json!({
                    "type": "array", "items": items, "minItems": least, "maxItems": least + span,
                })),
                inner.clone().prop_map(|some| json!({ "anyOf": [some, { "type": "null" }] })),
                inner.clone().prop_map(|one| json!({ "allOf": [one] })),
                inner.prop_map(|values| json!({
                    "type": "object", "additionalProperties": values, "minProperties": 2,
                })),
            ]
        })
    }

    proptest! {
        #[test]
        fn has_an_example_that_it_accepts(mut input in schemas()) {
            input["$defs"] = json!({ "leaf": { "type": "object", "properties": { "again": { "$ref": "#/$defs/leaf" } } } });
            prop_assert!(example(input.clone()).is_some(), "{}", input);
        }
    }
}
