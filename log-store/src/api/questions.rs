//! The answers below `/api`.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::parameters::Parameters;
use super::response::{ErrorResponse, Response, json};
use crate::ingest::SharedProgress;
use crate::query::{
    Filter, PredictionRow, Reader, Search, TimeRange, failures, field, known_fields, lookup,
    overview, records, rejected_lines, search,
};
use crate::store::DAY_US;

/// Number of predictions in an answer.
const LIMIT: usize = 100;
const MOST: usize = 10_000;

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
        ("predictions", "") => predictions(reader, query),
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
            let limit = parameters.limit(LIMIT, MOST)?;
            let records =
                records(reader, parameters.get("search"), parameters.range(None)?, limit)?;
            Ok(json(StatusCode::OK, &json!({ "records": records })))
        }
        ("rejected", "") => {
            let limit = Parameters::read(query, &["limit"])?.limit(LIMIT, MOST)?;
            Ok(json(StatusCode::OK, &json!({ "lines": rejected_lines(reader, limit)? })))
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

fn predictions(reader: &Reader, query: Option<&str>) -> Result<Response, ErrorResponse> {
    let valid = ["filter", "from", "to", "limit", "after", "format"];
    let parameters = Parameters::read(query, &valid)?;
    let known = known_fields(reader, TimeRange::ALL)?;
    let names: BTreeSet<_> = known.into_iter().map(|field| field.name).collect();
    let filter = Filter::parse(parameters.get("filter").unwrap_or_default(), &names)?;
    let found = search(
        reader,
        &Search {
            filter: &filter,
            range: parameters.range(None)?,
            limit: parameters.limit(LIMIT, MOST)?,
            after: parameters.get("after"),
        },
    )?;
    match parameters.get("format") {
        None | Some("json") => {
            let body = json!({ "predictions": found.predictions, "next": found.next });
            Ok(json(StatusCode::OK, &body))
        }
        Some("csv") => Ok(csv(&found.predictions)),
        Some(other) => Err(ErrorResponse::invalid(format!(
            "format: unknown format `{other}`; valid are `json` and `csv`"
        ))),
    }
}

fn csv(predictions: &[PredictionRow]) -> Response {
    let mut response = Response::new(crate::terminal::csv(predictions).into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let attachment = HeaderValue::from_static("attachment; filename=\"predictions.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, attachment);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
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
