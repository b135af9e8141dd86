//! Serves the insurance charges model.

use std::process::ExitCode;

use insurance_charges::InsuranceChargesModel;
use ml_model_service::Service;

fn main() -> ExitCode {
    Service::new("Insurance Charges Model Service").model(InsuranceChargesModel::load).main()
}
