//! The endpoints that predict: one body, or a batch of rows.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ml_model_core::{PredictionId, error_chain};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::body::Body as JsonBody;
use crate::catalogue::BoxError;
use crate::configuration::Execution;
use crate::hosted::{Answered, HostedModel, parse};
use crate::response::{ErrorResponse, add_id, shortened};
use crate::routes::Segment;
use crate::state::State;
use crate::trace_context::TraceContext;

/// `POST /api/models/{qualified_name}/prediction`
pub(crate) async fn prediction(
    Shared(state): Shared<Arc<State>>,
    Segment(name): Segment,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let (head, body) = request.into_parts();
    let model = model(&state, &name).map_err(|error| error.of_caller(&head.headers))?;
    predict(&state, model, head.headers, body).await
}

/// Answers one body with `model`.
///
/// # Errors
///
/// What is wrong with the request before the model is asked; what is wrong later is in the
/// response, with the prediction's id.
pub(crate) async fn predict<B>(
    state: &State,
    model: &Arc<HostedModel>,
    headers: HeaderMap,
    body: B,
) -> Result<Response, ErrorResponse>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    let body = read(state, &headers, body).await.map_err(|error| error.of_caller(&headers))?;
    let permit = model.permit().map_err(|error| error.of_caller(&headers))?;
    let predict = move |model: &HostedModel, headers: &HeaderMap, begun: Option<&Begun>| {
        model.predict(&body, headers, |id| {
            if let Some(begun) = begun {
                begun.get_or_init(|| id.clone());
            }
        })
    };
    let answered = run(state, model, permit, headers, 1, predict).await?;
    Ok(answered.into_response())
}

/// The id of a prediction under way, for those who wait no longer.
type Begun = OnceLock<PredictionId>;

impl IntoResponse for Answered<Vec<u8>> {
    fn into_response(self) -> Response {
        let json = match self.result {
            Ok(json) => json,
            // It names the id as well.
            Err(error) => return error.into_response(),
        };
        let mut response = Response::new(Body::from(json));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if let Some(id) = &self.prediction_id {
            add_id(&mut response, id);
        }
        response
    }
}

/// `POST /api/models/{qualified_name}/predictions`
pub(crate) async fn batch(
    Shared(state): Shared<Arc<State>>,
    Segment(name): Segment,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let model = model(&state, &name)?;
    let (head, body) = request.into_parts();
    let headers = head.headers;
    let body = read(&state, &headers, body).await?;
    let rows = match parse(&body).map(|parsed| parsed.body) {
        Ok(JsonBody::Array(rows)) => rows,
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
    let rows: Vec<_> = rows.into_iter().map(JsonBody::into_owned).collect();
    let permit = model.permit()?;
    let batch_id = PredictionId::random();
    let id = batch_id.clone();
    let count = rows.len();
    let predict =
        move |model: &HostedModel, _: &HeaderMap, _: Option<&Begun>| model.predict_batch(rows, &id);
    let answers = run(&state, model, permit, headers, count, predict).await;
    let answers = answers.map_err(|error| error.of_batch(&batch_id))?;
    let results: Vec<Value> = answers
        .into_iter()
        .map(|answered| match answered.result {
            Ok(output) => json!({ "prediction": output }),
            Err(error) => json!({ "error": error.to_json() }),
        })
        .collect();
    Ok(Json(json!({ "batch_id": batch_id, "results": results })).into_response())
}

fn model<'s>(state: &'s State, name: &str) -> Result<&'s Arc<HostedModel>, ErrorResponse> {
    let models = state.models()?;
    models.hosted(name).ok_or_else(|| match models.registry.get(&shortened(name)) {
        Err(error) => ErrorResponse::not_found(error.to_string()),
        Ok(_) => ErrorResponse::not_found(format!(
            "`{name}` has no endpoint: the configuration says `create_endpoint: false`"
        )),
    })
}

