//! The prediction id in the headers of a request.

use ml_model_core::{PredictionId, Violation};

use super::known_headers::Values;

/// Returns the prediction id in the header, or the mistake in it.
pub(super) fn of_request(header: Values<'_>) -> Option<Result<PredictionId, Violation>> {
    let invalid = |message: String| Some(Err(Violation::new("X-Prediction-Id", message)));
    match header {
        Values::None => None,
        Values::Several => invalid("must be there once".to_owned()),
        Values::One(value) => match value.to_str().map(PredictionId::try_from) {
            Ok(Ok(id)) => Some(Ok(id)),
            Ok(Err(error)) => invalid(error.to_string()),
            Err(_) => invalid("must be visible ASCII characters".to_owned()),
        },
    }
}
