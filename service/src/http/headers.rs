//! Checks of the headers of a request.

use hyper::Version;
use hyper::header;
use hyper::http::uri::Authority;

use super::compression::{GZIP, is_gzip};
use super::known_headers::{KnownHeaders, Values};
use super::response::ErrorResponse;
use crate::hosting::shorten::shortened;

/// Checks the headers of a request, for every route.
///
/// # Errors
///
/// Fails with the error to answer: the request has no valid host, or its body is too large.
pub(super) fn validate(
    version: Version,
    headers: &KnownHeaders<'_>,
    body_limit_bytes: usize,
) -> Result<(), ErrorResponse> {
    // RFC 9112, section 3.2. Of two hosts a proxy may have followed the other one.
    if version == Version::HTTP_11 {
        let problem = match headers.host {
            Values::None => Some("there is no `host`"),
            Values::Several => Some("there are several `host`"),
            Values::One(host) => {
                let is_valid = is_name_and_port(host.as_bytes())
                    || Authority::try_from(host.as_bytes())
                        .is_ok_and(|authority| !authority.as_str().contains('@'));
                (!is_valid).then_some("`host` is not valid")
            }
        };
        if let Some(problem) = problem {
            let error = format!("{problem}: expected one, as `host: example.com`");
            return Err(ErrorResponse::bad_request(error).of_caller(headers));
        }
    }
    // The limit of a decompressed body is one for the compressed body as well. A body with several equal
    // lengths is limited when it is read.
    let length = match headers.content_length {
        Values::One(length) => length.to_str().ok().and_then(|length| length.parse::<u64>().ok()),
        Values::None | Values::Several => None,
    };
    if length.is_some_and(|length| length > body_limit_bytes as u64) {
        return Err(ErrorResponse::body_too_large(body_limit_bytes).of_caller(headers));
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
pub(super) fn expect_json(headers: &KnownHeaders<'_>) -> Result<(), ErrorResponse> {
    const EXPECTED: &str = "expected `content-type: application/json`";
    let refused = |found: &str| {
        Err(ErrorResponse::unsupported_media_type(format!("{EXPECTED}, found {found}")))
    };
    let value = match headers.content_type {
        Values::One(value) => value.to_str().unwrap_or("?"),
        Values::None => return refused("no content type"),
        Values::Several => return refused("several content types"),
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

/// Returns whether a body is compressed.
///
/// # Errors
///
/// 415 for an unknown coding, for several, and for any if `is_enabled` is false.
pub(super) fn is_compressed(
    headers: &KnownHeaders<'_>,
    is_enabled: bool,
) -> Result<bool, ErrorResponse> {
    if let Values::None = headers.content_encoding {
        return Ok(false);
    }
    let codings = headers.all.get_all(header::CONTENT_ENCODING).iter();
    let codings = codings.map(|coding| coding.to_str().unwrap_or("?"));
    let mut codings = codings.filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    let Some(name) = codings.next() else { return Ok(false) };
    let supported = if is_enabled { GZIP } else { "identity" };
    let message = if codings.next().is_some() {
        format!("several content codings are not supported; use {supported}")
    } else if is_enabled && is_gzip(name) {
        return Ok(true);
    } else {
        let name = shortened(name);
        format!("the content coding `{name}` is not supported; use {supported}")
    };
    Err(ErrorResponse::unsupported_content_coding(message, supported))
}
