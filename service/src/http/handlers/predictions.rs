//! The endpoints that predict: from one body, or from a batch of rows.

use std::sync::{Arc, OnceLock};

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use ml_model_core::{Execution, PredictionId};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use super::models::endpoint;
use crate::hosting::body::Body;
use crate::hosting::endpoint::{Busy, Endpoint, parse};
use crate::http::extract::{json_body, within};
use crate::http::prediction_id;
use crate::http::response::{ErrorResponse, Response, add_id, json, json_text};
use crate::http::trace_context::TraceContext;
use crate::state::State;

/// `POST /api/models/{qualified_name}/prediction`
pub(in crate::http) async fn one(
    state: &State,
    name: &str,
    headers: HeaderMap,
    body: Incoming,
) -> Result<Response, ErrorResponse> {
    let endpoint = endpoint(state, name).map_err(|error| error.of_caller(&headers))?;
    let body = json_body(&state.server, &headers, body).await;
    let body = body.map_err(|error| error.of_caller(&headers))?;
    let permit = permit(endpoint).map_err(|error| error.of_caller(&headers))?;
    let predict = move |endpoint: &Endpoint, headers: &HeaderMap, begun: Option<&Begun>| {
        endpoint.predict(&body, prediction_id::of_request(headers), |id| {
            if let Some(begun) = begun {
                begun.get_or_init(|| id.clone());
            }
        })
    };
    let outcome = run(state, endpoint, permit, headers, predict).await?;
    match outcome.result {
        Ok(json) => {
            let mut response = json_text(StatusCode::OK, json);
            if let Some(id) = &outcome.prediction_id {
                add_id(&mut response, id);
            }
            Ok(response)
        }
        Err(failure) => Err(ErrorResponse::failure(&failure).of_prediction(outcome.prediction_id)),
    }
}

/// The id of a call under way, for the answer when it takes too long.
type Begun = OnceLock<PredictionId>;

/// `POST /api/models/{qualified_name}/predictions`
pub(in crate::http) async fn batch(
    state: &State,
    name: &str,
    headers: HeaderMap,
    body: Incoming,
) -> Result<Response, ErrorResponse> {
    let endpoint = endpoint(state, name)?;
    let body = json_body(&state.server, &headers, body).await?;
    let rows = match parse(&body).map(|parsed| parsed.body) {
        Ok(Body::Array(rows)) => rows,
        Ok(_) => {
            let message = "expected a list of inputs, `[{...}, {...}]`".to_owned();
            return Err(ErrorResponse::validation(vec![message]));
        }
        Err(violation) => return Err(ErrorResponse::validation(vec![violation.to_string()])),
    };
    let limit = state.server.batch_limit_rows;
    if rows.len() > limit {
        let message = format!("a batch may have at most {limit} rows, this one has {}", rows.len());
        return Err(ErrorResponse::too_large(message));
    }
    let rows: Vec<_> = rows.into_iter().map(Body::into_owned).collect();
    let permit = permit(endpoint)?;
    let batch_id = PredictionId::random();
    let id = batch_id.clone();
    let predict = move |endpoint: &Endpoint, _: &HeaderMap, _: Option<&Begun>| {
        endpoint.predict_batch(rows, &id)
    };
    let outcomes = run(state, endpoint, permit, headers, predict).await;
    let outcomes = outcomes.map_err(|error| error.of_batch(&batch_id))?;
    let results: Vec<Value> = outcomes
        .into_iter()
        .map(|outcome| match outcome.result {
            Ok(output) => json!({ "prediction": output }),
            Err(failure) => {
                let error = ErrorResponse::failure(&failure).of_prediction(outcome.prediction_id);
                json!({ "error": error.to_json() })
            }
        })
        .collect();
    Ok(json(StatusCode::OK, &json!({ "batch_id": batch_id, "results": results })))
}

fn permit(endpoint: &Endpoint) -> Result<Option<OwnedSemaphorePermit>, ErrorResponse> {
    endpoint.permit().map_err(|Busy| {
        ErrorResponse::busy(format!(
            "`{}` is busy: as many predictions are under way as its concurrency limit allows",
            endpoint.name()
        ))
    })
}

/// Calls a model where its options say, inside of the trace that the headers name.
///
/// # Errors
///
/// 504 if it takes too long on the blocking pool. The call goes on, because a thread cannot be
/// interrupted, and its records are written.
async fn run<T: Send + 'static>(
    state: &State,
    endpoint: &Arc<Endpoint>,
    permit: Option<OwnedSemaphorePermit>,
    headers: HeaderMap,
    predict: impl FnOnce(&Endpoint, &HeaderMap, Option<&Begun>) -> T + Send + 'static,
) -> Result<T, ErrorResponse> {
    if endpoint.execution == Execution::Inline {
        let call = || in_trace(&headers, || predict(endpoint, &headers, None));
        return Ok(endpoint.run_inline(call));
    }
    let endpoint = endpoint.clone();
    let begun = Arc::new(Begun::new());
    let begins = begun.clone();
    let running = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        in_trace(&headers, || predict(&endpoint, &headers, Some(&begins)))
    });
    let limit = state.server.request_timeout;
    match within(limit, running).await {
        Some(Ok(outcome)) => Ok(outcome),
        Some(Err(_panic)) => Err(ErrorResponse::internal("the service panicked".to_owned())),
        None => Err(ErrorResponse::prediction_timeout(format!(
            "the prediction takes longer than {} s",
            limit.as_secs_f64()
        ))
        .of_prediction(begun.get().cloned())),
    }
}

fn in_trace<T>(headers: &HeaderMap, predict: impl FnOnce() -> T) -> T {
    match TraceContext::of(headers) {
        Some(trace) => trace.span().in_scope(predict),
        None => predict(),
    }
}
