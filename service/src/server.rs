//! Listening, serving, shutting down.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::direct;
use crate::metrics::{InvalidMetricsSettings, Metrics};
use crate::routes::{self, is_probe};
use crate::state::State;

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
) {
    let server = &state.server;
    let (readiness_delay, drain_limit) = (server.readiness_delay, server.drain_limit);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(server.header_timeout).half_close(true);
    let router = routes::router(state.clone(), metrics);
    let connections = GracefulShutdown::new();

    let stop = async {
        shutdown.await;
        // Whoever asks for readiness is to turn away before the port is closed.
        state.stopping();
        tracing::info!(
            readiness_delay_s = readiness_delay.as_secs_f64(),
            "Stopping: readiness is refused, requests are still accepted for a while."
        );
        tokio::time::sleep(readiness_delay).await;
    };
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            stream = accept(&listener) => stream,
            () = &mut stop => break,
        };
        let (state, router) = (state.clone(), router.clone());
        let service = service_fn(move |request| handle(state.clone(), router.clone(), request));
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // A client that speaks no HTTP, is too slow, or has gone.
                tracing::debug!(error_info = %ml_model_core::error_chain(&error), "A connection has failed.");
            }
        });
    }
    drop(listener);
    tracing::info!(
        connections = connections.count(),
        "Stopping: answering the requests accepted so far."
    );
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(drain_limit) => {
            tracing::warn!(
                limit_s = drain_limit.as_secs_f64(),
                "Some requests were not finished in time; their connections are closed."
            );
        }
    }
}

/// The next connection. Errors of a single connection are passed over; if the system has no room
/// for another one, that is waited for.
async fn accept(listener: &TcpListener) -> TcpStream {
    const PAUSE: Duration = Duration::from_secs(1);
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => {
                // An answer is written in one piece: there is nothing to wait for. A failure says
                // that the peer has gone, which will be noticed soon.
                let _gone = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                let is_of_connection = matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                );
                if !is_of_connection {
                    tracing::error!(error_info = %error, "No connection can be accepted.");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Answers one request; says so at DEBUG, unless a probe has asked.
async fn handle(
    state: Arc<State>,
    router: Router,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let is_logged = tracing::enabled!(tracing::Level::DEBUG) && !is_probe(request.uri().path());
    if !is_logged {
        return answer(&state, router, request).await;
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let started = Instant::now();
    let response = answer(&state, router, request).await?;
    tracing::debug!(
        http_method = method.as_str(),
        http_path = uri.path(),
        http_status = response.status().as_u16(),
        duration_ms = started.elapsed().as_micros() as f64 / 1e3,
        "Request answered."
    );
    Ok(response)
}

async fn answer(
    state: &State,
    router: Router,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    match direct::model(state, &request) {
        Some(model) => Ok(direct::answer(state, model, request).await),
        None => router.oneshot(request.map(Body::new)).await,
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
