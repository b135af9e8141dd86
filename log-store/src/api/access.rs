//! Access to the page and the API.
//!
//! With a token, a request must have it: as `Authorization: Bearer …`, or as the cookie that
//! `/?token=…` sets for the page. Without one the server listens on loopback only, and the host in the
//! address must be an IP address or `localhost`: a page of another site could otherwise read the
//! predictions through a name that it lets point to 127.0.0.1.

use std::net::IpAddr;

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use subtle::ConstantTimeEq;

use super::response::{ErrorResponse, Response, with_headers};

const COOKIE: &str = "ml_logs_token";

/// Rules of access.
pub(crate) struct Access {
    token: Option<String>,
}

impl Access {
    /// Creates the rules. Without a token everything on this machine has access.
    pub(crate) fn new(token: Option<String>) -> Self {
        Self { token }
    }

    /// Checks a request. Returns an answer for one that brings the token in its address.
    pub(super) fn check(&self, head: &Parts) -> Result<Option<Response>, ErrorResponse> {
        let Some(token) = &self.token else {
            return if is_local(&head.headers) {
                Ok(None)
            } else {
                let message = "the host in the address must be an IP address or `localhost`, or the \
                               server must have a token";
                Err(ErrorResponse::new(StatusCode::FORBIDDEN, "Forbidden", message))
            };
        };
        let is_token = |text: &str| bool::from(text.as_bytes().ct_eq(token.as_bytes()));
        if head.uri.path() == "/"
            && let Some(given) = head.uri.query().and_then(|query| query.strip_prefix("token="))
            && is_token(given)
            && let Ok(cookie) = HeaderValue::from_str(&format!(
                "{COOKIE}={given}; HttpOnly; SameSite=Strict; Path=/"
            ))
        {
            let mut response = with_headers(StatusCode::SEE_OTHER, "", [(header::LOCATION, "/")]);
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            return Ok(Some(response));
        }
        let text =
            |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let cookies = text(header::COOKIE).unwrap_or_default().split(';');
        let cookie = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        let cookie = cookie.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value).next();
        if bearer.or(cookie).is_some_and(is_token) {
            return Ok(None);
        }
        let message = "the request has no valid token: send `Authorization: Bearer …`, or open `/?token=…` \
                       in a browser";
        Err(ErrorResponse::new(StatusCode::UNAUTHORIZED, "Unauthorized", message))
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else {
        return true;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}
