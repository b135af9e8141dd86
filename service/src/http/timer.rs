//! The timer of a connection.
//!
//! hyper asks for a new timer for every request and drops it when the head has arrived, which is
//! almost at once. To set a timer of the runtime means to put it into a list that all threads share, and
//! to take it out again. Here one such timer serves a connection: while it runs, new deadlines are
//! only noted, and it is set anew when it goes off too early for the latest of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// For the deadlines of one connection, of which one counts at a time.
#[derive(Clone, Default)]
pub(crate) struct ConnectionTimer(Arc<Mutex<Option<RuntimeSleep>>>);

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
        // Only the connection's own task comes here, and what it does is never half done.
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
