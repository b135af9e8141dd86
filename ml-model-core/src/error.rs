//! [`PredictionError`], the error type of the whole stack.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// Reason why a prediction failed.
///
/// The text of an error from a model or a decorator is the text of its source, without words of this crate
/// in front. [`error_chain`] omits the repetition.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// The input is invalid. All violations are reported at once.
    #[error("invalid input: {}", joined(.0))]
    InvalidInput(Vec<Violation>),

    /// The model failed. The [`source`](Error::source) is its own error, which can be downcast.
    #[error("{0}")]
    Model(#[source] Box<dyn Error + Send + Sync>),

    /// A decorator rejected the request, for instance because of too many concurrent requests.
    #[error("{0}")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
}

impl PredictionError {
    /// Creates the error of a model that failed with `source`.
    #[cold]
    pub fn model(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Model(source.into())
    }

    /// Creates the error of a decorator that rejects a request because of `source`.
    ///
    /// ```
    /// use ml_model_core::{PredictionError, error_chain};
    ///
    /// let error = PredictionError::rejected("8 requests are pending");
    /// assert_eq!(error_chain(&error).to_string(), "8 requests are pending");
    /// ```
    #[cold]
    pub fn rejected(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Rejected(source.into())
    }
}

/// One reason why an input is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Path of the invalid field from the root of the input, such as `address.zip` or `items.3`; empty
    /// for the input itself.
    pub path: String,
    /// Description of the problem, without the path.
    pub message: String,
}

impl Violation {
    /// Creates a violation at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Joins violations in one line.
fn joined(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ")
}

/// Writes an error and its sources: `outer: inner: root`. A source with the same text as the error
/// around it is omitted.
pub fn error_chain<'a>(error: &'a (dyn Error + 'static)) -> impl fmt::Display + 'a {
    fmt::from_fn(move |f| {
        let mut shown = error.to_string();
        f.write_str(&shown)?;
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            if text != shown {
                write!(f, ": {text}")?;
            }
            shown = text;
            source = error.source();
        }
        Ok(())
    })
}
