//! Why a prediction failed: one error type for the whole stack.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// Why a prediction failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// The caller's input is not acceptable; everything wrong with it, at once.
    #[error("invalid input: {}", List(.0))]
    InvalidInput(Vec<Violation>),

    /// The model failed. Its own error is the [`source`](Error::source) and can be downcast.
    #[error("the model failed")]
    Model(#[source] Box<dyn Error + Send + Sync>),

    /// A decorator refused the request, for instance because too many are under way.
    #[error("the request was rejected")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
}

impl PredictionError {
    /// The model failed with `source`.
    #[cold]
    pub fn model(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Model(source.into())
    }

    /// A decorator refused the request for the reason `source`.
    ///
    /// ```
    /// use ml_model_core::{PredictionError, error_chain};
    ///
    /// let error = PredictionError::rejected("8 predictions are under way");
    /// assert_eq!(
    ///     error_chain(&error).to_string(),
    ///     "the request was rejected: 8 predictions are under way",
    /// );
    /// ```
    #[cold]
    pub fn rejected(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Rejected(source.into())
    }
}

/// One thing wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where: the path of the field from the root of the input, such as `address.zip` or
    /// `items.3`; empty for the input as a whole.
    pub path: String,
    /// What is wrong there, without the path.
    pub message: String,
}

impl Violation {
    /// `message` is wrong at `path`.
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

/// Violations in one line.
struct List<'a>(&'a [Violation]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

/// Shows an error with everything that caused it: `outer: inner: root`. An error that only repeats
/// the one outside of it is not shown twice.
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
