//! Connections: listening, serving, shutdown.
//!
//! At the connection limit, the connection that has been unused for longest is closed for a new one. If all
//! are in use, further connections are accepted for probes; other requests on them get 503.
//!
//! The shutdown loses no request of a client that follows HTTP:
//!
//! 1. Readiness is refused, and every answer has `connection: close`.
//! 2. After `readiness_delay` the port is closed. Connections that the system has accepted before are
//!    served.
//! 3. Connections stay open for `close_grace`, because a client may have sent a request before it read
//!    `connection: close`.
//! 4. Idle connections are closed, others after their answer. `drain_limit` after the port, all are closed.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use ml_model_core::error_chain;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::admission::OpenConnections;
use super::connection::Connection;
use super::router::{Router, TARGET};
use super::socket::Socket;
use crate::log_wait;
use crate::metrics::{InvalidMetricsSettings, Metrics};
use crate::state::State;

/// Reason why the service cannot run. `Debug` prints the reason with its sources, for `main` functions that return it.
#[derive(thiserror::Error)]
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
    /// The service cannot handle signals.
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    /// A setting of the metrics is invalid.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] InvalidMetricsSettings),
    /// The listener failed.
    #[error("cannot serve")]
    Serve(#[source] io::Error),
}

impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&error_chain(self), f)
    }
}

/// Listens on an address. As many connections can wait to be accepted as the system allows.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // On Windows the option has another meaning: another process could take the port over.
        if cfg!(unix) {
            socket.set_reuseaddr(true)?;
        }
        socket.bind(address)?;
        // The system reduces the number to its maximum.
        socket.listen(u32::MAX)
    };
    listen().map_err(|source| ServeError::Listen { address, source })
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
    // The buffer alone would let some larger heads pass.
    http.max_buf_size(server.head_limit_bytes).max_header_size(server.head_limit_bytes);
    let router = Arc::new(Router::new(state.clone(), metrics));
    let mut open = OpenConnections::new(server.connection_limit);
    let begin = |stream: TcpStream, mut connection: Connection, open: &mut OpenConnections| {
        // An answer is written in one piece. An error means that the client has gone.
        let _gone = stream.set_nodelay(true);
        connection.peer = stream.peer_addr().ok();
        let connection = Arc::new(connection);
        let socket = Socket::new(stream, connection.clone(), server.write_timeout);
        let task = serve_connection(
            http.clone(),
            socket,
            connection.clone(),
            router.clone(),
            stage.subscribe(),
        );
        open.add(connection, tokio::spawn(task).abort_handle());
    };

    let stop = async {
        shutdown.await;
        let close_at = Instant::now() + server.readiness_delay;
        // Load balancers turn away before the port is closed.
        state.begin_shutdown();
        tracing::info!(
            target: TARGET,
            readiness_delay_s = server.readiness_delay.as_secs_f64(),
            "Stopping: readiness is refused, requests are still accepted for a while."
        );
        sleep_until(close_at).await;
        close_at
    };
    tokio::pin!(stop);
    let closed_at = loop {
        tokio::select! {
            (stream, connection) = accept(&listener, &mut open) => {
                begin(stream, connection, &mut open);
            }
            closed_at = &mut stop => break closed_at,
        }
    };
    for stream in close(listener) {
        // A connection for which there is no room is closed.
        if let Some(connection) = open.admit() {
            begin(stream, connection, &mut open);
        }
    }
    tracing::info!(
        target: TARGET,
        connections = stage.receiver_count(),
        "Stopping: answering the requests accepted so far."
    );
    let drained_at = closed_at + server.drain_limit;
    let grace_ends = drained_at.min(closed_at + server.close_grace);
    if timeout_at(grace_ends, stage.closed()).await.is_ok() {
        return;
    }
    stage.send_replace(Stage::Finishing);
    if timeout_at(drained_at, stage.closed()).await.is_err() {
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

/// Serves one connection.
async fn serve_connection(
    mut http: http1::Builder,
    socket: Socket,
    connection: Arc<Connection>,
    router: Arc<Router>,
    mut stage: watch::Receiver<Stage>,
) {
    let shared = Arc::new((router, connection));
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move {
            let (router, connection) = &*shared;
            let _answering = connection.begin_answer();
            Ok::<_, Infallible>(router.answer(connection, request).await.map(Full::new))
        }
    });
    let (_, connection) = &*shared;
    let mut http = http.timer(connection.timer.clone()).serve_connection(socket, service);
    let result = tokio::select! {
        biased;
        result = &mut http => result,
        // An error means that the service no longer runs.
        _ = reaches(&mut stage, Stage::Finishing) => {
            std::pin::Pin::new(&mut http).graceful_shutdown();
            tokio::select! {
                biased;
                result = &mut http => result,
                Ok(()) = reaches(&mut stage, Stage::Closed) => return,
            }
        }
    };
    let mut is_sending = connection.has_unread_body();
    if let Err(error) = result {
        // The client has sent malformed HTTP, is too slow, or has gone.
        is_sending |= error.is_parse();
        if tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
            log_wait::end().await;
            tracing::debug!(target: TARGET, error_info = %ml_model_core::error_chain(&error), "A connection has failed.");
        }
    }
    if is_sending {
        tokio::select! {
            () = http.into_parts().io.linger() => {}
            _ = reaches(&mut stage, Stage::Closed) => {}
        }
    }
}

