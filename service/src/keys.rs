//! API keys and admin keys: who may call what.

use std::env::{self, VarError};
use std::path::Path;
use std::{fmt, fs};

use axum::http::{HeaderMap, HeaderValue, header};
use subtle::{Choice, ConstantTimeEq};

/// Keys of which callers must show one, as `Authorization: Bearer ...` or `X-API-Key: ...`.
pub(crate) struct ApiKeys(Vec<String>);

/// A key shorter than that can be guessed.
const SHORTEST: usize = 16;

impl ApiKeys {
    /// One key per line; empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    ///
    /// Why there are no usable keys, without the keys.
    pub(crate) fn from_file(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("the file with the keys cannot be read: {error}"))?;
        Self::new(text.lines())
    }

    /// Keys separated by commas or white space.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file).
    pub(crate) fn from_environment(variable: &str) -> Result<Self, String> {
        // Its name is not shown: it may be a key in the wrong place.
        let text = match env::var(variable) {
            Ok(text) => text,
            Err(VarError::NotPresent) => {
                return Err(
                    "no environment variable of this name is set; name the one that holds \
                            the keys"
                        .to_owned(),
                );
            }
            Err(VarError::NotUnicode(_)) => {
                return Err("the environment variable of this name is not valid Unicode".to_owned());
            }
        };
        Self::new(text.split([',', ' ', '\n', '\t']))
    }

    fn new<'t>(keys: impl Iterator<Item = &'t str>) -> Result<Self, String> {
        let keys = keys.map(str::trim).filter(|key| !key.is_empty() && !key.starts_with('#'));
        let keys: Vec<String> = keys.map(str::to_owned).collect();
        if keys.is_empty() {
            return Err("no key is found there".to_owned());
        }
        if let Some(index) = keys.iter().position(|key| key.len() < SHORTEST) {
            return Err(format!(
                "key number {} is too short: at least {SHORTEST} characters, please",
                index + 1
            ));
        }
        if let Some(index) = keys.iter().position(|key| !key.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(format!(
                "key number {} has characters that no header can carry",
                index + 1
            ));
        }
        Ok(Self(keys))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of the first key, counted from 1, that is also one of these.
    pub(crate) fn first_of(&self, others: &Self) -> Option<usize> {
        self.0.iter().position(|key| others.0.contains(key)).map(|index| index + 1)
    }

    /// Whether the caller shows a key. How long that takes does not depend on which, or on how
    /// much of one is right.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key.trim().as_bytes())
        });
        // A proxy may have a use of its own for one of the two.
        let shown = [bearer, headers.get("x-api-key").map(HeaderValue::as_bytes)];
        let admitted = shown.into_iter().flatten().fold(Choice::from(0), |admitted, shown| {
            let keys = self.0.iter();
            keys.fold(admitted, |admitted, key| admitted | key.as_bytes().ct_eq(shown))
        });
        admitted.into()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({} keys)", self.0.len())
    }
}
