//! Serves the insurance charges model over gRPC.

use std::env;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use grpc::predictor::Predictor;
use grpc::server::serve;
use insurance_charges::InsuranceChargesModel;
use ml_model_core::PendingCalls;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Time for open calls after a signal. Kubernetes ends a process 30 s after SIGTERM.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:50051".to_owned());
    let logging = ml_logging::builder().panic_records(true).init()?;
    let pending = Arc::<PendingCalls>::default();
    let predictor = Predictor::new(InsuranceChargesModel::load()?, pending.clone())?;
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        let shutdown = signal()?;
        let listener = TcpListener::bind(&address)
            .await
            .map_err(|error| format!("cannot listen on `{address}`: {error}"))?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "Listening.");
        serve(predictor, listener, shutdown, DRAIN_LIMIT).await
    })?;
    runtime.shutdown_background();
    let abandoned = pending.abandon("the service has stopped before the prediction has finished");
    tracing::info!(abandoned, "Stopped.");
    Ok(logging.finish()?)
}

/// Returns a future that ends with SIGTERM or SIGINT, which are caught from now on.
#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Returns a future that ends with Ctrl-C.
#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
