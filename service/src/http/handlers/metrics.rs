//! `GET /metrics`

use hyper::header::{self, HeaderValue};

use crate::http::response::Response;
use crate::metrics::{CONTENT_TYPE, Metrics};
use crate::state::{Phase, State};

/// Shows the metrics in the text format of Prometheus.
pub(in crate::http) fn show(state: &State, metrics: Option<&Metrics>) -> Response {
    let text = metrics
        .map(|metrics| metrics.text(&state.info.service_name(), state.phase() == Phase::Ready));
    let mut response = Response::new(text.unwrap_or_default().into());
    let content_type = HeaderValue::from_static(CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
