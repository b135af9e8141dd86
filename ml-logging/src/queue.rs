//! Records on their way to a destination: the thread that logs leaves them here, another writes.
//!
//! Writing each record by itself costs a system call under a lock, several times what making the
//! record costs. Here a record is copied into a buffer, and whatever has come together is written in
//! one piece.
//!
//! * A quiet queue wakes its writer for the first record; a busy one is looked after every
//!   [`NAP`], and nobody is woken.
//! * The queue is bounded: whoever finds it full waits for the writer. Nothing is lost as long as
//!   the destination takes it, and what it does not take is counted.
//! * [`Sink::flush`] waits until everything queued before is written. What is queued when the
//!   process is killed is lost: what was logged during the last [`NAP`], if the destination keeps
//!   pace.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::Metadata;

use crate::output::{Loss, Sink, Writing};

/// How long records may come together before they are written.
const NAP: Duration = Duration::from_millis(2);
/// So many naps without a record, and the writer sleeps until it is woken.
const QUIET_NAPS: u32 = 50;
/// The most bytes that wait for the writer.
const LIMIT: usize = 1024 * 1024;

/// A sink that another thread writes to its destination.
pub(crate) struct Queue {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    wake_writer: Condvar,
    /// Somebody waits for room, or until what he has queued is written.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    writer: Writer,
    /// Bytes queued, and bytes written or lost, since the beginning: when a flush is over.
    queued: u64,
    done: u64,
    /// How many wait for `progress`.
    waiters: usize,
    /// What the last write has met with, until a flush reports it.
    failure: Option<io::Error>,
    is_closed: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Writer {
    /// Is writing, or about to look whether there is anything to write.
    #[default]
    Busy,
    /// Looks again after a [`NAP`].
    Napping,
    /// Looks again when it is woken.
    Asleep,
}

impl Queue {
    /// A queue before `destination`, and the thread that writes to it.
    ///
    /// # Errors
    ///
    /// If the system has no thread.
    pub(crate) fn new(destination: Box<dyn Write + Send>, loss: Arc<Loss>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake_writer: Condvar::new(),
            progress: Condvar::new(),
        });
        let writers = shared.clone();
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || writers.write_all_there_is(destination, &loss))?;
        Ok(Self { shared })
    }
}

impl Queue {
    /// Leaves a record for the writer; waits if there is no room.
    fn push(&self, record: &[u8]) {
        let mut state = self.shared.lock();
        while state.waiting.len() + record.len() > LIMIT && !state.waiting.is_empty() {
            state = self.shared.wait_for_progress(state);
        }
        state.waiting.extend_from_slice(record);
        state.queued += record.len() as u64;
        if state.writer == Writer::Asleep {
            self.shared.wake(&mut state);
        }
    }
}

impl Sink for Queue {
    fn write(&self, _metadata: &Metadata<'_>, record: &[u8]) -> io::Result<()> {
        self.push(record);
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut state = self.shared.lock();
        let queued = state.queued;
        while state.done < queued {
            state = self.shared.wait_for_progress(state);
        }
        state.failure.take().map_or(Ok(()), Err)
    }

    fn queued_bytes(&self) -> u64 {
        let state = self.shared.lock();
        state.queued - state.done
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        self.shared.wake(&mut state);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, state: &mut State) {
        if state.writer != Writer::Busy {
            state.writer = Writer::Busy;
            self.wake_writer.notify_one();
        }
    }

    /// Waits until the writer has done something. It is woken for that: whoever waits does so for
    /// the writer alone.
    fn wait_for_progress<'s>(&'s self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.wake(&mut state);
        state.waiters += 1;
        state = self.progress.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiters -= 1;
        state
    }

    /// The life of the writer.
    fn write_all_there_is(&self, mut destination: Box<dyn Write + Send>, loss: &Loss) {
        let mut batch = Vec::new();
        let mut quiet_naps = 0;
        let mut is_line_broken = false;
        let mut state = self.lock();
        loop {
            if state.waiting.is_empty() {
                if state.is_closed {
                    return;
                }
                quiet_naps += 1;
            } else {
                quiet_naps = 0;
                mem::swap(&mut state.waiting, &mut batch);
                drop(state);
                let result = {
                    let _writing = Writing::begin();
                    write(&mut *destination, &batch, &mut is_line_broken, loss)
                };
                state = self.lock();
                state.done += batch.len() as u64;
                if let Err(error) = result {
                    state.failure = Some(error);
                }
                batch.clear();
                if state.waiters > 0 {
                    self.progress.notify_all();
                }
            }
            // Those who wait for room or for a flush are not kept waiting.
            if state.waiters > 0 && !state.waiting.is_empty() {
                continue;
            }
            if quiet_naps < QUIET_NAPS {
                state.writer = Writer::Napping;
                let napped = self.wake_writer.wait_timeout(state, NAP);
                state = napped.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state.writer = Writer::Asleep;
                state = self.wake_writer.wait(state).unwrap_or_else(PoisonError::into_inner);
                quiet_naps = 0;
            }
            state.writer = Writer::Busy;
        }
    }
}