/// Waits for a stage. Fails if the service no longer runs.
async fn reaches(
    stage: &mut watch::Receiver<Stage>,
    expected: Stage,
) -> Result<(), watch::error::RecvError> {
    stage.wait_for(|stage| *stage >= expected).await.map(drop)
}

/// Accepts the next connection and makes room for it. Ignores errors of single connections.
async fn accept(listener: &TcpListener, open: &mut OpenConnections) -> (TcpStream, Connection) {
    /// Pause while the service has no room for another connection.
    const PAUSE: Duration = Duration::from_millis(5);
    /// Pause while the system has none.
    const LONG_PAUSE: Duration = Duration::from_secs(1);
    let stream = loop {
        match listener.accept().await {
            Ok((stream, _peer)) => break stream,
            Err(error) if is_of_connection(&error) => {}
            Err(_) if open.close_unused() => sleep(PAUSE).await,
            Err(error) => {
                report(move || {
                    tracing::error!(target: TARGET, error_info = %error, "No connection can be accepted.");
                });
                sleep(LONG_PAUSE).await;
            }
        }
    };
    loop {
        let admitted = open.admit();
        if admitted.as_ref().is_none_or(|connection| connection.is_surplus) && open.is_report_due()
        {
            let limit = open.limit();
            report(move || {
                tracing::warn!(
                    target: TARGET,
                    limit,
                    "The connection limit is reached and all connections are in use: only probes are \
                     answered on further ones."
                );
            });
        }
        match admitted {
            Some(connection) => return (stream, connection),
            None => sleep(PAUSE).await,
        }
    }
}

/// Writes a record on another thread, because probes wait for the listener and must not wait for the log.
fn report(write: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(write);
}

/// Closes the listener after the last connection that the system has accepted before: their clients may
/// have sent requests already.
fn close(listener: TcpListener) -> impl Iterator<Item = TcpStream> {
    let listener = listener.into_std();
    let accept = move || loop {
        let listener = listener.as_ref().map_err(|error| io::Error::from(error.kind()));
        match listener.and_then(std::net::TcpListener::accept) {
            Ok((stream, _peer)) => return Some(stream),
            Err(error) if is_of_connection(&error) => {}
            // A connection that arrives from now on is reset by the system.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(error) => {
                tracing::error!(target: TARGET, error_info = %error, "Connections that were waiting are lost.");
                return None;
            }
        }
    };
    let non_blocking = std::iter::from_fn(accept).map(|stream| {
        stream.set_nonblocking(true)?;
        TcpStream::from_std(stream)
    });
    // A connection that cannot be set up has been reset by its client.
    non_blocking.filter_map(io::Result::ok)
}

/// Returns whether an error of the listener concerns one connection only.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
