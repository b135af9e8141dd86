//! State that the threads of a queue share.

use std::{
    io,
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use super::{batch::Batch, policy::Policy};
use crate::sink::{
    byte_sink::ByteSink, counts::HandlerCounts, record_sink::OnWait, report::LossReporter,
};

/// Longest time for which records gather before they are written.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(2);
/// Number of polls without a record after which the worker sleeps until it is woken.
pub(super) const QUIET_POLLS: u32 = 50;

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

/// Shared part of a queue.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Notified when the worker has something to do.
    pub(super) work: Condvar,
    /// Notified when records have been written, for threads that wait for room or for a flush.
    pub(super) progress: Condvar,
    pub(super) policy: Policy,
    pub(super) is_audit: bool,
    pub(super) capacity: usize,
    /// Largest buffer that is kept. A single huge record must not occupy its memory for good.
    pub(super) max_kept: usize,
    pub(super) render_dropped: RenderDropped,
    pub(super) reporter: LossReporter,
    /// Runs waits that take long.
    pub(super) on_wait: OnceLock<OnWait>,
}

/// Time after which a wait for the byte sink counts as long.
pub(super) const SHORT_WAIT: Duration = Duration::from_millis(5);

/// State under the lock of a queue.
#[derive(Default)]
pub(super) struct State {
    pub(super) waiting: Batch,
    /// Number of waiting bytes at which the worker is woken.
    pub(super) wake_at: usize,
    pub(super) counts: HandlerCounts,
    /// Number of records queued since the start.
    pub(super) queued: u64,
    /// Number of queued records that are written or lost. Both are in order, so that a flush is complete
    /// when this reaches an earlier `queued`.
    pub(super) done: u64,
    /// Number of dropped records that no record has reported yet.
    pub(super) unreported: u64,
    /// Byte sink of an audit queue while no thread writes, and the buffer for the next thread that does.
    pub(super) byte_sink: Option<Box<dyn ByteSink>>,
    pub(super) writing: Batch,
    /// The last record was cut off.
    pub(super) is_torn: bool,
    /// Number of threads that wait for `progress`.
    pub(super) waiters: usize,
    /// Last failure that no flush has returned yet.
    pub(super) failure: Option<io::Error>,
    /// The last write has failed.
    pub(super) is_failing: bool,
    /// The byte sink is to be opened again.
    pub(super) is_stale: bool,
    pub(super) is_closed: bool,
    /// Time after which no thread waits for the byte sink, because the process is about to end.
    pub(super) end: Option<Instant>,
    /// Records refused after that time which no flush has returned yet.
    pub(super) refused: u64,
    /// The guard of the logging is dropped, so that no flush follows.
    pub(super) is_released: bool,
    /// An audit queue is written by a worker since `end` is set.
    pub(super) has_worker: bool,
    /// The worker has panicked, so that nothing will be written any more.
    pub(super) is_dead: bool,
}

/// `wake_at` of a worker that writes, or is about to look for records.
pub(super) const BUSY: usize = usize::MAX;

impl State {
    #[inline]
    pub(super) fn has_room(&self, bytes: usize, capacity: usize) -> bool {
        !self.is_dead && (self.waiting.len() + bytes <= capacity || self.waiting.is_empty())
    }

    /// Returns the time for which a thread may wait, given a deadline of its own. `None` is without a limit.
    pub(super) fn time_left(&self, deadline: Option<Instant>) -> Option<Duration> {
        let earliest = [deadline, self.end].into_iter().flatten().min()?;
        Some(earliest.saturating_duration_since(Instant::now()))
    }
}

impl Shared {
    pub(super) fn new(settings: QueueSettings) -> Self {
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
            on_wait: OnceLock::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No operation under the lock leaves it inconsistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self, state: &mut State) {
        if state.wake_at != BUSY {
            state.wake_at = BUSY;
            self.work.notify_one();
        }
    }

    /// Waits until there is room for a record. `None` if the record is dropped or lost instead.
    #[cold]
    pub(super) fn wait_for_room<'s>(
        &'s self,
        state: MutexGuard<'s, State>,
        bytes: usize,
    ) -> Option<MutexGuard<'s, State>> {
        match self.find_room(state, bytes, Some(Instant::now() + SHORT_WAIT)) {
            Ok(found) => found,
            Err(state) => self
                .wait_long(state, |state| self.find_room(state, bytes, None).unwrap_or_else(Some)),
        }
    }

    /// Waits until there is room for a record. Fails at the deadline.
    fn find_room<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        bytes: usize,
        deadline: Option<Instant>,
    ) -> Result<Option<MutexGuard<'s, State>>, MutexGuard<'s, State>> {
        while !state.has_room(bytes, self.capacity) {
            if state.is_dead {
                state.counts.accepted += 1;
                state.counts.lost += 1;
                return Ok(None);
            }
            if self.policy == Policy::Drop {
                state.counts.accepted += 1;
                state.counts.dropped += 1;
                state.unreported += 1;
                self.wake(&mut state);
                return Ok(None);
            }
            if state.time_left(None) == Some(Duration::ZERO) {
                // Not reported here: standard error may stall as well, and the final flush has the sum.
                state.counts.accepted += 1;
                state.counts.lost += 1;
                state.refused += 1;
                return Ok(None);
            }
            let left = state.time_left(deadline);
            if left == Some(Duration::ZERO) {
                return Err(state);
            }
            state = self.wait_for_progress(state, left);
        }
        Ok(Some(state))
    }

    /// Runs a wait that takes long as the program has defined.
    pub(super) fn wait_long<'s, T>(
        &'s self,
        state: MutexGuard<'s, State>,
        wait: impl FnOnce(MutexGuard<'s, State>) -> T,
    ) -> T {
        let Some(on_wait) = self.on_wait.get() else { return wait(state) };
        let (mut pending, mut result) = (Some((state, wait)), None);
        let mut run = || {
            if let Some((state, wait)) = pending.take() {
                result = Some(wait(state));
            }
        };
        on_wait(&mut run);
        // For a function that does not call its argument.
        run();
        result.expect("the wait has run")
    }

    /// Waits until records have been written. Wakes the worker for that.
    pub(super) fn wait_for_progress<'s>(
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
