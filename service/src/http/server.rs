//! Connections: listening, serving, shutdown.
//!
//! The shutdown loses no request of a client that follows HTTP:
//!
//! 1. Readiness is refused, and every answer has `connection: close`.
//! 2. After `readiness_delay` the port is closed. Connections that the system has accepted before are
//!    served.
//! 3. Connections stay open for `close_grace`: a request may be on its way that its client has sent
//!    before it read `connection: close`.
//! 4. Idle connections are closed, others after their answer, all of them after `drain_limit`.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::router::{Router, TARGET};
use super::timer::ConnectionTimer;
use crate::metrics::{InvalidMetricsSettings, Metrics};
use crate::state::State;

/// Reason why the service cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The service cannot listen on the address.
    #[error(
        "cannot listen on {address}: choose another address with --address or ML_SERVICE_ADDRESS"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The service cannot wait for signals.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
    /// A setting of the metrics is invalid.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] InvalidMetricsSettings),
    /// The listener failed.
    #[error("cannot serve")]
    Serve(#[source] io::Error),
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Stage of the shutdown. Each connection has a receiver, so that the sender counts the connections.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Close after the answers to the requests that have arrived.
    Finishing,
    /// Close at once.
    Closed,
}

/// Serves until `shutdown` is over and all requests accepted before are answered.
pub(crate) async fn serve(
    state: Arc<State>,
    metrics: Option<Arc<Metrics>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let server = &state.server;
    let (stage, _) = watch::channel(Stage::Open);
    let mut http = http1::Builder::new();
    // Answers are small: one buffer is cheaper than a vectored write of head and body.
    http.header_read_timeout(server.header_timeout).half_close(true).writev(false);
    let router = Arc::new(Router::new(state.clone(), metrics));
    let open = |stream: TcpStream| {
        // An answer is written in one piece. An error means that the client has gone.
        let _gone = stream.set_nodelay(true);
        let timer = ConnectionTimer::default();
        let mut http = http.clone();
        http.timer(timer.clone());
        let shared = Arc::new((router.clone(), timer));
        let service = service_fn(move |request| {
            let shared = shared.clone();
            async move {
                let (router, timer) = &*shared;
                Ok::<_, Infallible>(router.answer(timer, request).await.map(Full::new))
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let mut stage = stage.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let result = tokio::select! {
                biased;
                result = connection.as_mut() => result,
                // An error means that the service no longer runs.
                _ = reaches(&mut stage, Stage::Finishing) => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        biased;
                        result = connection => result,
                        Ok(()) = reaches(&mut stage, Stage::Closed) => return,
                    }
                }
            };
            if let Err(error) = result {
                // The client has sent malformed HTTP, is too slow, or has gone.
                tracing::debug!(target: TARGET, error_info = %ml_model_core::error_chain(&error), "A connection has failed.");
            }
        });
    };

    let stop = async {
        shutdown.await;
        // Load balancers turn away before the port is closed.
        state.begin_shutdown();
        tracing::info!(
            target: TARGET,
            readiness_delay_s = server.readiness_delay.as_secs_f64(),
            "Stopping: readiness is refused, requests are still accepted for a while."
        );
        sleep(server.readiness_delay).await;
    };
    tokio::pin!(stop);
    loop {
        tokio::select! {
            stream = accept(&listener) => open(stream),
            () = &mut stop => break,
        }
    }
    close(listener).into_iter().for_each(open);
    tracing::info!(
        target: TARGET,
        connections = stage.receiver_count(),
        "Stopping: answering the requests accepted so far."
    );
    if timeout(server.close_grace, stage.closed()).await.is_ok() {
        return;
    }
    stage.send_replace(Stage::Finishing);
    if timeout(server.drain_limit, stage.closed()).await.is_err() {
        let connections = stage.receiver_count();
        stage.send_replace(Stage::Closed);
        tracing::warn!(
            target: TARGET,
            limit_s = server.drain_limit.as_secs_f64(),
            connections,
            "Some requests were not finished in time; their connections are closed."
        );
    }
}

/// Waits for a stage. Fails if the service no longer runs.
async fn reaches(
    stage: &mut watch::Receiver<Stage>,
    expected: Stage,
) -> Result<(), watch::error::RecvError> {
    stage.wait_for(|stage| *stage >= expected).await.map(drop)
}

/// Accepts the next connection. Ignores errors of single connections, and waits while the system has no
/// room for another one.
async fn accept(listener: &TcpListener) -> TcpStream {
    const PAUSE: Duration = Duration::from_secs(1);
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => return stream,
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::error!(target: TARGET, error_info = %error, "No connection can be accepted.");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Closes the listener. Returns the connections that the system has accepted before: their clients may
/// have sent requests already.
fn close(listener: TcpListener) -> Vec<TcpStream> {
    let mut waiting = Vec::new();
    let stopped_by = match listener.into_std() {
        // A connection that arrives after the last `accept` is reset by the system.
        Ok(listener) => loop {
            match listener.accept() {
                Ok((stream, _peer)) => waiting.push(stream),
                Err(error) if is_of_connection(&error) => {}
                Err(error) => break error,
            }
        },
        Err(error) => error,
    };
    if stopped_by.kind() != io::ErrorKind::WouldBlock {
        tracing::error!(target: TARGET, error_info = %stopped_by, "Connections that were waiting are lost.");
    }
    let non_blocking = waiting.into_iter().map(|stream| {
        stream.set_nonblocking(true)?;
        TcpStream::from_std(stream)
    });
    // A connection that cannot be set up has been reset by its client.
    non_blocking.filter_map(io::Result::ok).collect()
}

/// Returns whether an error of the listener concerns one connection only.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Waits for SIGTERM or SIGINT. Catches signals from the call on, not from the first poll.
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
