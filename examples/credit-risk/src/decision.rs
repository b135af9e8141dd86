//! The output of both models.

use ml_model_core::LogValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Decision on an application.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    pub class: Class,
    /// Probability that the loan is not paid back.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub default_probability: f64,
    /// The model that has decided.
    pub decided_by: DecidedBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Grant,
    /// A clerk decides.
    Review,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    Scorecard,
    Rules,
}

impl Class {
    /// Chooses the cheaper decision.
    ///
    /// The costs come with the data: a loan that is granted and not paid back costs five times as much as a good
    /// loan that is refused.
    pub fn cheaper(default_probability: f64) -> Self {
        if 5.0 * default_probability < 1.0 - default_probability {
            Self::Grant
        } else {
            Self::Refuse
        }
    }
}
