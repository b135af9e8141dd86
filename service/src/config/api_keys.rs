//! API keys and admin keys.

use std::env::{self, VarError};
use std::fmt;
use std::path::Path;

use subtle::{Choice, ConstantTimeEq};

/// Keys of which a request must have one.
pub(crate) struct ApiKeys(Vec<String>);

/// Minimum length of a key; a shorter one can be guessed.
const SHORTEST: usize = 16;

impl ApiKeys {
    /// Reads one key per line. Ignores empty lines and those that begin with `#`.
    ///
    /// # Errors
    ///
    /// Fails if there are no usable keys. The reason does not contain keys.
    pub(crate) fn from_file(path: &Path) -> Result<Self, String> {
        let text = ml_configuration::read_file(path)
            .map_err(|error| format!("the file with the keys cannot be read: {error}"))?;
        Self::new(text.lines())
    }

    /// Reads keys separated by commas or white space.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file).
    pub(crate) fn from_environment(variable: &str) -> Result<Self, String> {
        // The name is not shown: it may be a key in the wrong place.
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
                "key number {} is too short: it needs at least {SHORTEST} characters",
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

    /// Returns the number of keys.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the number of the first key, counted from 1, that is also one of `others`.
    pub(crate) fn first_of(&self, others: &Self) -> Option<usize> {
        self.0.iter().position(|key| others.0.contains(key)).map(|index| index + 1)
    }

    /// Compares a key with all of these, in a time that depends neither on the one that matches nor on
    /// the number of leading characters that match.
    pub(crate) fn contains(&self, key: &[u8]) -> Choice {
        let keys = self.0.iter();
        keys.fold(Choice::from(0), |found, known| found | known.as_bytes().ct_eq(key))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({} keys)", self.0.len())
    }
}
