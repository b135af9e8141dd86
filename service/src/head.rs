//! What the head of every request is checked for, whatever it asks for.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version, header};
use axum::response::{IntoResponse, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::response::ErrorResponse;

/// Turns requests away by their heads.
#[derive(Clone, Copy)]
pub(crate) struct CheckHead {
    pub(crate) body_limit_bytes: usize,
}

impl<S> Layer<S> for CheckHead {
    type Service = CheckedHead<S>;

    fn layer(&self, inner: S) -> CheckedHead<S> {
        CheckedHead { inner, body_limit_bytes: self.body_limit_bytes }
    }
}

#[derive(Clone)]
pub(crate) struct CheckedHead<S> {
    inner: S,
    body_limit_bytes: usize,
}

impl<S> Service<Request> for CheckedHead<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Unpin,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if let Err(error) = check(&request, self.body_limit_bytes) {
            return Answer::Refusal(Some(error.into_response()));
        }
        // Without a coding that there is, answers are not encoded. The layer that encodes would
        // answer 406 to those who refuse that as well, when the prediction is made already.
        if !accepts_a_coding(request.headers()) {
            request.headers_mut().remove(header::ACCEPT_ENCODING);
        }
        Answer::Inner(self.inner.call(request))
    }
}

/// What is answered. No box: each request passes here.
pub(crate) enum Answer<F> {
    Refusal(Option<Response>),
    Inner(F),
}

impl<F: Future<Output = Result<Response, Infallible>> + Unpin> Future for Answer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.get_mut() {
            Self::Refusal(response) => {
                let response = response.take();
                Poll::Ready(Ok(response.expect("a future is not polled after its end")))
            }
            Self::Inner(inner) => Pin::new(inner).poll(context),
        }
    }
}

/// Whether a request may go on.
///
/// # Errors
///
/// Why not.
pub(crate) fn check<B>(request: &Request<B>, body_limit_bytes: usize) -> Result<(), ErrorResponse> {
    // RFC 9112, section 3.2. Who stands in front may have gone by another one of two.
    if request.version() == Version::HTTP_11 {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let problem = match (hosts.next(), hosts.next()) {
            (None, _) => Some("there is no `host`"),
            (_, Some(_)) => Some("there are several `host`"),
            (Some(host), None) => {
                let is_valid = is_name_and_port(host.as_bytes())
                    || Authority::try_from(host.as_bytes())
                        .is_ok_and(|authority| !authority.as_str().contains('@'));
                (!is_valid).then_some("`host` is no host")
            }
        };
        if let Some(problem) = problem {
            let error = format!("{problem}: expected one, as `host: example.com`");
            return Err(ErrorResponse::bad_request(error).of_caller(request.headers()));
        }
    }
    // A limit for what comes out of a compressed body is one for the compressed body, too.
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > body_limit_bytes as u64) {
        let error = ErrorResponse::body_too_large(body_limit_bytes);
        return Err(error.of_caller(request.headers()));
    }
    Ok(())
}

/// What almost every `host` is: letters, digits, `.`, `-`, and perhaps a port; or empty. To be told
/// apart quickly from what takes a parser.
fn is_name_and_port(host: &[u8]) -> bool {
    let mut parts = host.splitn(2, |byte| *byte == b':');
    let (name, port) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && port.iter().all(u8::is_ascii_digit)
        && (port.is_empty() || !name.is_empty())
}

/// Whether answers may be compressed with what there is.
pub(crate) fn accepts_a_coding(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let coding = coding.trim();
        let is_known =
            ["gzip", "x-gzip", "zstd"].iter().any(|name| coding.eq_ignore_ascii_case(name));
        let weight = weight.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
        is_known && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn codings_are_accepted_by_name_and_weight() {
        for (value, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("identity;q=0, zstd; q=1.0", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000, *", false),
            ("identity;q=0", false),
            ("*;q=0", false),
            ("br", false),
            ("", false),
            ("gzip;q", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_a_coding(&headers), expected, "{value}");
        }
        assert!(!accepts_a_coding(&HeaderMap::new()));
    }
}
