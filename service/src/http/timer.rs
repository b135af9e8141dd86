//! The timer of a connection.
//!
//! Every request needs timers for a short time: hyper for the head, the service for the body and the
//! prediction. A timer of the runtime is registered in a list that all threads share. A connection
//! therefore keeps one such timer. While it runs, new deadlines are only noted; when it fires before
//! the latest deadline, it is set again.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Timer for the deadlines of one connection, of which one is active at a time.
#[derive(Clone, Default)]
pub(super) struct ConnectionTimer(Arc<Mutex<Option<RuntimeSleep>>>);

impl ConnectionTimer {
    /// Waits for a future, at most as long as `limit`.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let mut future = pin!(future);
        let mut deadline = None;
        poll_fn(|context| {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                return Poll::Ready(Some(value));
            }
            let until = || Until { deadline: (Instant::now() + limit).into(), timer: self.clone() };
            let deadline = deadline.get_or_insert_with(until);
            Pin::new(deadline).poll(context).map(|()| None)
        })
        .await
    }
}

type RuntimeSleep = Pin<Box<tokio::time::Sleep>>;

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until { deadline: deadline.into(), timer: self.clone() })
    }
}

struct Until {
    deadline: tokio::time::Instant,
    timer: ConnectionTimer,
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Only the task of the connection locks it, and a panic leaves it consistent.
        let mut sleep = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = self.deadline;
        let sleep = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        ready!(sleep.as_mut().poll(context));
        while sleep.deadline() < deadline {
            sleep.as_mut().reset(deadline);
            ready!(sleep.as_mut().poll(context));
        }
        Poll::Ready(())
    }
}
