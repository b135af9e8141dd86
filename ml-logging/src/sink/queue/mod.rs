//! Queue between the threads that log and a byte sink.
//!
//! Writing each record costs a system call under a lock, several times the cost of rendering the record.
//! A queue copies a record into a buffer instead, and a worker thread writes all buffered records at once.
//!
//! * A quiet queue wakes its worker for the first record. A busy worker polls every `POLL_INTERVAL` and is
//!   woken only if half of the queue is full.
//! * The queue is bounded. The [`Policy`] decides about records that find it full.
//! * [`Queue`] flushes by waiting until every record queued before is written. If the process is killed,
//!   queued records are lost: those of the last `POLL_INTERVAL` if the byte sink keeps pace. With
//!   [`Policy::Audit`] none are lost, because no worker is involved.
//! * Each record is counted under the lock that queuing takes anyway.

mod batch;
mod policy;
mod state;
mod worker;

use std::{fmt, io, mem, sync::Arc, thread, time::Instant};

pub use self::policy::Policy;
use self::state::Shared;
pub(crate) use self::state::{DEFAULT_QUEUE_BYTES, QueueSettings};
use super::{
    byte_sink::ByteSink,
    counts::HandlerCounts,
    record_sink::{OnWait, Record, RecordSink, Unflushed},
    report::report_unguarded,
};

const WORKER_NAME: &str = "log-writer";

/// Sink that is written by a thread of its own, or with [`Policy::Audit`] by the threads that log.
pub(crate) struct Queue {
    handler: String,
    shared: Arc<Shared>,
}

impl Queue {
    /// Creates a queue and starts its worker.
    ///
    /// # Errors
    ///
    /// The system cannot start a thread.
    pub(crate) fn new(settings: QueueSettings, byte_sink: Box<dyn ByteSink>) -> io::Result<Self> {
        let handler = settings.handler.clone();
        let shared = Arc::new(Shared::new(settings));
        if shared.is_audit {
            shared.lock().byte_sink = Some(byte_sink);
        } else {
            let worker = thread::Builder::new().name(WORKER_NAME.to_owned());
            let shared = Arc::clone(&shared);
            worker.spawn(move || shared.run(byte_sink))?;
        }
        Ok(Self { handler, shared })
    }

    /// Queues a record.
    // Not inlined, so that sinks that do not queue do not save its registers.
    #[inline(never)]
    fn push(&self, record: &[u8]) {
        let shared = &self.shared;
        let mut state = shared.lock();
        if !state.has_room(record.len(), shared.capacity) {
            match shared.wait_for_room(state, record.len()) {
                Some(waited) => state = waited,
                None => return,
            }
        }
        state.waiting.push(record);
        // Counted only now: a record that waits for room is not accepted yet.
        state.counts.accepted += 1;
        state.counts.queued_bytes += record.len() as u64;
        state.queued += 1;
        if state.waiting.len() >= state.wake_at {
            shared.wake(&mut state);
        }
        if shared.is_audit {
            shared.write_in_turn(state);
        } else if state.is_released {
            drop(state);
            report_unguarded();
        }
    }
}

impl RecordSink for Queue {
    fn write(&self, record: &Record<'_>) {
        self.push(record.bytes);
    }

    #[cold]
    fn lose(&self, reason: fmt::Arguments<'_>) {
        let mut state = self.shared.lock();
        state.counts.accepted += 1;
        state.counts.lost += 1;
        drop(state);
        self.shared.reporter.lost(reason);
    }

    fn flush(&self, deadline: Option<Instant>) -> Result<(), Unflushed> {
        let mut state = self.shared.lock();
        // The second round is for the record that reports the records dropped before.
        for _ in 0..2 {
            let queued = state.queued;
            while state.done < queued || state.is_stale {
                let left = state.time_left(deadline);
                if left.is_some_and(|left| left.is_zero()) {
                    let refused = mem::take(&mut state.refused);
                    return Err(Unflushed::Records(queued - state.done + refused));
                }
                state = self.shared.wait_for_progress(state, left);
            }
        }
        if state.refused > 0 {
            return Err(Unflushed::Records(mem::take(&mut state.refused)));
        }
        let is_past = !state.is_failing;
        match state.failure.take() {
            None => Ok(()),
            Some(error) => Err(Unflushed::Failure { error, is_past }),
        }
    }

    fn reopen(&self) {
        let mut state = self.shared.lock();
        state.is_stale = true;
        if self.shared.is_audit {
            self.shared.reopen_if_idle(state);
        } else {
            self.shared.wake(&mut state);
        }
    }

    fn end_by(&self, deadline: Instant) {
        let mut state = self.shared.lock();
        state.end = Some(state.end.map_or(deadline, |end| end.min(deadline)));
        if self.shared.is_audit && !state.has_worker {
            let shared = Arc::clone(&self.shared);
            let worker = thread::Builder::new().name(WORKER_NAME.to_owned());
            // Without a worker the threads that log continue to write.
            state.has_worker = worker.spawn(move || shared.run_at_end()).is_ok();
        }
        self.shared.progress.notify_all();
    }

    fn release(&self) {
        self.shared.lock().is_released = true;
    }

    fn on_wait(&self, run: OnWait) {
        self.shared.on_wait.get_or_init(|| run);
    }

    fn counts(&self) -> HandlerCounts {
        let state = self.shared.lock();
        HandlerCounts {
            handler: self.handler.clone(),
            queued: state.queued - state.done,
            ..state.counts.clone()
        }
    }

    fn is_blocking(&self) -> bool {
        self.shared.policy != Policy::Drop
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        self.shared.wake(&mut state);
        self.shared.progress.notify_all();
    }
}

#[cfg(test)]
mod tests;
