//! A body has one meaning: alone, with an id, in a batch and compressed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;

use crate::common::{Response, Running, log, records};
use flate2::Compression;
use flate2::write::GzEncoder;
use ml_model_core::{Context, Infer, MLModel};
use ml_model_service::Service;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Numbers {
    wide: u128,
    signed: i64,
    unsigned: u64,
    float: f64,
    optional: Option<i64>,
}

/// Returns its input.
#[derive(MLModel)]
#[decorate(prediction_id)]
struct EchoModel;

impl Infer for EchoModel {
    type Input = Numbers;
    type Output = Numbers;
    type Error = Infallible;

    fn infer(&self, input: &Numbers) -> Result<Numbers, Infallible> {
        Ok(input.clone())
    }
}

/// Returns its inputs, for all rows at once.
#[derive(MLModel)]
#[decorate(prediction_id)]
struct RowsModel;

impl Infer for RowsModel {
    type Input = Numbers;
    type Output = Numbers;
    type Error = Infallible;

    const TAKES_BATCHES: bool = true;

    fn infer(&self, input: &Numbers) -> Result<Numbers, Infallible> {
        Ok(input.clone())
    }

    fn infer_batch(&self, rows: &[(Numbers, Context)]) -> Vec<Result<Numbers, Infallible>> {
        rows.iter().map(|(input, _)| Ok(input.clone())).collect()
    }
}

fn start() -> Running {
    let service = Service::new("Test").model(|| EchoModel).model(|| RowsModel);
    let running = Running::serve(service, "", Arc::default());
    running.wait_until("/api/health/ready", 200);
    running
}

fn post(service: &Running, path: &str, body: &str) -> Response {
    service.post(&format!("/api/models/{path}"), "application/json", body.as_bytes())
}

/// Sends members of a body in every form. Returns the value of the field, or the message.
fn answers(service: &Running, field: &str, members: &str) -> Vec<String> {
    let value = |text: &str| {
        let rest = text.split(&format!("\"{field}\":")).nth(1)?;
        Some(rest[..rest.find([',', '}']).unwrap()].to_owned())
    };
    let message = |text: &str| {
        let rest = text.split("\"messages\":[\"").nth(1).unwrap();
        rest[..rest.find("\"]").unwrap()].to_owned()
    };
    let alone = format!("{{{members}}}");
    let with_id = format!("{{\"prediction_id\": \"i\", {members}}}");
    let twice = format!("{{\"float\": 1, {members}, \"float\": 0.5}}");
    [
        ("echo_model/prediction", alone.clone()),
        ("echo_model/prediction", with_id.clone()),
        ("echo_model/prediction", twice),
        ("echo_model/predictions", format!("[{alone}]")),
        ("echo_model/predictions", format!("[{with_id}]")),
        ("rows_model/predictions", format!("[{alone}, {alone}]")),
    ]
    .map(|(path, body)| {
        let text = post(service, path, &body).body;
        value(&text).unwrap_or_else(|| message(&text))
    })
    .into()
}

