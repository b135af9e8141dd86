//! Queue between the threads that log and a byte sink.
//!
//! Writing each record costs a system call under a lock, several times the cost of rendering the record.
//! A queue copies a record into a buffer instead, and a worker thread writes all buffered records at once.
//!
//! * A quiet queue wakes its worker for the first record. A busy worker polls every [`POLL_INTERVAL`] and is
//!   woken only if half of the queue is full.
//! * The queue is bounded. The [`Policy`] decides about records that find it full.
//! * [`Queue`] flushes by waiting until every record queued before is written. If the process is killed,
//!   queued records are lost: those of the last [`POLL_INTERVAL`] if the byte sink keeps pace. With
//!   [`Policy::Audit`] none are lost, because no worker is involved.
//! * Each record is counted under the lock that queuing takes anyway.

mod batch;
mod policy;
mod worker;

use std::{
    fmt, io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use self::batch::Batch;
pub use self::policy::Policy;
use super::{
    byte_sink::ByteSink,
    counts::HandlerCounts,
    record_sink::{Record, RecordSink, Unflushed},
    report::LossReporter,
};

/// Longest time for which records gather before they are written.
const POLL_INTERVAL: Duration = Duration::from_millis(2);
/// Number of polls without a record after which the worker sleeps until it is woken.
const QUIET_POLLS: u32 = 50;

/// Default capacity of a queue in bytes.
pub(crate) const DEFAULT_QUEUE_BYTES: usize = 1024 * 1024;

/// Capacity in bytes for which a buffer keeps its memory even if the queue is smaller.
const MIN_KEPT: usize = 256 * 1024;

/// Renders the record that reports a number of dropped records, and passes it on.
pub(crate) type RenderDropped = Box<dyn Fn(u64, &mut dyn FnMut(&[u8])) + Send + Sync>;

/// Settings of a queue.
pub(crate) struct QueueSettings {
    pub(crate) handler: String,
    pub(crate) policy: Policy,
    /// Capacity in bytes.
    pub(crate) capacity: usize,
    pub(crate) render_dropped: RenderDropped,
}

/// Sink that is written by a thread of its own, or with [`Policy::Audit`] by the threads that log.
pub(crate) struct Queue {
    handler: String,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Notified when the worker has something to do.
    work: Condvar,
    /// Notified when records have been written, for threads that wait for room or for a flush.
    progress: Condvar,
    policy: Policy,
    is_audit: bool,
    capacity: usize,
    /// Largest buffer that is kept. A single huge record must not occupy its memory for good.
    max_kept: usize,
    render_dropped: RenderDropped,
    reporter: LossReporter,
}

#[derive(Default)]
struct State {
    waiting: Batch,
    /// Number of waiting bytes at which the worker is woken.
    wake_at: usize,
    counts: HandlerCounts,
    /// Number of records queued since the start.
    queued: u64,
    /// Number of queued records that are written or lost. Both are in order, so that a flush is complete
    /// when this reaches an earlier `queued`.
    done: u64,
    /// Number of dropped records that no record has reported yet.
    unreported: u64,
    /// Byte sink of an audit queue while no thread writes, and the buffer for the next thread that does.
    byte_sink: Option<Box<dyn ByteSink>>,
    writing: Batch,
    /// The last record was cut off.
    is_torn: bool,
    /// Number of threads that wait for `progress`.
    waiters: usize,
    /// Last failure that no flush has returned yet.
    failure: Option<io::Error>,
    is_closed: bool,
    /// The worker has panicked, so that nothing will be written any more.
    is_dead: bool,
}

/// `wake_at` of a worker that writes, or is about to look for records.
const BUSY: usize = usize::MAX;

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
            let worker = thread::Builder::new().name("log-writer".to_owned());
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
            while state.done < queued {
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                if left.is_some_and(|left| left.is_zero()) {
                    return Err(Unflushed::Records(queued - state.done));
                }
                state = self.shared.wait_for_progress(state, left);
            }
        }
        state.failure.take().map_or(Ok(()), |failure| Err(Unflushed::Failure(failure)))
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
    }
}

impl State {
    #[inline]
    fn has_room(&self, bytes: usize, capacity: usize) -> bool {
        !self.is_dead && (self.waiting.len() + bytes <= capacity || self.waiting.is_empty())
    }
}

impl Shared {
    fn new(settings: QueueSettings) -> Self {
        let is_audit = settings.policy == Policy::Audit;
        Self {
            state: Mutex::new(State { wake_at: BUSY, ..State::default() }),
            work: Condvar::new(),
            progress: Condvar::new(),
            policy: settings.policy,
            is_audit,
            // An audit queue cannot fill up: each thread waits for its own record.
            capacity: if is_audit { usize::MAX } else { settings.capacity },
            max_kept: settings.capacity.max(MIN_KEPT).saturating_mul(2),
            render_dropped: settings.render_dropped,
            reporter: LossReporter::new(&settings.handler),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No operation under the lock leaves it inconsistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, state: &mut State) {
        if state.wake_at != BUSY {
            state.wake_at = BUSY;
            self.work.notify_one();
        }
    }

    /// Waits until there is room for a record. `None` if the record is dropped or lost instead.
    #[cold]
    fn wait_for_room<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        bytes: usize,
    ) -> Option<MutexGuard<'s, State>> {
        while !state.has_room(bytes, self.capacity) {
            if state.is_dead {
                state.counts.accepted += 1;
                state.counts.lost += 1;
                return None;
            }
            if self.policy == Policy::Drop {
                state.counts.accepted += 1;
                state.counts.dropped += 1;
                state.unreported += 1;
                self.wake(&mut state);
                return None;
            }
            state = self.wait_for_progress(state, None);
        }
        Some(state)
    }

    /// Waits until records have been written. Wakes the worker for that.
    fn wait_for_progress<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        limit: Option<Duration>,
    ) -> MutexGuard<'s, State> {
        self.wake(&mut state);
        state.waiters += 1;
        state = match limit {
            None => self.progress.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let waited = self.progress.wait_timeout(state, limit);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.waiters -= 1;
        state
    }
}

#[cfg(test)]
mod tests;
