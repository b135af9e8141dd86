//! A model of four rules, for a second opinion and for loans that the scorecard does not cover.

use std::convert::Infallible;

use ml_model_core::{Infer, MLModel};

use crate::application::{Application, CheckingAccount, OtherPlans};
use crate::decision::{Class, DecidedBy, Decision};

/// Estimates the probability that a loan is not paid back from its duration and the customer's accounts.
#[derive(Clone, Copy, Debug, MLModel)]
#[ml_model(execution = inline)]
#[decorate(prediction_id)]
#[decorate(logging(
    input_fields = ["hashed(customer_id)", "duration", "checking_account", "other_plans"],
    output_fields = ["class", "default_probability"],
))]
pub struct CreditRules;

impl Infer for CreditRules {
    type Input = Application;
    type Output = Decision;
    type Error = Infallible;

    fn infer(&self, application: &Application) -> Result<Decision, Infallible> {
        // The share of bad loans in the Statlog German credit data among those that fit the rule.
        let default_probability = match (application.checking_account, application.duration) {
            (CheckingAccount::None, _) if application.other_plans == OtherPlans::None => 0.08,
            (CheckingAccount::None, _) | (_, ..=12) => 0.30,
            (_, 13..=24) => 0.42,
            _ => 0.58,
        };
        Ok(Decision {
            class: Class::cheaper(default_probability),
            default_probability,
            decided_by: DecidedBy::Rules,
        })
    }
}
