//! Writing queued records to the byte sink.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, UnwindSafe, catch_unwind},
    sync::{MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    batch::Batch,
    state::{BUSY, POLL_INTERVAL, QUIET_POLLS, SHORT_WAIT, Shared, State},
};
use crate::sink::{byte_sink::ByteSink, guard::WriteGuard};

/// Limit for one write, apart from the last record. A pipe takes that much. The counts follow what the sink
/// has taken, and those of a larger write would not move before its end.
const CHUNK: usize = 64 * 1024;
/// Pause before a write is repeated that the byte sink could not take without blocking.
const RETRY_PAUSE: Duration = Duration::from_millis(1);

impl Shared {
    /// Runs the worker thread until the queue is closed.
    pub(super) fn run(&self, byte_sink: Box<dyn ByteSink>) {
        let write = || self.write_until_closed(byte_sink);
        if catch_unwind(AssertUnwindSafe(write)).is_err() {
            self.fail();
        }
    }

    /// Gives all queued and all further records up. Only for bugs in this module: a panic of a byte sink is
    /// an ordinary failure.
    fn fail(&self) {
        let reason = "the log writer has panicked";
        let mut state = self.lock();
        state.is_dead = true;
        state.waiting = Batch::default();
        // The panic may have interrupted the counting, so that the sum decides.
        let counts = &mut state.counts;
        counts.lost = counts.accepted.saturating_sub(counts.written + counts.dropped);
        counts.queued_bytes = 0;
        state.done = state.queued;
        state.failure = Some(io::Error::other(reason));
        state.is_failing = true;
        self.progress.notify_all();
        drop(state);
        self.reporter.lost(format_args!("{reason}"));
    }

    fn write_until_closed(&self, mut byte_sink: Box<dyn ByteSink>) {
        let mut batch = Batch::default();
        let mut quiet_polls = 0;
        let mut state = self.lock();
        loop {
            state = self.reopen_if_stale(state, &mut *byte_sink);
            mem::swap(&mut state.waiting, &mut batch);
            self.queue_dropped_report(&mut state);
            if batch.is_empty() {
                if state.is_closed && state.waiting.is_empty() {
                    return;
                }
                quiet_polls += 1;
            } else {
                quiet_polls = 0;
                state = self.write_batch(state, &batch, &mut *byte_sink);
                batch.clear(self.max_kept);
            }
            // No pause while threads wait for room or a flush. A queue that has become half full during
            // the write gets none either, because nothing would wake the worker for it.
            let is_urgent = state.waiters > 0 || state.waiting.len() >= self.capacity / 2;
            if is_urgent && !state.waiting.is_empty() {
                continue;
            }
            if quiet_polls < QUIET_POLLS {
                state.wake_at = self.capacity / 2;
                let paused = self.work.wait_timeout(state, POLL_INTERVAL);
                state = paused.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state.wake_at = 0;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                quiet_polls = 0;
            }
            state.wake_at = BUSY;
        }
    }

    /// Queues the record that reports dropped records, if the queue is empty.
    fn queue_dropped_report(&self, state: &mut State) {
        if state.unreported > 0 && state.waiting.is_empty() {
            (self.render_dropped)(mem::take(&mut state.unreported), &mut |record| {
                state.waiting.push(record);
                state.counts.accepted += 1;
                state.counts.queued_bytes += record.len() as u64;
                state.queued += 1;
            });
        }
    }

    /// Runs the worker thread that takes over an audit queue at the end of the process.
    pub(super) fn run_at_end(&self) {
        let mut state = self.lock();
        while !state.is_dead && !state.is_closed {
            if let Some(byte_sink) = state.byte_sink.take() {
                drop(state);
                return self.run(byte_sink);
            }
            state = self.wait_for_progress(state, None);
        }
    }

