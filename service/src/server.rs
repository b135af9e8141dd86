//! Listening, serving, shutting down.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::metrics::{InvalidMetricsSettings, Metrics};
use crate::routes;
use crate::state::State;

/// How long accepted requests may take to finish once the service is asked to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: choose another address with --address or ML_SERVICE_ADDRESS"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Signals cannot be waited for.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
    /// A setting of the metrics cannot be used.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] InvalidMetricsSettings),
    /// The listener failed.
    #[error("cannot serve")]
    Serve(#[source] io::Error),
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Serves until `shutdown` is over and the requests accepted by then are answered.
pub(crate) async fn serve(
    state: Arc<State>,
    metrics: Option<Arc<Metrics>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (stopping, mut stopped) = watch::channel(false);
    let router = routes::router(state.clone(), metrics);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        tracing::info!("Stopping: answering the requests accepted so far.");
        state.stopping();
        stopping.send_replace(true);
    });
    let drain = async {
        // An error means that the server, and with it the sender, is gone already.
        if stopped.wait_for(|is_stopping| *is_stopping).await.is_ok() {
            tokio::time::sleep(DRAIN_LIMIT).await;
        } else {
            std::future::pending().await
        }
    };
    tokio::select! {
        result = server => result.map_err(ServeError::Serve),
        () = drain => {
            tracing::warn!(
                limit_s = DRAIN_LIMIT.as_secs(),
                "Some requests were not finished in time; their connections are closed."
            );
            Ok(())
        }
    }
}

/// Waits for SIGTERM or SIGINT. Signals are caught from the call on, not from the first poll.
pub(crate) fn signals() -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
