//! Connections: listening, serving, shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::router::Router;

/// Time for the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for answers at the end.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Serves until `shutdown` is over, then finishes the answers that have begun.
pub(crate) async fn serve(
    router: Router,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) {
    let router = Arc::new(router);
    let (stopping, _) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _peer)) => stream,
                Err(_) => {
                    // The system has no room for another connection, or the client has gone.
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        let router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let router = router.clone();
            let (head, _body) = request.into_parts();
            async move { Ok::<_, Infallible>(router.answer(head).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let mut stop = stopping.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // Errors concern the client: malformed HTTP, or it has gone.
            tokio::select! {
                _result = connection.as_mut() => {}
                () = stopped(&mut stop) => {
                    connection.as_mut().graceful_shutdown();
                    let _result = connection.await;
                }
            }
        });
    }
    stopping.send_replace(true);
    let _late = timeout(DRAIN_LIMIT, stopping.closed()).await;
}

/// Waits for the end of the server.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the server has ended.
    let _ended = stop.wait_for(|stop| *stop).await.map(drop);
}
