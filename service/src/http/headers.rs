//! Checks of the head of a request.

use hyper::Version;
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

use super::compression::Coding;
use super::response::ErrorResponse;
use crate::hosting::shorten::shortened;

/// Checks the head of a request, for every route.
///
/// # Errors
///
/// Fails with the error to answer: the request has no valid host, or its body is too large.
pub(super) fn validate(head: &Parts, body_limit_bytes: usize) -> Result<(), ErrorResponse> {
    // RFC 9112, section 3.2. Of two hosts a proxy may have followed the other one.
    if head.version == Version::HTTP_11 {
        let mut hosts = head.headers.get_all(header::HOST).iter();
        let problem = match (hosts.next(), hosts.next()) {
            (None, _) => Some("there is no `host`"),
            (_, Some(_)) => Some("there are several `host`"),
            (Some(host), None) => {
                let is_valid = is_name_and_port(host.as_bytes())
                    || Authority::try_from(host.as_bytes())
                        .is_ok_and(|authority| !authority.as_str().contains('@'));
                (!is_valid).then_some("`host` is not valid")
            }
        };
        if let Some(problem) = problem {
            let error = format!("{problem}: expected one, as `host: example.com`");
            return Err(ErrorResponse::bad_request(error).of_caller(&head.headers));
        }
    }
    // The limit of a decompressed body is one for the compressed body as well.
    let length = head.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > body_limit_bytes as u64) {
        let error = ErrorResponse::body_too_large(body_limit_bytes);
        return Err(error.of_caller(&head.headers));
    }
    Ok(())
}

/// Recognises the usual form of a host without a parser: letters, digits, `.` and `-`, and a port; or
/// nothing.
fn is_name_and_port(host: &[u8]) -> bool {
    let mut parts = host.splitn(2, |byte| *byte == b':');
    let (name, port) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && port.iter().all(u8::is_ascii_digit)
        && (port.is_empty() || !name.is_empty())
}

/// Checks that a body is JSON in UTF-8.
pub(super) fn expect_json(headers: &HeaderMap) -> Result<(), ErrorResponse> {
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

/// Returns the content coding of a body.
///
/// # Errors
///
/// 415 for an unknown coding, for several, and for any if `is_enabled` is false.
pub(super) fn content_coding(
    headers: &HeaderMap,
    is_enabled: bool,
) -> Result<Option<Coding>, ErrorResponse> {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let codings = codings.map(|coding| coding.to_str().unwrap_or("?"));
    let mut codings = codings.filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    let Some(name) = codings.next() else { return Ok(None) };
    let supported = if is_enabled { Coding::NAMES } else { "identity" };
    let message = if codings.next().is_some() {
        format!("several content codings are not supported; use one of: {supported}")
    } else if let Some(coding) = Coding::of(name).filter(|_| is_enabled) {
        return Ok(Some(coding));
    } else {
        let name = shortened(name);
        format!("the content coding `{name}` is not supported; use one of: {supported}")
    };
    Err(ErrorResponse::unsupported_content_coding(message, supported))
}