/// Writes whole records. Those that are not written to their end are counted as lost.
fn write(
    destination: &mut dyn Write,
    batch: &[u8],
    is_line_broken: &mut bool,
    loss: &Loss,
) -> io::Result<()> {
    // A record of which a part was written before ends there: the next one does not continue it.
    if *is_line_broken && let Err(error) = destination.write_all(b"\n") {
        return lose(batch, error, loss);
    }
    *is_line_broken = false;
    let mut rest = batch;
    loop {
        match destination.write(rest) {
            Ok(0) => return lose(rest, io::ErrorKind::WriteZero.into(), loss),
            Ok(written) => {
                *is_line_broken = rest[written - 1] != b'\n';
                rest = &rest[written..];
                if rest.is_empty() {
                    return destination.flush();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return lose(rest, error, loss),
        }
    }
}

fn lose(records: &[u8], error: io::Error, loss: &Loss) -> io::Result<()> {
    // A record has one line break, at its end.
    let count = records.iter().filter(|byte| **byte == b'\n').count();
    loss.add(count as u64, format_args!("{error}"));
    Err(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Takes a few bytes at a time, and fails when it is told to.
    #[derive(Clone, Default)]
    struct Slow(Arc<(Mutex<Vec<u8>>, AtomicBool)>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.1.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let some = bytes.len().min(7);
            self.0.0.lock().unwrap().extend_from_slice(&bytes[..some]);
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Slow {
        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn queue(destination: &Slow) -> (Queue, Arc<Loss>) {
        let loss = Loss::new("test".to_owned());
        (Queue::new(Box::new(destination.clone()), loss.clone()).unwrap(), loss)
    }

    #[test]
    fn whatever_is_queued_is_written_once_and_in_order_of_each_thread() {
        let slow = Slow::default();
        let (queue, loss) = queue(&slow);
        thread::scope(|scope| {
            for thread in 0..4 {
                let queue = &queue;
                scope.spawn(move || {
                    for number in 0..5_000 {
                        let record = format!("{thread} {number} {}\n", "x".repeat(100));
                        queue.push(record.as_bytes());
                    }
                });
            }
        });
        queue.flush().unwrap();
        assert_eq!(queue.queued_bytes(), 0);
        let text = slow.text();
        let mut next = [0; 4];
        for line in text.lines() {
            let mut words = line.split(' ').map(|word| word.parse::<usize>());
            let (thread, number) = (words.next().unwrap(), words.next().unwrap());
            let next = &mut next[thread.unwrap()];
            assert_eq!(number.unwrap(), *next);
            *next += 1;
        }
        assert_eq!(next, [5_000; 4]);
        assert_eq!(loss.count(), 0);
    }

    #[test]
    fn a_record_larger_than_the_queue_passes() {
        let slow = Slow::default();
        let (queue, _) = queue(&slow);
        let record = "x".repeat(2 * LIMIT) + "\n";
        for _ in 0..2 {
            queue.push(record.as_bytes());
        }
        queue.flush().unwrap();
        assert_eq!(slow.text().len(), 2 * record.len());
    }

    #[test]
    fn what_is_not_taken_is_counted_and_no_line_is_continued() {
        let slow = Slow::default();
        let (queue, loss) = queue(&slow);
        for round in 0..20 {
            queue.push(b"a record that is written\n");
            queue.flush().unwrap();
            slow.0.1.store(true, Ordering::Relaxed);
            for _ in 0..3 {
                queue.push(b"lost\n");
            }
            assert_eq!(queue.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
            assert_eq!(loss.count(), (round + 1) * 3);
            slow.0.1.store(false, Ordering::Relaxed);
        }
        assert!(slow.text().lines().all(|line| line == "a record that is written"));

        let mut breaks = Breaks { left: 6, written: Vec::new() };
        let (mut is_line_broken, loss) = (false, Loss::new(String::new()));
        let result = write(&mut breaks, b"one\ntwo\nthree\n", &mut is_line_broken, &loss);
        assert!(result.is_err() && is_line_broken);
        assert_eq!(loss.count(), 2);
        breaks.left = usize::MAX;
        write(&mut breaks, b"four\n", &mut is_line_broken, &loss).unwrap();
        assert_eq!(String::from_utf8(breaks.written).unwrap(), "one\ntw\nfour\n");
    }

    /// Fails after so many bytes.
    struct Breaks {
        left: usize,
        written: Vec<u8>,
    }

    impl Write for Breaks {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let some = bytes.len().min(self.left);
            self.left -= some;
            self.written.extend_from_slice(&bytes[..some]);
            if some == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(some) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
