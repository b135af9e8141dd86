//! The socket of a connection, with a time limit for writes.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

use super::connection::Connection;

/// Longest time of [`Socket::linger`].
const LINGER_TIME: Duration = Duration::from_secs(5);
/// Maximum number of bytes that [`Socket::linger`] reads.
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// Socket that fails if its client takes no data for some time.
pub(super) struct Socket {
    stream: TokioIo<TcpStream>,
    connection: Arc<Connection>,
    write_timeout: Duration,
    /// Present while the client takes no data.
    blocked: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        write_timeout: Duration,
    ) -> Self {
        Self { stream: TokioIo::new(stream), connection, write_timeout, blocked: None }
    }

    /// Notes whether the client takes data. Fails at the time-out.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.blocked.take().is_some() {
                self.connection.set_blocked(false);
            }
            return written;
        }
        let limit = self.write_timeout;
        let blocked = self.blocked.get_or_insert_with(|| {
            self.connection.set_blocked(true);
            Box::pin(sleep(limit))
        });
        ready!(blocked.as_mut().poll(context));
        // The system would keep the data that the client does not take. An error means that it has gone.
        let _gone = self.stream.inner().set_zero_linger();
        let message = format!("the client has taken no data for {} s", limit.as_secs_f64());
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, message)))
    }

    /// Reads on after the last answer, until the client has closed the connection too. If a connection is
    /// closed with unread data, the system resets it, and the client may lose the answer.
    pub(super) async fn linger(self) {
        let mut stream = self.stream.into_inner();
        let discard = async {
            std::future::poll_fn(|context| Pin::new(&mut stream).poll_shutdown(context)).await?;
            let mut buffer = vec![0; 16 * 1024];
            let mut length = 0;
            while length < LINGER_BYTES {
                stream.readable().await?;
                match stream.try_read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => length += read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            Ok::<_, io::Error>(())
        };
        // An error means that the client has gone.
        let _ended = timeout(LINGER_TIME, discard).await;
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, data);
        self.watch(context, written)
    }

    // A socket has no buffer of its own.
    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    // The system ends the connection when the socket is dropped, and before if it [lingers](Self::linger).
    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
