//! The answers below `/api`.

use std::sync::PoisonError;

use hyper::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::parameters::Parameters;
use super::response::{ErrorResponse, Response, json};
use crate::ingest::SharedProgress;
use crate::query::{
    Reader, TimeRange, failures, field, known_fields, lookup, overview, records, rejected_lines,
};
use crate::store::DAY_US;

/// Answers a question.
pub(super) fn answer(
    reader: &Reader,
    progress: &SharedProgress,
    path: &str,
    query: Option<&str>,
) -> Result<Response, ErrorResponse> {
    let decoded = percent_decode_str(path.strip_prefix("/api/").unwrap_or_default()).decode_utf8();
    let Ok(path) = decoded else { return Err(ErrorResponse::not_found("the path is not UTF-8")) };
    match path.split_once('/').unwrap_or((&path, "")) {
        ("health", "") => health(progress),
        ("predictions", id) => prediction(reader, id, query),
        ("overview", "") => {
            let parameters =
                Parameters::read(query, &["from", "to", "model", "version", "instance"])?;
            let range = parameters.range(Some(DAY_US))?;
            Ok(json(StatusCode::OK, &overview(reader, range, &parameters.scope())?))
        }
        ("failures", "") => {
            let parameters =
                Parameters::read(query, &["from", "to", "model", "version", "instance"])?;
            let range = parameters.range(Some(DAY_US))?;
            Ok(json(StatusCode::OK, &failures(reader, range, &parameters.scope())?))
        }
        ("fields", "") => {
            let parameters = Parameters::read(query, &["from", "to"])?;
            let fields = known_fields(reader, parameters.range(None)?)?;
            Ok(json(StatusCode::OK, &json!({ "fields": fields })))
        }
        ("fields", name) => one_field(reader, name, query),
        ("records", "") => {
            let parameters = Parameters::read(query, &["search", "from", "to", "limit"])?;
            let limit = parameters.limit()?;
            let records =
                records(reader, parameters.get("search"), parameters.range(None)?, limit)?;
            Ok(json(StatusCode::OK, &records))
        }
        ("rejected", "") => {
            let limit = Parameters::read(query, &["limit"])?.limit()?;
            Ok(json(StatusCode::OK, &rejected_lines(reader, limit)?))
        }
        _ => Err(ErrorResponse::not_found(format!(
            "there is nothing at /api/{path}; /openapi.json describes what there is"
        ))),
    }
}

fn health(progress: &SharedProgress) -> Result<Response, ErrorResponse> {
    let progress = progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let status = if progress.error.is_some() { "NOT_TAKING_RECORDS" } else { "HEALTHY" };
    let mut body = serde_json::to_value(progress).unwrap_or_default();
    body["health_status"] = status.into();
    Ok(json(StatusCode::OK, &body))
}

fn prediction(reader: &Reader, id: &str, query: Option<&str>) -> Result<Response, ErrorResponse> {
    Parameters::read(query, &[])?;
    match lookup(reader, id)? {
        Some(found) => Ok(json(StatusCode::OK, &found)),
        None => {
            Err(ErrorResponse::not_found(format!("the store has no prediction with the id `{id}`")))
        }
    }
}

fn one_field(reader: &Reader, name: &str, query: Option<&str>) -> Result<Response, ErrorResponse> {
    let valid = ["from", "to", "model", "version", "instance", "side"];
    let parameters = Parameters::read(query, &valid)?;
    let range = parameters.range(Some(DAY_US))?;
    let side = parameters.get("side");
    if let Some(other) = side.filter(|side| !matches!(*side, "input" | "output")) {
        return Err(ErrorResponse::invalid(format!(
            "side: expected `input` or `output`, found `{other}`"
        )));
    }
    if let Some(field) = field(reader, name, side, range, &parameters.scope())? {
        return Ok(json(StatusCode::OK, &field));
    }
    let known = known_fields(reader, TimeRange::ALL)?;
    let remedy = match ml_configuration::nearest(name, known.iter().map(|field| &*field.name)) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => "; /api/fields lists the fields".to_owned(),
    };
    Err(ErrorResponse::not_found(format!("the store has seen no field `{name}`{remedy}")))
}
