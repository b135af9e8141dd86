//! From the queue to the destination.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, UnwindSafe, catch_unwind},
    sync::{MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::{BUSY, NAP, QUIET_NAPS, Shared, State, batch::Batch};
use crate::{destination::Destination, output::Writing};

/// The most bytes, and a record more, that are written at once. A pipe takes that much, and the
/// counts follow what it has taken: those of a larger piece would not move before its end.
const PIECE: usize = 64 * 1024;
/// How long a destination that takes nothing at the moment, and does not wait itself, is left alone.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(1);

impl Shared {
    /// The life of the thread that writes. Nobody waits for it if it ends before its time.
    pub(super) fn live(&self, destination: Box<dyn Destination>) {
        let write = || self.write_all_there_is(destination);
        if catch_unwind(AssertUnwindSafe(write)).is_err() {
            self.die();
        }
    }

    /// Nothing is written any more: all that is queued is lost, and what comes will be. Not for what
    /// a destination does wrong, only for mistakes made here.
    fn die(&self) {
        let reason = "who writes has panicked";
        let mut state = self.lock();
        state.is_dead = true;
        state.waiting = Batch::default();
        // By the sums: the counts may have been left in the middle of something.
        let counts = &mut state.counts;
        counts.lost = counts.accepted.saturating_sub(counts.written + counts.dropped);
        counts.queued_bytes = 0;
        state.done = state.queued;
        state.failure = Some(io::Error::other(reason));
        self.progress.notify_all();
        drop(state);
        self.teller.lost(format_args!("{reason}"));
    }

    fn write_all_there_is(&self, mut destination: Box<dyn Destination>) {
        let mut batch = Batch::default();
        let mut quiet_naps = 0;
        let mut state = self.lock();
        loop {
            mem::swap(&mut state.waiting, &mut batch);
            self.tell_of_drops(&mut state);
            if batch.is_empty() {
                if state.is_closed && state.waiting.is_empty() {
                    return;
                }
                quiet_naps += 1;
            } else {
                quiet_naps = 0;
                state = self.write_batch(state, &batch, &mut *destination);
                batch.clear(self.kept);
            }
            // Those who wait for room or for a flush are not kept waiting; and
            // a queue that has filled meanwhile may be full before anybody wakes the writer.
            let is_urgent = state.waiters > 0 || state.waiting.len() >= self.limit / 2;
            if is_urgent && !state.waiting.is_empty() {
                continue;
            }
            if quiet_naps < QUIET_NAPS {
                state.wake_at = self.limit / 2;
                let napped = self.wake_writer.wait_timeout(state, NAP);
                state = napped.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state.wake_at = 0;
                state = self.wake_writer.wait(state).unwrap_or_else(PoisonError::into_inner);
                quiet_naps = 0;
            }
            state.wake_at = BUSY;
        }
    }

    /// Queues the record that says how many were dropped. There is room: all others have been taken.
    fn tell_of_drops(&self, state: &mut State) {
        if state.untold > 0 && state.waiting.is_empty() {
            self.notice.render(mem::take(&mut state.untold), |record| {
                state.waiting.push(record);
                state.counts.accepted += 1;
                state.counts.queued_bytes += record.len() as u64;
                state.queued += 1;
            });
        }
    }

    /// Writes a record that is queued, and with it those that other threads have queued; or waits
    /// while another thread does so.
    pub(super) fn write_in_turn<'s>(&'s self, mut state: MutexGuard<'s, State>) {
        let own = state.queued;
        while state.done < own {
            let Some(mut destination) = state.destination.take() else {
                // Somebody writes, and in the end there may be nobody to write the next ones.
                state = self.wait_for_progress(state, None);
                continue;
            };
            let mut batch = mem::take(&mut state.writing);
            mem::swap(&mut state.waiting, &mut batch);
            let write = || self.write_batch(state, &batch, &mut *destination);
            let Ok(after) = catch_unwind(AssertUnwindSafe(write)) else { return self.die() };
            state = after;
            batch.clear(self.kept);
            state.writing = batch;
            state.destination = Some(destination);
            if state.waiters > 0 {
                self.progress.notify_all();
            }
        }
    }

    /// Writes whole records. Those that are not written to their end are lost.
    pub(super) fn write_batch<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        batch: &Batch,
        destination: &mut dyn Destination,
    ) -> MutexGuard<'s, State> {
        let mut is_torn = state.is_torn;
        let (mut bytes, mut records) = (0, 0);
        while records < batch.records() {
            drop(state);
            let (written, failure) = {
                let _writing = Writing::begin();
                piece(destination, batch, bytes, records, &mut is_torn)
            };
            let failed_rotations = destination.failed_rotations();
            state = self.lock();
            bytes += written;
            let within = batch.records_within(bytes);
            state.counts.written += (within - records) as u64;
            state.done += (within - records) as u64;
            state.counts.queued_bytes -= written as u64;
            state.counts.failed_rotations = failed_rotations;
            records = within;
            if let Some(error) = failure {
                let lost = batch.records() - records;
                // It may only have failed to flush.
                if lost > 0 {
                    self.teller.lost(format_args!("{error}"));
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

/// Writes some of what comes after the first `bytes` bytes with one call, and says how many, and what
/// has gone wrong. A panic of a destination is its failure.
fn piece(
    destination: &mut dyn Destination,
    batch: &Batch,
    bytes: usize,
    records: usize,
    is_torn: &mut bool,
) -> (usize, Option<io::Error>) {
    let write = AssertUnwindSafe(|| {
        // In the middle of a record there is no other place to go.
        let mut end = batch.start(records + 1);
        if bytes == batch.start(records) {
            let mut left = PIECE;
            let mut lengths = batch.lengths_from(records).take_while(|length| {
                let fits = left > 0;
                left = left.saturating_sub(*length);
                fits
            });
            let prepared = destination.prepare(&mut lengths);
            end = batch.start(records + prepared.records);
            *is_torn = (*is_torn || prepared.is_torn) && !prepared.is_other;
            // A record of which a part was written before ends there: the next one does not
            // continue it.
            if *is_torn {
                patiently(|| destination.write(b"\n"))?;
                *is_torn = false;
            }
        }
        let written = patiently(|| destination.write(&batch.bytes()[bytes..end]))?;
        // A writer of the program's own may count what it has made of them.
        Ok(written.min(end - bytes))
    });
    match caught(write) {
        Ok(written) if bytes + written == batch.len() => {
            let flush = AssertUnwindSafe(|| patiently(|| destination.flush().map(|()| 1)));
            (written, caught(flush).err())
        }
        Ok(written) => (written, None),
        Err(error) => (0, Some(error)),
    }
}

fn caught(write: impl FnOnce() -> io::Result<usize> + UnwindSafe) -> io::Result<usize> {
    catch_unwind(write).unwrap_or_else(|_| Err(io::Error::other("the writer has panicked")))
}

/// Repeats what has been interrupted, or has to wait.
fn patiently(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(FULL_PIPE_PAUSE);
            }
            result => return result,
        }
    }
}
