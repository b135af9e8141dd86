//! API keys and admin keys in the head of a request: `Authorization: Bearer ...` or `X-API-Key: ...`.

use hyper::header::{self, HeaderMap, HeaderValue};
use subtle::Choice;

use crate::config::ApiKeys;

/// Returns whether a request has one of the keys. The time for it does not depend on the keys.
pub(super) fn has_key(keys: &ApiKeys, headers: &HeaderMap) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim().as_bytes())
    });
    // A proxy may use one of the two headers for a key of its own.
    let given = [bearer, headers.get("x-api-key").map(HeaderValue::as_bytes)];
    let given = given.into_iter().flatten();
    given.fold(Choice::from(0), |found, key| found | keys.contains(key)).into()
}
