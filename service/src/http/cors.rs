//! Cross-origin resource sharing: pages of the allowed origins may call the service.

use hyper::Method;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;

use super::known_headers;
use super::response::Response;

/// Request headers that pages may send.
const ALLOWED_HEADERS: &str = "content-type,authorization,x-api-key,x-prediction-id,traceparent";

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

    /// Answers a pre-flight request.
    pub(super) fn preflight(&self, head: &Parts) -> Option<Response> {
        if head.method != Method::OPTIONS {
            return None;
        }
        let mut response = Response::default();
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(response)
    }

    /// Adds the headers of an answer to a page.
    pub(super) fn write_headers(&self, head: &Parts, response: &mut Response) {
        let headers = response.headers_mut();
        if let Some(origin) = self.allowed_origin(&head.headers) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        if head.method != Method::OPTIONS {
            let exposed = HeaderValue::from(known_headers::PREDICTION_ID);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        if !self.allows_any {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
    }

    /// Returns the value of `access-control-allow-origin` for a request.
    fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.allows_any {
            return Some(HeaderValue::from_static("*"));
        }
        let origin = headers.get(header::ORIGIN)?;
        self.origins.contains(origin).then(|| origin.clone())
    }
}
