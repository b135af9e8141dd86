//! The keyed digest of the policy `hashed`.
//!
//! It consists of the first 16 bytes of HMAC-SHA-256 over the value's text, as 32 hexadecimal digits. The
//! name of the field is not part of it, so that the same customer has the same digest in all fields.

use std::fmt::{self, Display, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::{
    BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE,
};
use hmac_sha256::HMAC;
use tracing::field::{DisplayValue, Field, Visit, display};
use tracing::subscriber::Interest;
use tracing::{Metadata, Value};
use tracing_core::callsite::Callsite;
use tracing_core::metadata::Kind;

/// Environment variable with the key.
pub(crate) const KEY_VARIABLE: &str = "ML_LOG_HASH_KEY";

/// Minimum length of the key in bytes.
const SHORTEST_KEY: usize = 32;

/// Reason why there is no key for the policy `hashed`. It does not contain the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{KEY_VARIABLE} {problem}; set it to 32 random bytes or more, as hexadecimal digits or base64"
)]
pub struct HashKeyError {
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("is not set")]
    Missing,
    #[error("is neither hexadecimal digits nor base64")]
    Encoding,
    #[error("has {0} bytes only")]
    TooShort(usize),
}

/// Checks the key of the policy `hashed`, which is read from `ML_LOG_HASH_KEY` once per process.
///
/// # Errors
///
/// Fails without a key of 32 bytes or more.
pub fn check_hash_key() -> Result<(), HashKeyError> {
    key().as_ref().map(|_| ()).map_err(|error| *error)
}

/// Returns the state of HMAC after the key.
fn key() -> &'static Result<HMAC, HashKeyError> {
    static KEY: OnceLock<Result<HMAC, HashKeyError>> = OnceLock::new();
    KEY.get_or_init(|| {
        let variable = std::env::var_os(KEY_VARIABLE).unwrap_or_default();
        decode(variable.to_str().unwrap_or("?").trim())
            .map(HMAC::new)
            .map_err(|problem| HashKeyError { problem })
    })
}

fn decode(text: &str) -> Result<Vec<u8>, Problem> {
    if text.is_empty() {
        return Err(Problem::Missing);
    }
    let encodings = [HEXLOWER_PERMISSIVE, BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD];
    let key = encodings.iter().find_map(|encoding| encoding.decode(text.as_bytes()).ok());
    match key.ok_or(Problem::Encoding)? {
        key if key.len() < SHORTEST_KEY => Err(Problem::TooShort(key.len())),
        key => Ok(key),
    }
}

/// Logs once per process that fields have no key.
#[cold]
pub(crate) fn report_missing_key() {
    static IS_REPORTED: AtomicBool = AtomicBool::new(false);
    if let Err(error) = key()
        && !IS_REPORTED.swap(true, Ordering::Relaxed)
    {
        tracing::error!(error_info = %error, "Hashed fields are logged as \"{NO_KEY}\".");
    }
}

const NO_KEY: &str = "[NO KEY]";

/// A digest; `None` without a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Digest(Option<[u8; 16]>);

impl Digest {
    /// Returns the digest of a value's text.
    pub(crate) fn of(text: impl Display) -> Self {
        let Ok(key) = key() else { return Self(None) };
        let mut absorbed = Absorbed(key.clone());
        // An error of the value's own `Display` ends its text.
        let _ended = write!(absorbed, "{text}");
        let mac = absorbed.0.finalize();
        Self(mac.first_chunk().copied())
    }
}

impl Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bytes) = &self.0 else { return f.write_str(NO_KEY) };
        let mut digits = [0; 32];
        HEXLOWER.encode_mut(bytes, &mut digits);
        f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

/// Text that is hashed while it is written.
struct Absorbed(HMAC);

impl Write for Absorbed {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0.update(part);
        Ok(())
    }
}

/// Returns the digest of a value that `tracing` records; `None` if it is `null`.
pub(crate) fn of_value(value: &dyn Value) -> Option<DisplayValue<Digest>> {
    let mut visitor = DigestVisitor(None);
    if let Some(field) = METADATA.fields().field("value") {
        value.record(&field, &mut visitor);
    }
    visitor.0.map(display)
}

/// Reads the one value that it visits.
struct DigestVisitor(Option<Digest>);

macro_rules! visit {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(&mut self, _field: &Field, value: $type) {
            self.0 = Some(Digest::of(value));
        }
    )*};
}

impl Visit for DigestVisitor {
    visit! {
        record_bool: bool,
        record_i64: i64,
        record_u64: u64,
        record_i128: i128,
        record_u128: u128,
        record_f64: f64,
        record_str: &str,
    }

    fn record_debug(&mut self, _field: &Field, value: &dyn fmt::Debug) {
        self.0 = Some(Digest::of(fmt::from_fn(|f| value.fmt(f))));
    }
}

/// A visitor receives values with a field, and a field belongs to a call site: this one has no records.
struct NoCallSite;

static NO_CALL_SITE: NoCallSite = NoCallSite;

static METADATA: Metadata<'static> = tracing_core::metadata! {
    name: "hashed value",
    target: module_path!(),
    level: tracing::Level::TRACE,
    fields: &["value"],
    callsite: &NO_CALL_SITE,
    kind: Kind::EVENT
};

impl Callsite for NoCallSite {
    fn set_interest(&self, _interest: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hexadecimal_digits_or_base64() {
        let key = [0xA5; 32];
        for text in [
            HEXLOWER.encode(&key),
            HEXLOWER.encode(&key).to_uppercase(),
            BASE64.encode(&key),
            BASE64_NOPAD.encode(&key),
            BASE64URL.encode(&key),
            BASE64URL_NOPAD.encode(&key),
        ] {
            assert_eq!(decode(&text).as_deref(), Ok(key.as_slice()), "{text}");
        }
        assert_eq!(decode(""), Err(Problem::Missing));
        assert_eq!(decode("not a key"), Err(Problem::Encoding));
        assert_eq!(decode(&HEXLOWER.encode(&key[1..])), Err(Problem::TooShort(31)));
    }

    #[test]
    fn an_error_does_not_contain_the_key() {
        let error = HashKeyError { problem: Problem::TooShort(3) };
        assert_eq!(
            error.to_string(),
            "ML_LOG_HASH_KEY has 3 bytes only; set it to 32 random bytes or more, as hexadecimal digits \
             or base64"
        );
    }
}
