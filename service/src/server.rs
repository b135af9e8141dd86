//! Listening, serving, shutting down.
//!
//! The shutdown loses no request of a client that keeps to HTTP:
//!
//! 1. Readiness is refused, and every answer says `connection: close`.
//! 2. After `readiness_delay` the connections that the system has accepted are taken over, and the
//!    port is closed.
//! 3. Connections get `close_grace` for a request that is on its way already, sent before its client
//!    has read of the end.
//! 4. Idle ones are closed, the others when they have answered, all of them after `drain_limit`.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::direct;
use crate::metrics::{InvalidMetricsSettings, Metrics};
use crate::response::shortened;
use crate::routes::{self, is_probe};
use crate::state::State;
use crate::timer::ConnectionTimer;

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

/// What connections are told; each has a receiver, so that the sender knows whether there are any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Close when the requests that have arrived are answered.
    Finishing,
    /// Close at once.
    Closed,
}

/// Serves until `shutdown` is over and the requests accepted by then are answered.
pub(crate) async fn serve(
    state: Arc<State>,
    metrics: Option<Arc<Metrics>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let server = &state.server;
    let (stage, _) = watch::channel(Stage::Open);
    let mut http = http1::Builder::new();
    http.header_read_timeout(server.header_timeout).half_close(true);
    let router = routes::router(state.clone(), metrics);
    let open = |stream: TcpStream| {
        // An answer is written in one piece: there is nothing to wait for. A failure says that the
        // peer has gone, which will be noticed soon.
        let _gone = stream.set_nodelay(true);
        let (router, state) = (router.clone(), state.clone());
        let service = service_fn(move |request| handle(router.clone(), state.clone(), request));
        let mut http = http.clone();
        http.timer(ConnectionTimer::default());
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let mut stage = stage.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let result = tokio::select! {
                biased;
                result = connection.as_mut() => result,
                // Also if nobody serves any longer.
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
                // A client that speaks no HTTP, is too slow, or has gone.
                tracing::debug!(error_info = %ml_model_core::error_chain(&error), "A connection has failed.");
            }
        });
    };

    let stop = async {
        shutdown.await;
        // Whoever asks for readiness is to turn away before the port is closed.
        state.stopping();
        tracing::info!(
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
        connections = stage.receiver_count(),
        "Stopping: answering the requests accepted so far."
    );
    if timeout(server.close_grace, stage.closed()).await.is_ok() {
        return;
    }
    stage.send_replace(Stage::Finishing);
    if timeout(server.drain_limit, stage.closed()).await.is_err() {
        stage.send_replace(Stage::Closed);
        tracing::warn!(
            limit_s = server.drain_limit.as_secs_f64(),
            connections = stage.receiver_count(),
            "Some requests were not finished in time; their connections are closed."
        );
    }
}

/// Waits for a stage, or fails if there is nobody left to announce it.
async fn reaches(
    stage: &mut watch::Receiver<Stage>,
    expected: Stage,
) -> Result<(), watch::error::RecvError> {
    stage.wait_for(|stage| *stage >= expected).await.map(drop)
}

/// The next connection. Errors of a single connection are passed over; if the system has no room
/// for another one, that is waited for.
async fn accept(listener: &TcpListener) -> TcpStream {
    const PAUSE: Duration = Duration::from_secs(1);
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => return stream,
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::error!(error_info = %error, "No connection can be accepted.");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Closes the listener and returns the connections that the system has accepted by then: their
/// clients may have sent requests already.
fn close(listener: TcpListener) -> Vec<TcpStream> {
    let mut waiting = Vec::new();
    let stopped_by = match listener.into_std() {
        // The less there is between the last look and the end of the listener, the less likely it
        // is that a connection gets in between, which the system would reset.
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
        tracing::error!(error_info = %stopped_by, "Connections that were waiting are lost.");
    }
    let non_blocking = waiting.into_iter().map(|stream| {
        stream.set_nonblocking(true)?;
        TcpStream::from_std(stream)
    });
    // One that cannot be set up has been reset by its client.
    non_blocking.filter_map(io::Result::ok).collect()
}

/// Whether an error of the listener is that of one connection, and the next one may be fine.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Answers one request.
async fn handle(
    router: Router,
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut response = answer(&state, router, request).await?;
    if state.is_stopping() {
        // So that the client sends no more over this connection.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Has the routes answer; says so at DEBUG, unless a probe has asked.
async fn answer(
    state: &State,
    router: Router,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let is_logged = tracing::enabled!(tracing::Level::DEBUG) && !is_probe(request.uri().path());
    if !is_logged {
        return pass_on(state, router, request).await;
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let started = Instant::now();
    let response = pass_on(state, router, request).await?;
    tracing::debug!(
        http_method = &*shortened(method.as_str()),
        http_path = &*shortened(uri.path()),
        http_status = response.status().as_u16(),
        duration_ms = started.elapsed().as_micros() as f64 / 1e3,
        "Request answered."
    );
    Ok(response)
}

/// To the model, or to the router.
async fn pass_on(
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
