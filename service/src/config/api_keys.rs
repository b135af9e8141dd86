//! API keys and admin keys.

use std::env::{self, VarError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use subtle::{Choice, ConstantTimeEq};

/// Keys of which a request must have one. Those of a file can be read again while the service runs.
pub(crate) struct ApiKeys {
    keys: ArcSwap<Vec<String>>,
    file: Option<PathBuf>,
}

/// Minimum length of a key; a shorter one can be guessed.
const SHORTEST: usize = 16;

impl ApiKeys {
    /// Reads one key per line. Ignores empty lines and those that begin with `#`.
    ///
    /// # Errors
    ///
    /// Fails if there are no usable keys. The reason does not contain keys.
    pub(crate) fn from_file(path: &Path) -> Result<Self, String> {
        let keys = ArcSwap::from_pointee(read_file(path)?);
        Ok(Self { keys, file: Some(path.to_owned()) })
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
        let keys = checked(text.split([',', ' ', '\n', '\t']))?;
        Ok(Self { keys: ArcSwap::from_pointee(keys), file: None })
    }

    /// Reads the files of API keys and admin keys again.
    ///
    /// # Errors
    ///
    /// Fails if one of the files has a mistake, with the reason. All keys stay as they were then.
    pub(crate) fn reload(api: Option<&Self>, admin: Option<&Self>) -> Result<(), String> {
        let new_api = api.map(Self::read_again).transpose()?;
        let new_admin = admin.map(Self::read_again).transpose()?;
        if let (Some(api), Some(admin)) = (&new_api, &new_admin)
            && let Some(number) = first_of(admin, api)
        {
            return Err(is_shared(number));
        }
        for (keys, new) in [(api, new_api), (admin, new_admin)] {
            if let (Some(keys), Some(new)) = (keys, new) {
                keys.keys.store(new);
            }
        }
        Ok(())
    }

    /// Returns the keys that the file has now. Keys of the environment stay the same.
    fn read_again(&self) -> Result<Arc<Vec<String>>, String> {
        match &self.file {
            Some(path) => read_file(path)
                .map(Arc::new)
                .map_err(|error| format!("{}: {error}", path.display())),
            None => Ok(self.keys.load_full()),
        }
    }

    /// Returns the number of keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.load().len()
    }

    /// Returns the number of the first key, counted from 1, that is also one of `others`.
    pub(crate) fn first_of(&self, others: &Self) -> Option<usize> {
        first_of(&self.keys.load(), &others.keys.load())
    }

    /// Compares a key with all of these, in a time that depends neither on the one that matches nor on
    /// the number of leading characters that match.
    pub(crate) fn contains(&self, key: &[u8]) -> Choice {
        let keys = self.keys.load();
        keys.iter().fold(Choice::from(0), |found, known| found | known.as_bytes().ct_eq(key))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({} keys)", self.len())
    }
}

fn read_file(path: &Path) -> Result<Vec<String>, String> {
    let text = ml_configuration::read_file(path)
        .map_err(|error| format!("the file with the keys cannot be read: {error}"))?;
    checked(text.lines())
}

/// Collects keys and checks them.
fn checked<'t>(keys: impl Iterator<Item = &'t str>) -> Result<Vec<String>, String> {
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
    if let Some(index) = keys.iter().position(|key| !key.bytes().all(|b| b.is_ascii_graphic())) {
        return Err(format!("key number {} has characters that no header can carry", index + 1));
    }
    Ok(keys)
}

fn first_of(keys: &[String], others: &[String]) -> Option<usize> {
    keys.iter().position(|key| others.contains(key)).map(|index| index + 1)
}

/// Returns the message about an admin key that is an API key, too.
pub(super) fn is_shared(number: usize) -> String {
    format!(
        "key number {number} is also one of `api_keys`: with it every client could set the levels of the \
         log; use another key"
    )
}
