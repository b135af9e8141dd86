//! The service with the decorated trivial model.

use std::process::ExitCode;

use ml_model_service::Service;
use service_load::TrivialModel;

fn main() -> ExitCode {
    Service::new("Trivial").model(|| TrivialModel).main()
}
