//! The parts of an observed prediction that do not depend on the model.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::time::Instant;

use tracing::span::EnteredSpan;
use uuid::Uuid;

/// Output of a model with the id of its prediction.
pub struct Prediction<O> {
    pub output: O,
    pub prediction_id: String,
}

/// Reason why a prediction failed.
#[derive(Debug)]
pub enum PredictionError {
    InvalidId(String),
    Model(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for PredictionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidId(reason) => write!(f, "invalid input: prediction_id: {reason}"),
            Self::Model(error) => error.fmt(f),
        }
    }
}

impl Error for PredictionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidId(_) => None,
            Self::Model(error) => Some(&**error),
        }
    }
}

/// A prediction that has begun.
pub struct Observed {
    pub prediction_id: String,
    refusal: Option<String>,
    started: Instant,
    _span: EnteredSpan,
}

impl Observed {
    /// Takes the caller's id or makes one, and enters the span.
    pub fn begin(caller_id: Option<&str>) -> Self {
        let mut refusal = None;
        let prediction_id = match caller_id {
            Some(id) => match check(id) {
                Ok(()) => id.to_owned(),
                Err(reason) => {
                    refusal = Some(reason);
                    Uuid::new_v4().to_string()
                }
            },
            None => Uuid::new_v4().to_string(),
        };
        let span = tracing::error_span!("prediction", prediction_id = prediction_id.as_str());
        Self { prediction_id, refusal, started: Instant::now(), _span: span.entered() }
    }

    /// Starts the clock. Returns an error if the caller's id is invalid.
    pub fn start(&mut self) -> Result<(), PredictionError> {
        self.started = Instant::now();
        self.refusal.take().map_or(Ok(()), |reason| Err(PredictionError::InvalidId(reason)))
    }

    pub fn duration_ms(&self) -> f64 {
        self.started.elapsed().as_micros() as f64 / 1e3
    }

    pub fn prediction<O>(self, output: O) -> Prediction<O> {
        Prediction { output, prediction_id: self.prediction_id }
    }
}

fn check(id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err("must have at least 1 character".to_owned());
    }
    if let Some((index, character)) =
        id.char_indices().find(|&(_, c)| !(c.is_ascii_alphanumeric() || "._:-".contains(c)))
    {
        return Err(format!(
            "must consist of letters, digits, '.', '_', ':' and '-', but has {character:?} at position {index}"
        ));
    }
    if id.len() > 128 {
        return Err(format!("must have at most 128 characters, but has {}", id.len()));
    }
    Ok(())
}

/// Returns an error and its sources as one text.
pub fn error_info(error: &PredictionError) -> String {
    let mut shown = error.to_string();
    let mut text = shown.clone();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if next != shown {
            text.push_str(": ");
            text.push_str(&next);
        }
        shown = next;
        source = error.source();
    }
    text
}

/// Returns the message of a panic.
pub fn panic_info(panic: &(dyn Any + Send)) -> String {
    let message = if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "no message"
    };
    format!("panic: {message}")
}
