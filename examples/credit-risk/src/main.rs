//! Serves both models.

use std::process::ExitCode;

use credit_risk::rules::CreditRules;
use credit_risk::scorecard::CreditScorecard;
use ml_model_service::Service;

fn main() -> ExitCode {
    Service::new("Credit Risk Service").model(|| CreditScorecard).model(|| CreditRules).main()
}
