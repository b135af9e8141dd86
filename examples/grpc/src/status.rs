//! States of failed calls.
//!
//! | error of the prediction | state | details |
//! |---|---|---|
//! | invalid input | `INVALID_ARGUMENT` | `BadRequest` with all violations |
//! | rejected: unprocessable, conflict | `FAILED_PRECONDITION` | `ErrorInfo` with the type of the rejection |
//! | rejected: forbidden | `PERMISSION_DENIED` | the same |
//! | rejected: not found | `NOT_FOUND` | the same |
//! | rejected: too many requests | `RESOURCE_EXHAUSTED` | the same |
//! | rejected: unavailable | `UNAVAILABLE` | the same |
//! | the model failed or panicked | `INTERNAL` | none; the log contains the reason |

use std::collections::HashMap;

use ml_model_core::{PredictionError, RejectionKind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// Domain of the types of rejections.
const DOMAIN: &str = "insurance_charges.v1";

/// Makes the state of a failed prediction.
pub fn of(error: &PredictionError) -> Status {
    match error {
        PredictionError::InvalidInput(violations) => {
            let violations = violations
                .iter()
                .map(|violation| FieldViolation::new(&violation.path, &violation.message));
            let details = ErrorDetails::with_bad_request(violations.collect::<Vec<_>>());
            Status::with_error_details(Code::InvalidArgument, error.to_string(), details)
        }
        PredictionError::Rejected(rejection) => {
            let details =
                ErrorDetails::with_error_info(rejection.r#type(), DOMAIN, HashMap::default());
            // The text of a rejection is written for the client.
            Status::with_error_details(code(rejection.kind()), rejection.to_string(), details)
        }
        _ => Status::internal("the model failed; the log contains the reason"),
    }
}

fn code(kind: RejectionKind) -> Code {
    match kind {
        RejectionKind::Forbidden => Code::PermissionDenied,
        RejectionKind::NotFound => Code::NotFound,
        RejectionKind::TooManyRequests => Code::ResourceExhausted,
        RejectionKind::Unavailable => Code::Unavailable,
        _ => Code::FailedPrecondition,
    }
}
