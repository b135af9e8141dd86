//! Cross-origin resource sharing: pages of the allowed origins may call the service.

use hyper::header::{self, HeaderMap, HeaderValue};

/// Request headers that pages may send.
const ALLOWED_HEADERS: &str = "content-type,authorization,x-api-key,x-prediction-id,traceparent";
/// Response headers that pages may read.
const EXPOSED_HEADERS: &str = "x-prediction-id";
/// Request headers that the answer depends on.
const VARY: &str = "origin, access-control-request-method, access-control-request-headers";

/// The allowed origins; `*` allows any.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<HeaderValue>,
    allows_any: bool,
}

impl Cors {
    /// Allows these origins; `None` if there are none.
    pub(super) fn new(origins: &[String]) -> Option<Self> {
        let allows_any = origins.iter().any(|origin| origin == "*");
        let origins: Vec<_> =
            origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
        (!origins.is_empty()).then_some(Self { origins, allows_any })
    }

    /// Returns the value of `access-control-allow-origin` for a request.
    pub(super) fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.allows_any {
            return Some(HeaderValue::from_static("*"));
        }
        let origin = headers.get(header::ORIGIN)?;
        self.origins.contains(origin).then(|| origin.clone())
    }
}

/// Adds the headers of an answer to a page.
pub(super) fn write_headers(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    let exposed = HeaderValue::from_static(EXPOSED_HEADERS);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.append(header::VARY, HeaderValue::from_static(VARY));
}

/// Adds the headers of an answer to a pre-flight request.
pub(super) fn write_preflight_headers(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (header::VARY, VARY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
