//! A scorecard: each attribute of an application has points, and their sum is a probability.
//!
//! `fit.py` has fitted the points to the Statlog German credit data, and prints them in the order of this file.

use ml_model_core::{Infer, MLModel};

use crate::application::{
    Application, CheckingAccount, CreditHistory, Employment, Guarantee, Housing, OtherPlans,
    Property, Purpose, Savings,
};
use crate::decision::{Class, DecidedBy, Decision};
use crate::decorators::{FallBackTo, ReviewBetween};
use crate::rules::CreditRules;

/// Sum of points at which good and bad loans are equally frequent.
const EVEN: i32 = 147;

/// Number of points that double the odds of a good loan.
const DOUBLING: f64 = 20.0;

/// The largest loan of the data.
const LARGEST_AMOUNT: u32 = 18_424;

/// The longest loan of the data.
const LONGEST_DURATION: u32 = 72;

/// Estimates the probability that a loan is not paid back from the points of a scorecard.
#[derive(Clone, Copy, Debug, MLModel)]
#[ml_model(execution = inline)]
#[decorate(prediction_id)]
#[decorate(logging(
    input_fields = [
        "hashed(customer_id)", "bucketed(age, 10)", "redacted(savings)", "bucketed(amount, 1_000)",
        "duration", "checking_account", "credit_history", "purpose",
    ],
    output_fields = ["class", "default_probability", "decided_by"],
))]
#[decorate(ReviewBetween { from: 0.12, to: 0.22 })]
#[decorate(FallBackTo(CreditRules))]
pub struct CreditScorecard;

/// Reason why the scorecard cannot decide.
#[derive(Debug, thiserror::Error)]
pub enum OutsideOfData {
    #[error("the data has no loan above {LARGEST_AMOUNT} DM: {0} DM")]
    Amount(u32),
    #[error("the data has no loan longer than {LONGEST_DURATION} months: {0} months")]
    Duration(u32),
}

impl Infer for CreditScorecard {
    type Input = Application;
    type Output = Decision;
    type Error = OutsideOfData;

    fn infer(&self, application: &Application) -> Result<Decision, OutsideOfData> {
        if application.amount > LARGEST_AMOUNT {
            return Err(OutsideOfData::Amount(application.amount));
        }
        if application.duration > LONGEST_DURATION {
            return Err(OutsideOfData::Duration(application.duration));
        }
        let odds_of_good = (f64::from(points(application) - EVEN) / DOUBLING).exp2();
        let default_probability = 1.0 / (1.0 + odds_of_good);
        Ok(Decision {
            class: Class::cheaper(default_probability),
            default_probability,
            decided_by: DecidedBy::Scorecard,
        })
    }
}

/// Returns the sum of the points of an application.
pub fn points(application: &Application) -> i32 {
    let checking_account = match application.checking_account {
        CheckingAccount::Overdrawn => 0,
        CheckingAccount::From200 => 27,
        CheckingAccount::Below200 => 11,
        CheckingAccount::None => 46,
    };
    let duration = match application.duration {
        ..=12 => 29,
        13..=24 => 15,
        25..=36 => 4,
        _ => 0,
    };
    let credit_history = match application.credit_history {
        CreditHistory::PaidHere => 0,
        CreditHistory::Critical => 36,
        CreditHistory::Delayed => 20,
        CreditHistory::PaidUntilNow => 17,
        CreditHistory::NoneOrPaid => 2,
    };
    let purpose = match application.purpose {
        Purpose::Business => 16,
        Purpose::NewCar => 0,
        Purpose::UsedCar => 42,
        Purpose::Appliances => 17,
        Purpose::Education => 2,
        Purpose::Furniture => 16,
        Purpose::Other => 29,
        Purpose::RadioOrTelevision => 22,
        Purpose::Repairs => 9,
        Purpose::Retraining => 29,
    };
    let amount = match application.amount {
        ..=1500 => 24,
        1501..=4000 => 36,
        4001..=8000 => 16,
        _ => 0,
    };
    let savings = match application.savings.expose() {
        Savings::Below100 => 0,
        Savings::From1000 => 28,
        Savings::Below500 => 9,
        Savings::Below1000 => 14,
        Savings::UnknownOrNone => 26,
    };
    let employment = match application.employment {
        Employment::Below1Year => 0,
        Employment::From7Years => 8,
        Employment::Below4Years => 5,
        Employment::Below7Years => 22,
        Employment::Unemployed => 6,
    };
    let installment_rate = match application.installment_rate {
        ..=1 => 21,
        2 => 16,
        3 => 7,
        _ => 0,
    };
    let guarantee = match application.guarantee {
        Guarantee::CoApplicant => 0,
        Guarantee::Guarantor => 30,
        Guarantee::None => 8,
    };
    let property = match application.property {
        Property::LifeInsurance => 10,
        Property::CarOrOther => 9,
        Property::RealEstate => 17,
        Property::UnknownOrNone => 0,
    };
    let age = match application.age.expose() {
        ..=25 => 0,
        26..=35 => 12,
        _ => 17,
    };
    let other_plans = match application.other_plans {
        OtherPlans::Bank => 0,
        OtherPlans::None => 16,
        OtherPlans::Stores => 4,
    };
    let housing = match application.housing {
        Housing::Free => 14,
        Housing::Own => 13,
        Housing::Rent => 0,
    };
    checking_account
        + duration
        + credit_history
        + purpose
        + amount
        + savings
        + employment
        + installment_rate
        + guarantee
        + property
        + age
        + other_plans
        + housing
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second loan of the data, which was bad.
    fn second() -> Application {
        Application {
            customer_id: "2".to_owned().into(),
            name: String::new().into(),
            age: 22.into(),
            amount: 5951,
            duration: 48,
            installment_rate: 2,
            checking_account: CheckingAccount::Below200,
            credit_history: CreditHistory::PaidUntilNow,
            purpose: Purpose::RadioOrTelevision,
            savings: Savings::Below100.into(),
            employment: Employment::Below4Years,
            guarantee: Guarantee::None,
            property: Property::RealEstate,
            other_plans: OtherPlans::None,
            housing: Housing::Own,
        }
    }

    #[test]
    fn twenty_points_double_the_odds() {
        let probability = |application: &Application| {
            CreditScorecard.infer(application).map(|decision| decision.default_probability)
        };
        let odds = |p: f64| p / (1.0 - p);
        let second = second();
        assert_eq!(points(&second), 141);
        assert_eq!(probability(&second).unwrap(), 1.0 / (1.0 + (-0.3_f64).exp2()));
        let better = Application { employment: Employment::Below7Years, ..second.clone() };
        assert_eq!(points(&better), 158);
        let ratio = odds(probability(&second).unwrap()) / odds(probability(&better).unwrap());
        assert!((ratio - (17.0_f64 / 20.0).exp2()).abs() < 1e-12, "{ratio}");
    }

    #[test]
    fn loans_outside_of_the_data_are_errors() {
        let longest =
            Application { duration: LONGEST_DURATION, amount: LARGEST_AMOUNT, ..second() };
        assert!(CreditScorecard.infer(&longest).is_ok());
        let longer = Application { duration: LONGEST_DURATION + 1, ..second() };
        assert!(CreditScorecard.infer(&longer).is_err());
        let larger = Application { amount: LARGEST_AMOUNT + 1, ..second() };
        assert!(CreditScorecard.infer(&larger).is_err());
    }
}
