//! Records on their way to a destination: the thread that logs leaves them here, another writes.
//!
//! Writing each record by itself costs a system call under a lock, several times what making the
//! record costs. Here a record is copied into a buffer, and whatever has come together is written in
//! one piece.
//!
//! * A quiet queue wakes its writer for the first record; a busy one is looked after every
//!   [`NAP`], and nobody is woken, unless half of the queue is full.
//! * The queue is bounded; what becomes of records that find it full is the handler's [`Policy`].
//! * [`Queue::flush`] waits until everything queued before is written. What is queued when the
//!   process is killed is lost: what was logged during the last [`NAP`], if the destination keeps
//!   pace; nothing with [`Policy::Audit`], where no other thread writes (`writer.rs`).
//! * Every record is counted, under the lock that it has to take anyway.

mod batch;
mod writer;

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use batch::Batch;

use crate::{
    Error, HandlerCounts, Policy, counts::Teller, destination::Destination, notice::Notice,
};

/// How long records may come together before they are written.
const NAP: Duration = Duration::from_millis(2);
/// So many naps without a record, and the writer sleeps until it is woken.
const QUIET_NAPS: u32 = 50;

/// The most bytes that wait for the writer, unless the handler says otherwise.
pub(crate) const DEFAULT_BYTES: usize = 1024 * 1024;

/// A buffer keeps memory for twice as much, even if the queue is smaller.
const LEAST_KEPT: usize = 256 * 1024;

/// All that is needed to make a queue.
pub(crate) struct Plan {
    pub(crate) handler: String,
    pub(crate) policy: Policy,
    /// The most bytes that wait for the writer.
    pub(crate) limit: usize,
    /// The record that says how many were dropped.
    pub(crate) notice: Notice,
}

/// A sink that is written to by a thread of its own, or in groups by those who log.
pub(crate) struct Queue {
    handler: String,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    wake_writer: Condvar,
    /// Somebody waits for room, or until what he has queued is written.
    progress: Condvar,
    policy: Policy,
    is_audit: bool,
    limit: usize,
    /// A buffer keeps no more memory than this. That a record is huge is no reason for it to have it
    /// for good; what usually waits fits in, with all that a vector takes in advance.
    kept: usize,
    notice: Notice,
    teller: Teller,
}

#[derive(Default)]
struct State {
    waiting: Batch,
    /// As soon as so many bytes wait, the writer is woken.
    wake_at: usize,
    counts: HandlerCounts,
    /// Records queued, and records written or lost, since the beginning, in order: when a flush is
    /// over.
    queued: u64,
    done: u64,
    /// Records dropped of which the handler has not told yet.
    untold: u64,
    /// Of an audit queue, while nobody writes; and the buffer of who writes next.
    destination: Option<Box<dyn Destination>>,
    writing: Batch,
    /// The last record was not written to its end.
    is_torn: bool,
    /// How many wait for `progress`.
    waiters: usize,
    /// What the last write has met with, until a flush reports it.
    failure: Option<io::Error>,
    is_closed: bool,
    /// Nobody will ever write: who wrote has panicked.
    is_dead: bool,
}

/// `wake_at` of a writer that is writing, or about to look whether there is anything to write.
const BUSY: usize = usize::MAX;

impl Queue {
    /// A queue before `destination`, and the thread that writes to it.
    ///
    /// # Errors
    ///
    /// If the system has no thread.
    pub(crate) fn new(plan: Plan, destination: Box<dyn Destination>) -> Result<Self, Error> {
        let handler = plan.handler.clone();
        let shared = Shared::new(plan);
        shared
            .clone()
            .begin(destination)
            .map_err(|error| Error::Thread { problem: error.to_string() })?;
        Ok(Self { handler, shared })
    }

