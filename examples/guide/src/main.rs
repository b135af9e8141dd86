//! The service of the guide.

use std::process::ExitCode;

use guide::decorators::Quota;
use guide::model::DeliveryModel;
use ml_model_service::Service;

fn main() -> ExitCode {
    Service::new("Delivery Service")
        .model(|| DeliveryModel)
        .decorator("quota", || Quota::new(1_000_000))
        .main()
}
