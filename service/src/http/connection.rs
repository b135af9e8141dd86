//! State of one connection, shared by its task, the handlers of its requests, and the listener.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::timer::ConnectionTimer;

/// State of a connection. All flags are hints between threads and order no other memory.
#[derive(Default)]
pub(super) struct Connection {
    pub(super) timer: ConnectionTimer,
    /// Address of the client, or of the proxy in front.
    pub(super) peer: Option<SocketAddr>,
    /// Whether the connection exceeds the connection limit, so that only probes are answered.
    pub(super) is_surplus: bool,
    /// A request has arrived and has no answer yet.
    is_answering: AtomicBool,
    /// The client does not take an answer.
    is_blocked: AtomicBool,
    /// A request has arrived since the last call of `is_unused`.
    was_used: AtomicBool,
    /// The body of the last request has not been read to its end.
    has_unread_body: AtomicBool,
}

impl Connection {
    pub(super) fn surplus() -> Self {
        Self { is_surplus: true, ..Self::default() }
    }

    /// Marks a request as unanswered until the guard is dropped.
    pub(super) fn begin_answer(&self) -> impl Drop + Send + '_ {
        struct Answering<'c>(&'c AtomicBool);

        impl Drop for Answering<'_> {
            fn drop(&mut self) {
                self.0.store(false, Relaxed);
            }
        }

        self.was_used.store(true, Relaxed);
        self.is_answering.store(true, Relaxed);
        Answering(&self.is_answering)
    }

    pub(super) fn set_blocked(&self, is_blocked: bool) {
        self.is_blocked.store(is_blocked, Relaxed);
    }

    pub(super) fn set_unread_body(&self, is_unread: bool) {
        self.has_unread_body.store(is_unread, Relaxed);
    }

    pub(super) fn has_unread_body(&self) -> bool {
        self.has_unread_body.load(Relaxed)
    }

    /// Returns whether the connection waits for a request, and no request has arrived since the last call.
    pub(super) fn is_unused(&self) -> bool {
        let is_idle = !self.is_answering.load(Relaxed) && !self.is_blocked.load(Relaxed);
        is_idle && !self.was_used.swap(false, Relaxed)
    }
}
