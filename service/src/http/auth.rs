//! API keys and admin keys in the head of a request: `Authorization: Bearer ...` or `X-API-Key: ...`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use subtle::Choice;

use super::connection::Connection;
use crate::config::ApiKeys;
use crate::hosting::shorten::shortened;
use crate::throttle::Throttle;

/// Logger of the records about failed authentications.
const TARGET: &str = "ml_model_service::auth";

/// Minimum time between two records about failed authentications.
const PAUSE: Duration = Duration::from_secs(1);

/// Returns whether a request has one of the keys. The time for it does not depend on the keys.
pub(super) fn has_key(keys: &ApiKeys, headers: &HeaderMap) -> bool {
    let given = given(headers);
    given.fold(Choice::from(0), |found, key| found | keys.contains(key)).into()
}

/// Returns the keys in the head. A proxy may use one of the two headers for a key of its own.
fn given(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim().as_bytes())
    });
    [bearer, headers.get("x-api-key").map(HeaderValue::as_bytes)].into_iter().flatten()
}

/// Writes records about failed authentications. A client that tries keys cannot flood the log: there is at
/// most one record per second, which has the number of failures since the record before.
pub(super) struct FailedAuthentications {
    records: Throttle,
    unrecorded: AtomicU64,
}

impl Default for FailedAuthentications {
    fn default() -> Self {
        Self { records: Throttle::new(PAUSE), unrecorded: AtomicU64::new(0) }
    }
}

impl FailedAuthentications {
    /// Counts a failure and records it if a record is due. The key is not in the record.
    pub(super) fn add(&self, connection: &Connection, head: &Parts) {
        self.unrecorded.fetch_add(1, Ordering::Relaxed);
        if !self.records.permits() {
            return;
        }
        let has_key = given(&head.headers).next().is_some();
        tracing::warn!(
            target: TARGET,
            error_info = if has_key { "the key is unknown" } else { "the request has no key" },
            client = connection.peer.map(|peer| tracing::field::display(peer.ip())),
            failures = self.unrecorded.swap(0, Ordering::Relaxed),
            http_method = &*shortened(head.method.as_str()),
            http_path = &*shortened(head.uri.path()),
            "Authentication failed."
        );
    }
}