    /// Opens the byte sink of an audit queue again, unless a thread writes to it, which then does so.
    pub(super) fn reopen_if_idle<'s>(&'s self, mut state: MutexGuard<'s, State>) {
        if let Some(mut byte_sink) = state.byte_sink.take() {
            state = self.reopen_if_stale(state, &mut *byte_sink);
            state.byte_sink = Some(byte_sink);
            self.progress.notify_all();
        }
    }

    /// Waits until the record that the caller has queued last is written. The first thread that finds the
    /// byte sink free writes all queued records. At the end of the process a worker writes instead, and the
    /// wait has a limit.
    pub(super) fn write_in_turn<'s>(&'s self, state: MutexGuard<'s, State>) {
        let own = state.queued;
        if let Some(state) = self.take_turns(state, own, Some(SHORT_WAIT)) {
            self.wait_long(state, |state| drop(self.take_turns(state, own, None)));
        }
    }

    /// Does the work of [`write_in_turn`](Self::write_in_turn). Returns the lock if the first wait has
    /// reached the limit.
    fn take_turns<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        own: u64,
        limit: Option<Duration>,
    ) -> Option<MutexGuard<'s, State>> {
        let mut deadline = None;
        while state.done < own {
            if state.time_left(None) == Some(Duration::ZERO) {
                return None;
            }
            let own_turn = !state.has_worker;
            let Some(mut byte_sink) = state.byte_sink.take_if(|_| own_turn) else {
                let first = || limit.map(|limit| Instant::now() + limit);
                let left = state.time_left(*deadline.get_or_insert_with(first));
                if left == Some(Duration::ZERO) {
                    return Some(state);
                }
                // The thread that writes now may leave this record to its own thread.
                state = self.wait_for_progress(state, left);
                continue;
            };
            let mut batch = mem::take(&mut state.writing);
            mem::swap(&mut state.waiting, &mut batch);
            let write = || self.write_batch(state, &batch, &mut *byte_sink);
            let Ok(after) = catch_unwind(AssertUnwindSafe(write)) else {
                self.fail();
                return None;
            };
            state = self.reopen_if_stale(after, &mut *byte_sink);
            batch.clear(self.max_kept);
            state.writing = batch;
            state.byte_sink = Some(byte_sink);
            if state.waiters > 0 {
                self.progress.notify_all();
            }
        }
        None
    }

    /// Opens the byte sink again if that is requested.
    fn reopen_if_stale<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        byte_sink: &mut dyn ByteSink,
    ) -> MutexGuard<'s, State> {
        if state.is_stale {
            drop(state);
            // A failure loses no record yet, and is only reported.
            if let Err(error) = byte_sink.reopen() {
                self.reporter.not_reopened(&error);
            }
            state = self.lock();
            state.is_stale = false;
            self.progress.notify_all();
        }
        state
    }

    /// Writes a batch, and counts each record as written or lost.
    pub(super) fn write_batch<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        batch: &Batch,
        byte_sink: &mut dyn ByteSink,
    ) -> MutexGuard<'s, State> {
        let mut is_torn = state.is_torn;
        let (mut bytes, mut records) = (0, 0);
        while records < batch.records() {
            drop(state);
            let (written, failure) = {
                let _guard = WriteGuard::begin();
                write_chunk(byte_sink, batch, bytes, records, &mut is_torn)
            };
            let failed_rotations = byte_sink.failed_rotations();
            state = self.lock();
            bytes += written;
            let within = batch.records_within(bytes);
            state.counts.written += (within - records) as u64;
            state.done += (within - records) as u64;
            state.counts.queued_bytes -= written as u64;
            state.counts.failed_rotations = failed_rotations;
            records = within;
            state.is_failing = failure.is_some();
            if let Some(error) = failure {
                let lost = batch.records() - records;
                // None is lost if only the final flush has failed.
                if lost > 0 {
                    self.reporter.lost(format_args!("{error}"));
                    state.counts.lost += lost as u64;
                    state.done += lost as u64;
                    state.counts.queued_bytes -= (batch.len() - bytes) as u64;
                    is_torn |= bytes > batch.start(records);
                    records += lost;
                }
                state.failure = Some(error);
            }
            if state.waiters > 0 {
                self.progress.notify_all();
            }
        }
        state.is_torn = is_torn;
        state
    }
}

/// Makes one write from the position `bytes`, which is within or before the record number `records`.
/// Returns the number of bytes written, and the failure. A panic of the byte sink is a failure.
fn write_chunk(
    byte_sink: &mut dyn ByteSink,
    batch: &Batch,
    bytes: usize,
    records: usize,
    is_torn: &mut bool,
) -> (usize, Option<io::Error>) {
    let write = AssertUnwindSafe(|| {
        // A record that is partly written must not continue in another file.
        let mut end = batch.start(records + 1);
        if bytes == batch.start(records) {
            let mut left = CHUNK;
            let mut lengths = batch.lengths_from(records).take_while(|length| {
                let fits = left > 0;
                left = left.saturating_sub(*length);
                fits
            });
            let prepared = byte_sink.prepare(&mut lengths)?;
            end = batch.start(records + prepared.records);
            *is_torn = (*is_torn || prepared.is_torn) && !prepared.is_new_file;
            // The next record must not continue the line of one that was cut off.
            if *is_torn {
                retry(|| byte_sink.write(b"\n"))?;
                *is_torn = false;
            }
        }
        let written = retry(|| byte_sink.write(&batch.bytes()[bytes..end]))?;
        // A writer of the program may return more than it was given.
        Ok(written.min(end - bytes))
    });
    match catch_panic(write) {
        Ok(written) if bytes + written == batch.len() => {
            let flush = AssertUnwindSafe(|| retry(|| byte_sink.flush().map(|()| 1)));
            (written, catch_panic(flush).err())
        }
        Ok(written) => (written, None),
        Err(error) => (0, Some(error)),
    }
}

fn catch_panic(write: impl FnOnce() -> io::Result<usize> + UnwindSafe) -> io::Result<usize> {
    catch_unwind(write).unwrap_or_else(|_| Err(io::Error::other("the writer has panicked")))
}

/// Repeats a write that is interrupted or would block.
fn retry(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            result => return result,
        }
    }
}
