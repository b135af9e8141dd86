//! Mistakes in enums with data name the field of the intended variant.

use std::convert::Infallible;
use std::sync::Arc;

use crate::common::Running;
use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Tagged {
    Circle {
        radius: f64,
    },
    /// A square.
    Square {
        side: f64,
    },
    Point,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Radius(f64),
    Sides([f64; 2]),
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum External {
    Point,
    Circle { radius: f64 },
    Square(f64),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(f64),
    Range { low: f64, high: f64 },
    List(Vec<f64>),
}

#[derive(Serialize, Deserialize, JsonSchema, Default)]
#[serde(default)]
struct Shapes {
    tagged: Option<Tagged>,
    tags: Vec<Tagged>,
    adjacent: Option<Adjacent>,
    external: Option<External>,
    untagged: Option<Untagged>,
}

/// Takes shapes.
#[derive(MLModel)]
#[decorate(prediction_id)]
struct ShapesModel;

impl Infer for ShapesModel {
    type Input = Shapes;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, _input: &Shapes) -> Result<f64, Infallible> {
        Ok(1.0)
    }
}

#[test]
fn mistakes_are_those_in_the_intended_variant() {
    let service = Service::new("Test").model(|| ShapesModel);
    let service = Running::serve(service, "", Arc::default());
    service.wait_until("/api/health/ready", 200);
    let post = |body: &str| {
        let path = "/api/models/shapes_model/prediction";
        service.post(path, "application/json", body.as_bytes())
    };
    for valid in [
        r#"{"tagged": {"kind": "circle", "radius": 1}, "tags": [{"kind": "point"}]}"#,
        r#"{"adjacent": {"t": "Sides", "c": [1, 2]}, "external": "Point", "untagged": [1]}"#,
        r#"{"external": {"Square": 1}, "untagged": {"low": 1, "high": 2}}"#,
        r#"{"tagged": null, "external": {"Circle": {"radius": 1}}}"#,
    ] {
        let response = post(valid);
        assert_eq!(response.status, 200, "{valid}: {response:?}");
    }
    for (body, expected) in [
        (
            r#"{"tagged": {"kind": "circle", "radius": "x"}}"#,
            &["tagged.radius: \"x\" is not of type number"][..],
        ),
        (r#"{"tagged": {"kind": "square", "radius": 1}}"#, &["tagged.side: is required"]),
        (
            r#"{"tags": [{"kind": "point"}, {"kind": "line"}]}"#,
            &[r#"tags.1.kind: "line" is none of "circle", "square", "point""#],
        ),
        (r#"{"tags": [{}]}"#, &["tags.0.kind: is required"]),
        (r#"{"tagged": 1}"#, &["tagged: 1 is not of type object or null"]),
        (
            r#"{"adjacent": {"t": "Sides", "c": [1, "x"]}}"#,
            &["adjacent.c.1: \"x\" is not of type number"],
        ),
        (
            r#"{"adjacent": {"t": "Side", "c": 1}}"#,
            &[r#"adjacent.t: "Side" is none of "Radius", "Sides""#],
        ),
        (
            r#"{"external": {"Circle": {"radius": null}}}"#,
            &["external.Circle.radius: null is not of type number"],
        ),
        (
            r#"{"external": {"Oval": 1}}"#,
            &[
                "external.Oval: is not known to this model",
                "external: one of `Circle`, `Square` is required",
            ],
        ),
        (
            r#"{"untagged": {"low": 1, "high": "x"}}"#,
            &["untagged.high: \"x\" is not of type number"],
        ),
        (r#"{"untagged": [1, null]}"#, &["untagged.1: null is not of type number"]),
        (
            r#"{"untagged": "x"}"#,
            &["untagged: \"x\" is not of type number or array or object or null"],
        ),
    ] {
        let response = post(body);
        assert_eq!(response.status, 400, "{body}: {response:?}");
        assert_eq!(response.error().1, expected, "{body}");
    }
}
