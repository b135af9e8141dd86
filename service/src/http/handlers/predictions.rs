//! The endpoints that predict: from one body, or from a batch of rows.

use std::sync::{Arc, OnceLock};

use hyper::StatusCode;
use hyper::body::Incoming;
use ml_model_core::{Execution, PredictionId};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use tracing::Span;

use super::models::endpoint;
use crate::hosting::endpoint::{Busy, Endpoint, parse};
use crate::hosting::outcome::Failure;
use crate::hosting::shorten::MessageSpace;
use crate::http::connection::Connection;
use crate::http::extract::json_body;
use crate::http::known_headers::KnownHeaders;
use crate::http::prediction_id;
use crate::http::response::{ErrorResponse, Response, add_id, json_text};
use crate::http::trace_context::TraceContext;
use crate::state::State;
use crate::worker::run_long;

/// `POST /api/models/{qualified_name}/prediction`
pub(in crate::http) async fn one(
    state: &State,
    connection: &Connection,
    name: &str,
    headers: &KnownHeaders<'_>,
    body: Incoming,
) -> Result<Response, ErrorResponse> {
    let endpoint = endpoint(state, name)?;
    let body = json_body(&state.server, connection, headers, body).await?;
    let large = match endpoint.execution {
        Execution::Inline => large_body(state, connection, body.len()).await?,
        Execution::Blocking => None,
    };
    let permit = permit(endpoint)?;
    let header_id = prediction_id::of_request(headers.prediction_id);
    let predict = move |endpoint: &Endpoint, begun: &Begun| {
        endpoint.predict(&body, header_id, |id| drop(begun.set(id.clone())))
    };
    let outcome = run(state, connection, endpoint, (permit, large), headers, predict).await?;
    match outcome.result {
        Ok(json) => {
            let mut response = json_text(StatusCode::OK, json);
            if let Some(id) = &outcome.prediction_id {
                add_id(&mut response, id);
            }
            Ok(response)
        }
        Err(failure) => {
            let error = ErrorResponse::failure(&failure, state.shows_error_details);
            Err(error.of_prediction(outcome.prediction_id))
        }
    }
}

/// The id of a pending call, for the answer when it takes too long.
type Begun = OnceLock<PredictionId>;

/// `POST /api/models/{qualified_name}/predictions`
pub(in crate::http) async fn batch(
    state: &State,
    connection: &Connection,
    name: &str,
    headers: &KnownHeaders<'_>,
    body: Incoming,
) -> Result<Response, ErrorResponse> {
    let endpoint = endpoint(state, name)?;
    let body = json_body(&state.server, connection, headers, body).await?;
    let large = large_body(state, connection, body.len()).await?;
    let parse = || parse(Vec::from(body));
    let parsed = if large.is_some() { run_long(parse) } else { parse() };
    let parsed =
        parsed.map_err(|violation| ErrorResponse::validation(vec![violation.to_string()]))?;
    if !parsed.body().is_array() {
        let message = "expected a list of inputs, `[{...}, {...}]`".to_owned();
        return Err(ErrorResponse::validation(vec![message]));
    }
    let (limit, rows) = (state.server.batch_limit_rows, parsed.body().items().count());
    if rows > limit {
        let message = format!("a batch may have at most {limit} rows, this one has {rows}");
        return Err(ErrorResponse::too_large(message));
    }
    let permit = permit(endpoint)?;
    let batch_id = PredictionId::random();
    let id = batch_id.clone();
    let predict = move |endpoint: &Endpoint, _: &Begun| endpoint.predict_batch(parsed.body(), &id);
    let outcomes = run(state, connection, endpoint, (permit, large), headers, predict).await;
    let outcomes = outcomes.map_err(|error| error.of_batch(&batch_id))?;
    let mut space = MessageSpace::default();
    let results = outcomes.into_iter().map(|outcome| match outcome.result {
        Ok(json) => [b"{\"prediction\":".as_slice(), &json, b"}"].concat(),
        Err(failure) => {
            let error = ErrorResponse::failure(&failure, state.shows_error_details);
            let error = error.of_prediction(outcome.prediction_id);
            let error = match failure {
                // The check of the bodies has limited these.
                Failure::Invalid(_) => error,
                _ => error.within(&mut space),
            };
            json!({ "error": error.to_json() }).to_string().into_bytes()
        }
    });
    let results = results.collect::<Vec<_>>().join(b",".as_slice());
    let begin = format!("{{\"batch_id\":\"{batch_id}\",\"results\":[");
    Ok(json_text(StatusCode::OK, [begin.as_bytes(), &results, b"]}"].concat()))
}

fn permit(endpoint: &Endpoint) -> Result<Option<OwnedSemaphorePermit>, ErrorResponse> {
    endpoint.permit().map_err(|Busy| ErrorResponse::busy(&endpoint.name()))
}

/// Size of a body in bytes from which its check counts as long work; see [`run_long`](crate::worker::run_long).
const LARGE: usize = 32 * 1024;

/// Waits for a permit to work on a body if it is large.
///
/// # Errors
///
/// 504 if others take too long.
async fn large_body<'s>(
    state: &'s State,
    connection: &Connection,
    size: usize,
) -> Result<Option<SemaphorePermit<'s>>, ErrorResponse> {
    if size < LARGE {
        return Ok(None);
    }
    let limit = state.server.request_timeout;
    let permit = connection.timer.within(limit, state.large_bodies.acquire()).await;
    // The semaphore is never closed.
    permit.map(Result::ok).ok_or_else(|| ErrorResponse::prediction_timeout(limit))
}

/// Calls a model where its options say, inside the trace that the headers name.
///
/// # Errors
///
/// 504 if it takes too long on the blocking pool. A call that has begun continues, because a thread cannot
/// be interrupted, and its records are written.
async fn run<T: Send + 'static>(
    state: &State,
    connection: &Connection,
    endpoint: &Arc<Endpoint>,
    (permit, large): (Option<OwnedSemaphorePermit>, Option<SemaphorePermit<'_>>),
    headers: &KnownHeaders<'_>,
    predict: impl FnOnce(&Endpoint, &Begun) -> T + Send + 'static,
) -> Result<T, ErrorResponse> {
    let span = TraceContext::of(headers.trace_parent).map(|trace| trace.span());
    if endpoint.execution == Execution::Inline {
        let _span = span.as_ref().map(Span::enter);
        let call = || endpoint.run_inline(|| predict(endpoint, &Begun::new()));
        return Ok(if large.is_some() { run_long(call) } else { call() });
    }
    drop(large);
    let endpoint = endpoint.clone();
    let begun = Arc::new(Begun::new());
    let begins = begun.clone();
    let threads = state.prediction_threads.clone();
    let running = async move {
        // A prediction that gets no thread in time does not begin.
        let thread = threads.acquire_owned().await;
        let running = tokio::task::spawn_blocking(move || {
            let _held = (permit, thread);
            let _span = span.as_ref().map(Span::enter);
            predict(&endpoint, &begins)
        });
        running.await
    };
    let limit = state.server.request_timeout;
    match connection.timer.within(limit, running).await {
        Some(Ok(outcome)) => Ok(outcome),
        Some(Err(_panic)) => Err(ErrorResponse::internal("the service panicked".to_owned())),
        None => Err(ErrorResponse::prediction_timeout(limit).of_prediction(begun.get().cloned())),
    }
}
