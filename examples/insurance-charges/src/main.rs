//! Serves the insurance charges model.

use std::process::ExitCode;

use insurance_charges::InsuranceChargesModel;
use ml_model_service::Service;

// musl's own allocator has a single lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    Service::new("Insurance Charges Model Service").model(InsuranceChargesModel::load).main()
}
