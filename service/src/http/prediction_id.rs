//! The prediction id in the headers of requests and answers.

use hyper::header::{HeaderMap, HeaderName};
use ml_model_core::{PredictionId, Violation};

/// Header with the prediction id, of requests and of answers.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-prediction-id");

/// Returns the prediction id in the headers, or the mistake in it.
pub(super) fn of_request(headers: &HeaderMap) -> Option<Result<PredictionId, Violation>> {
    let mut values = headers.get_all(HEADER).iter();
    let value = values.next()?;
    let invalid = |message: String| Violation::new("X-Prediction-Id", message);
    if values.next().is_some() {
        return Some(Err(invalid("must be there once".to_owned())));
    }
    Some(match value.to_str() {
        Ok(id) => PredictionId::try_from(id).map_err(|error| invalid(error.to_string())),
        Err(_) => Err(invalid("must be visible ASCII characters".to_owned())),
    })
}
