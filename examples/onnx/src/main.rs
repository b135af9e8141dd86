//! Serves the rent model.

use std::process::ExitCode;

use ml_model_service::Service;
use onnx::RentModel;

fn main() -> ExitCode {
    Service::new("Rent Service").model(RentModel::load).main()
}