    /// Leaves a record for the writer. What happens if there is no room is the policy's to say.
    // Apart, so that those who write directly do not pay for its registers.
    #[inline(never)]
    pub(crate) fn push(&self, record: &[u8]) {
        let shared = &self.shared;
        let mut state = shared.lock();
        if !state.has_room(record.len(), shared.limit) {
            match shared.wait_for_room(state, record) {
                Some(waited) => state = waited,
                None => return,
            }
        }
        state.waiting.push(record);
        // Not before: who waits for room is not counted yet.
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

    /// Counts a record that the writer itself has logged.
    pub(crate) fn refuse(&self, reason: std::fmt::Arguments<'_>) {
        let shared = &self.shared;
        let mut state = shared.lock();
        state.counts.accepted += 1;
        state.counts.lost += 1;
        drop(state);
        shared.teller.lost(reason);
    }

    /// Waits until everything queued by now is written, no longer than until `deadline`.
    ///
    /// # Errors
    ///
    /// How many of these records are still not written then; or what the last write has met with.
    pub(crate) fn flush(&self, deadline: Option<Instant>) -> Result<(), Unflushed> {
        let shared = &self.shared;
        let mut state = shared.lock();
        // The second time for the record that tells of those dropped before.
        for _ in 0..2 {
            let queued = state.queued;
            while state.done < queued {
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                if left.is_some_and(|left| left.is_zero()) {
                    return Err(Unflushed::Records(queued - state.done));
                }
                state = shared.wait_for_progress(state, left);
            }
        }
        state.failure.take().map_or(Ok(()), |failure| Err(Unflushed::Failure(failure)))
    }

    /// Whether the program waits for the sink if that is what it takes to lose nothing.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.shared.policy != Policy::Drop
    }

    pub(crate) fn handler(&self) -> &str {
        &self.handler
    }

    pub(crate) fn counts(&self) -> HandlerCounts {
        let state = self.shared.lock();
        HandlerCounts {
            handler: self.handler.clone(),
            queued: state.queued - state.done,
            ..state.counts.clone()
        }
    }
}

/// Why a flush has not come to its end.
pub(crate) enum Unflushed {
    /// So many records are not written yet.
    Records(u64),
    Failure(io::Error),
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
    fn has_room(&self, bytes: usize, limit: usize) -> bool {
        !self.is_dead && (self.waiting.len() + bytes <= limit || self.waiting.is_empty())
    }
}

impl Shared {
    fn new(plan: Plan) -> Arc<Self> {
        let is_audit = plan.policy == Policy::Audit;
        Arc::new(Self {
            state: Mutex::new(State { wake_at: BUSY, ..State::default() }),
            wake_writer: Condvar::new(),
            progress: Condvar::new(),
            policy: plan.policy,
            is_audit,
            // Who waits for his record to be written does not fill the queue.
            limit: if is_audit { usize::MAX } else { plan.limit },
            kept: plan.limit.max(LEAST_KEPT).saturating_mul(2),
            notice: plan.notice,
            teller: Teller::new(&plan.handler),
        })
    }

    fn begin(self: Arc<Self>, destination: Box<dyn Destination>) -> io::Result<()> {
        if self.is_audit {
            self.lock().destination = Some(destination);
            return Ok(());
        }
        let writer = thread::Builder::new().name("log-writer".to_owned());
        writer.spawn(move || self.live(destination)).map(drop)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, state: &mut State) {
        if state.wake_at != BUSY {
            state.wake_at = BUSY;
            self.wake_writer.notify_one();
        }
    }

    /// Does what the policy says with a record that finds no room, if that is not to wait; `None`
    /// then.
    #[cold]
    fn wait_for_room<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        record: &[u8],
    ) -> Option<MutexGuard<'s, State>> {
        while !state.has_room(record.len(), self.limit) {
            if state.is_dead {
                state.counts.accepted += 1;
                state.counts.lost += 1;
                return None;
            }
            if self.policy == Policy::Drop {
                state.counts.accepted += 1;
                state.counts.dropped += 1;
                state.untold += 1;
                self.wake(&mut state);
                return None;
            }
            state = self.wait_for_progress(state, None);
        }
        Some(state)
    }

    /// Waits until the writer has done something. It is woken for that: whoever waits does so for
    /// the writer alone.
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