/// Runs the model where its configuration says, inside of the trace that the caller names.
///
/// # Errors
///
/// 504 if it takes too long. On the blocking pool the model goes on then, and its records will
/// say how it ends; nobody can interrupt it.
async fn run<T: Send + 'static>(
    state: &State,
    model: &Arc<HostedModel>,
    permit: Option<OwnedSemaphorePermit>,
    headers: HeaderMap,
    rows: usize,
    predict: impl FnOnce(&HostedModel, &HeaderMap, Option<&Begun>) -> T + Send + 'static,
) -> Result<T, ErrorResponse> {
    let is_inline = match model.handling.execution {
        Execution::Auto => model.pace.is_quick(rows),
        Execution::Inline => true,
        Execution::Blocking => false,
    };
    let paced = move |model: &HostedModel, headers: &HeaderMap, begun: Option<&Begun>| {
        model.pace.of(rows, || in_trace(headers, || predict(model, headers, begun)))
    };
    if is_inline {
        return Ok(paced(model, &headers, None));
    }
    let model = model.clone();
    let begun = Arc::new(Begun::new());
    let begins = begun.clone();
    let running = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        paced(&model, &headers, Some(&begins))
    });
    let limit = state.server.request_timeout;
    match within(limit, running).await {
        Some(Ok(answer)) => Ok(answer),
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

/// The body of a request that claims to be JSON.
pub(crate) async fn read<B>(
    state: &State,
    headers: &HeaderMap,
    body: B,
) -> Result<Bytes, ErrorResponse>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    expect_json(headers)?;
    expect_no_coding(headers, state.server.compression)?;
    let size = state.server.body_limit_bytes;
    let body = pin!(Limited::new(body, size).collect());
    let limit = state.server.request_timeout;
    let Some(body) = within(limit, body).await else {
        return Err(ErrorResponse::request_timeout(format!(
            "the body did not arrive within {} s",
            limit.as_secs_f64()
        )));
    };
    match body {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ErrorResponse::body_too_large(size)),
        Err(error) => {
            let message = format!("the body cannot be read: {}", error_chain(&*error));
            Err(ErrorResponse::bad_request(message))
        }
    }
}

/// The future's value, or `None` if that takes longer than `limit`. What is ready at once needs no
/// clock.
async fn within<T>(limit: Duration, mut future: impl Future<Output = T> + Unpin) -> Option<T> {
    let first = poll_fn(|context| Poll::Ready(Pin::new(&mut future).poll(context))).await;
    match first {
        Poll::Ready(value) => Some(value),
        Poll::Pending => timeout(limit, future).await.ok(),
    }
}

fn expect_json(headers: &HeaderMap) -> Result<(), ErrorResponse> {
    const EXPECTED: &str = "expected `content-type: application/json`";
    let refused = |found: &str| {
        Err(ErrorResponse::unsupported_media_type(format!("{EXPECTED}, found {found}")))
    };
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or("?"),
        (None, _) => return refused("no content type"),
        (Some(_), Some(_)) => return refused("several content types"),
    };
    if value == "application/json" {
        return Ok(());
    }
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json = essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json");
    // JSON is UTF-8 (RFC 8259, section 8.1). Other parameters have no meaning.
    let is_utf_8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
            let charset = charset.trim_matches('"');
            ["utf-8", "utf8"].iter().any(|utf_8| charset.eq_ignore_ascii_case(utf_8))
        }
        _ => true,
    });
    if is_json && is_utf_8 { Ok(()) } else { refused(&format!("`{}`", shortened(value))) }
}

/// Codings that are known have been decoded, and the header is gone.
fn expect_no_coding(headers: &HeaderMap, compression: bool) -> Result<(), ErrorResponse> {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut codings = codings.map(|coding| coding.to_str().unwrap_or("?"));
    let Some(coding) = codings.find(|coding| !coding.eq_ignore_ascii_case("identity")) else {
        return Ok(());
    };
    let supported = if compression { "gzip, zstd" } else { "identity" };
    let message = format!(
        "the content coding `{}` is not known here; these are: {supported}",
        shortened(coding)
    );
    Err(ErrorResponse::unsupported_content_coding(message, supported))
}