#[test]
fn no_number_changes_its_value() {
    let service = start();
    for (field, written, expected) in [
        ("wide", "18446744073709551616", "18446744073709551616"),
        (
            "wide",
            "340282366920938463463374607431768211455",
            "340282366920938463463374607431768211455",
        ),
        ("wide", "18446744073709551617.0", "18446744073709551617"),
        ("wide", "340282366920938463463374607431768211456", "wide: "),
        ("wide", "-1", "wide: -1 is less than the minimum of 0"),
        ("signed", "-9223372036854775808", "-9223372036854775808"),
        ("signed", "-9223372036854775809", "signed: "),
        ("signed", "9223372036854775808", "signed: "),
        ("signed", "9007199254740993.0", "9007199254740993"),
        ("signed", "-9223372036854775809.0", "signed: "),
        ("signed", "1e18", "1000000000000000000"),
        ("signed", "30.0", "30"),
        ("signed", "-0.0", "0"),
        ("signed", "30.00000000000000000001", "signed: 30.0 is not of type integer"),
        ("unsigned", "18446744073709551615", "18446744073709551615"),
        ("unsigned", "18446744073709551616", "unsigned: "),
        ("unsigned", "3e1", "30"),
        ("optional", "-9223372036854775809", "optional: "),
        ("optional", "120e-1", "12"),
    ] {
        let answers = answers(&service, field, &format!("\"{field}\": {written}"));
        let is_expected = |answer: &String| match expected.ends_with(": ") {
            true => answer.starts_with(expected),
            false => answer == expected,
        };
        assert!(answers.iter().all(is_expected), "{field} {written}: {answers:#?}");
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{field} {written}: {answers:#?}"
        );
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_bodies_have_the_meaning_of_uncompressed_ones() {
    let service = start();
    let send = |coding: &str, body: &[u8]| {
        let head = format!(
            "POST /api/models/echo_model/prediction HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-encoding: {coding}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        service.send([head.as_bytes(), body].concat())
    };
    let whole = gzip(r#"{"signed": 7}"#);
    let members = [gzip(r#"{"sig"#), gzip(""), gzip(r#"ned": 7}"#)].concat();
    for (coding, body) in [
        ("gzip", &whole),
        ("GZip", &whole),
        ("x-gzip", &whole),
        ("X-GZIP", &members),
        ("gzip", &members),
    ] {
        let response = send(coding, body);
        assert_eq!(response.status, 200, "{coding}: {response:?}");
        assert_eq!(response.json()["signed"], 7);
    }
    let trailing = |body: &[u8], more: &[u8]| [body, more].concat();
    for (coding, body, expected) in [
        ("gzip", trailing(&whole, b"x"), "the body cannot be read: "),
        ("gzip", trailing(&whole, b"\0\0"), "the body cannot be read: "),
        ("gzip", trailing(&whole, &whole[..12]), "the body cannot be read: "),
        ("gzip", trailing(&whole, &gzip("{}")), "the body is not JSON: trailing characters"),
    ] {
        let response = send(coding, &body);
        assert_eq!(response.status, 400, "{coding}: {response:?}");
        assert!(response.error().1[0].starts_with(expected), "{coding}: {response:?}");
    }
    let empty = gzip("");
    let many = |count| [&empty.repeat(count), whole.as_slice()].concat();
    assert_eq!(send("gzip", &many(999)).status, 200);
    // Otherwise a body of the largest size would take half a second.
    let response = send("gzip", &many(1000));
    let expected = "the body cannot be read: it has more than 1000 gzip members";
    assert_eq!(response.error().1, [expected]);
}

/// A model whose input and output have a field that is called like the id.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct OwnIdModel;

#[derive(Serialize, Deserialize, JsonSchema, Clone)]
struct OwnId {
    #[schemars(regex(pattern = "^[A-Za-z0-9._:-]{1,128}$"))]
    prediction_id: String,
}

impl Infer for OwnIdModel {
    type Input = OwnId;
    type Output = OwnId;
    type Error = Infallible;

    fn infer(&self, input: &OwnId) -> Result<OwnId, Infallible> {
        Ok(input.clone())
    }
}

/// Returns its input, a map.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct MapModel;

impl Infer for MapModel {
    type Input = BTreeMap<String, String>;
    type Output = BTreeMap<String, String>;
    type Error = Infallible;

    fn infer(&self, input: &Self::Input) -> Result<Self::Output, Infallible> {
        Ok(input.clone())
    }
}

#[test]
fn a_field_that_is_called_prediction_id_belongs_to_the_model() {
    let service = Service::new("Test").model(|| OwnIdModel).model(|| MapModel);
    let service = Running::serve(service, "", Arc::default());
    service.wait_until("/api/health/ready", 200);
    let messages = log().into_iter().map(|record| record["message"].as_str().unwrap().to_owned());
    let warnings = messages.filter(|message| message.contains("field `prediction_id`"));
    let warned: Vec<_> =
        warnings.map(|message| message.split_once(" of").unwrap().0.to_owned()).collect();
    assert_eq!(warned, ["The input", "The output"]);

    assert!(!service.get("/openapi.json").body.contains("Id under which this prediction"));
    for model in ["own_id_model", "map_model"] {
        let id = format!("call-of-{model}");
        let head = format!(
            "POST /api/models/{model}/prediction HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: application/json\r\nx-prediction-id: {id}\r\n"
        );
        let body = r#"{"prediction_id":"field"}"#;
        let response = service.send(format!("{head}content-length: {}\r\n\r\n{body}", body.len()));
        assert_eq!((response.status, response.body.as_str()), (200, body), "{model}");
        assert!(response.head.contains(&format!("x-prediction-id: {id}")), "{response:?}");
        assert_eq!(records(&id).len(), 2, "{model}");

        let rows = post(&service, &format!("{model}/predictions"), &format!("[{body}]")).json();
        assert_eq!(rows["results"], json!([{"prediction": {"prediction_id": "field"}}]));
        let metadata = service.get(&format!("/api/models/{model}/metadata")).json();
        let required = &metadata["output_schema"]["required"];
        assert_eq!(required.is_array(), model == "own_id_model", "{metadata}");
    }
}
