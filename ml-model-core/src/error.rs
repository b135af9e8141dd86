//! [`PredictionError`], the error type of the whole stack, and the types inside it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::Serialize;

/// Reason why a prediction failed.
///
/// The text of an error from a model or a decorator is the text of its source, without words of this crate
/// in front. [`error_chain`] omits the repetition. `Debug` writes the error with its sources, for a `main` that
/// returns it.
///
/// ```
/// use ml_model_core::PredictionError;
///
/// fn may_succeed_later(error: &PredictionError) -> bool {
///     match error {
///         PredictionError::InvalidInput(_violations) => false,
///         PredictionError::Model(source) => source.is::<std::io::Error>(),
///         PredictionError::Rejected(rejection) => rejection.r#type() == "ServiceError",
///         _ => false,
///     }
/// }
///
/// let error = std::io::Error::other("the features cannot be read");
/// assert!(may_succeed_later(&PredictionError::model(error)));
/// assert!(!may_succeed_later(&PredictionError::InvalidInput(Vec::new())));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// The input is invalid. All violations are reported at once.
    #[error("invalid input: {}", joined(.0))]
    InvalidInput(Vec<Violation>),

    /// The model failed. The [`source`](Error::source) is its own error, which can be downcast.
    #[error("{0}")]
    Model(#[source] Box<dyn Error + Send + Sync>),

    /// The model or a decorator has rejected the request.
    #[error("{0}")]
    Rejected(#[from] Rejection),
}

impl PredictionError {
    /// Creates the error of a model that failed with `source`. A [`Rejection`] rejects the request, and a
    /// `PredictionError` is returned unchanged. An error with a [`Rejection`] among its sources rejects the
    /// request with its own text and the kind and type of that rejection.
    #[cold]
    pub fn model(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        fn of_boxed(source: Box<dyn Error + Send + Sync>) -> PredictionError {
            let source = match source.downcast() {
                Ok(error) => return *error,
                Err(source) => source,
            };
            match source.downcast() {
                Ok(rejection) => PredictionError::Rejected(*rejection),
                Err(source) => match refusal_in(&*source) {
                    Some((kind, r#type)) => Rejection::new(kind, r#type, source).into(),
                    None => PredictionError::Model(source),
                },
            }
        }
        of_boxed(source.into())
    }

    /// Creates the error of a decorator that cannot take the request now, for instance because of too many
    /// concurrent requests. A service answers with 503.
    ///
    /// ```
    /// use ml_model_core::{PredictionError, error_chain};
    ///
    /// let error = PredictionError::rejected("8 requests are pending");
    /// assert_eq!(error_chain(&error).to_string(), "8 requests are pending");
    /// ```
    #[cold]
    pub fn rejected(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Rejected(Rejection::new(RejectionKind::Unavailable, "ServiceError", reason))
    }
}

impl fmt::Debug for PredictionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&error_chain(self), f)
    }
}

/// Refusal of a request by the model or a decorator, with a reason for the client.
///
/// A model returns it as its own error, or inside of a [`PredictionError`]:
///
/// ```
/// use ml_model_core::{Infer, MLModel, PredictionError, Rejection, RejectionKind};
///
/// #[derive(MLModel)]
/// struct Discount;
///
/// impl Infer for Discount {
///     type Input = String;
///     type Output = f64;
///     type Error = Rejection;
///
///     fn infer(&self, customer: &String) -> Result<f64, Rejection> {
///         match &**customer {
///             "c-7" => Ok(0.1),
///             _ => Err(Rejection::new(
///                 RejectionKind::NotFound,
///                 "UnknownCustomerError",
///                 format!("there is no customer `{customer}`"),
///             )),
///         }
///     }
/// }
///
/// let error = Discount.predict("c-8".to_owned()).unwrap_err();
/// assert!(matches!(error, PredictionError::Rejected(_)));
/// assert_eq!(error.to_string(), "there is no customer `c-8`");
/// ```
///
/// An error type of the model's own may wrap it, if the rejection is a [`source`](Error::source):
///
/// ```
/// # use ml_model_core::{PredictionError, Rejection, RejectionKind};
/// #[derive(Debug, thiserror::Error)]
/// enum ScoringError {
///     #[error("no score")]
///     Rejected(#[from] Rejection),
///     #[error("the model file is damaged")]
///     Damaged,
/// }
///
/// let rejection = Rejection::new(RejectionKind::Conflict, "StaleError", "the score is stale");
/// let error = PredictionError::model(ScoringError::from(rejection));
/// assert!(matches!(error, PredictionError::Rejected(_)));
/// # let _ = ScoringError::Damaged;
/// ```
#[derive(Debug)]
// Boxed, because its size is part of every result of a prediction.
pub struct Rejection(Box<Refusal>);

#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Refusal {
    kind: RejectionKind,
    r#type: Cow<'static, str>,
    #[source]
    reason: Box<dyn Error + Send + Sync>,
}

impl Rejection {
    /// Creates a rejection. `type` names the error for programs, as in `UnknownCustomerError`. The text of
    /// `reason` reaches the client, its sources do not.
    pub fn new(
        kind: RejectionKind,
        r#type: impl Into<Cow<'static, str>>,
        reason: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self(Box::new(Refusal { kind, r#type: r#type.into(), reason: reason.into() }))
    }

    /// Returns the kind of the rejection.
    pub fn kind(&self) -> RejectionKind {
        self.0.kind
    }

    /// Returns the name of the error for programs.
    pub fn r#type(&self) -> &str {
        &self.0.r#type
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// Not the source of the refusal, so that the refusal is found in an error that is transparent around it.
impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Returns kind and type of the rejection among an error and its sources.
fn refusal_in(error: &(dyn Error + 'static)) -> Option<(RejectionKind, Cow<'static, str>)> {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => Some((refusal.kind, refusal.r#type.clone())),
        None => refusal_in(error.source()?),
    }
}

/// Kind of a [`Rejection`], with the status of a service's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The input is valid, but the model cannot predict from it (422).
    Unprocessable,
    /// The caller has no permission for this prediction (403).
    Forbidden,
    /// The input refers to something that does not exist (404).
    NotFound,
    /// The request contradicts the state of the model (409).
    Conflict,
    /// The caller has sent too many requests (429).
    TooManyRequests,
    /// No prediction is possible now (503).
    Unavailable,
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

    /// Returns the names and indices in the path. An index is written `.3` or, by `serde_path_to_error`, `[3]`.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.split(['.', '[', ']']).filter(|segment| !segment.is_empty())
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
