#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

use std::{
    io::Write,
    sync::{Condvar, Mutex, mpsc},
    time::Duration,
};

use super::{batch::Batch, state::RenderDropped, *};
use crate::sink::Stream;

/// Takes a few bytes at a time, fails or stalls when a test asks for it.
#[derive(Clone, Default)]
struct Sink(Arc<Inside>);

#[derive(Default)]
struct Inside {
    state: Mutex<Behaviour>,
    changed: Condvar,
}

#[derive(Default)]
struct Behaviour {
    written: Vec<u8>,
    failure: Option<io::ErrorKind>,
    is_stalled: bool,
    /// Number of writes that have begun.
    begun: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state.lock().unwrap();
        state.begun += 1;
        self.0.changed.notify_all();
        while state.is_stalled {
            state = self.0.changed.wait(state).unwrap();
        }
        if let Some(kind) = state.failure {
            return Err(kind.into());
        }
        let some = bytes.len().min(700);
        state.written.extend_from_slice(&bytes[..some]);
        Ok(some)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn set(&self, set: impl FnOnce(&mut Behaviour)) {
        set(&mut self.0.state.lock().unwrap());
        self.0.changed.notify_all();
    }

    fn fail(&self, kind: io::ErrorKind) {
        self.set(|behaviour| behaviour.failure = Some(kind));
    }

    fn work(&self) {
        self.set(|behaviour| (behaviour.failure, behaviour.is_stalled) = (None, false));
    }

    /// Stalls, and waits until the worker blocks on that. Later records stay queued.
    fn stall(&self, queue: &Queue) {
        let mut state = self.0.state.lock().unwrap();
        state.is_stalled = true;
        let begun = state.begun;
        drop(state);
        queue.push(b"stalled\n");
        let mut state = self.0.state.lock().unwrap();
        while state.begun == begun {
            state = self.0.changed.wait(state).unwrap();
        }
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.state.lock().unwrap().written.clone()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        text.lines().map(str::to_owned).collect()
    }
}

const LIMIT: usize = 100_000;

fn queue_with(sink: &Sink, policy: Policy, limit: usize) -> Queue {
    queue_before(Box::new(Stream::new(sink.clone())), policy, limit)
}

fn queue_before(byte_sink: Box<dyn ByteSink>, policy: Policy, limit: usize) -> Queue {
    let render_dropped: RenderDropped = Box::new(|dropped, queue| {
        queue(format!("dropped {dropped}\n").as_bytes());
    });
    let settings =
        QueueSettings { handler: "test".to_owned(), policy, capacity: limit, render_dropped };
    Queue::new(settings, byte_sink).unwrap()
}

const POLICIES: [Policy; 3] = [Policy::Block, Policy::Drop, Policy::Audit];

/// Returns the counts after a check of their sum.
fn counts(queue: &Queue) -> HandlerCounts {
    let counts = queue.counts();
    let sum = counts.written + counts.dropped + counts.lost + counts.queued;
    assert_eq!(counts.accepted, sum, "{counts:?}");
    assert_eq!(counts.queued == 0, counts.queued_bytes == 0, "{counts:?}");
    counts
}

fn flush(queue: &Queue) -> io::Result<()> {
    queue.flush(None).map_err(|unflushed| match unflushed {
        Unflushed::Failure { error, .. } => error,
        Unflushed::Records(records) => panic!("{records} without a deadline"),
    })
}

#[test]
fn queued_records_are_written_once_and_in_the_order_of_each_thread() {
    const RECORDS: usize = 5_000;
    for policy in POLICIES {
        let sink = Sink::default();
        let queue = queue_with(&sink, policy, LIMIT);
        thread::scope(|scope| {
            for thread in 0..4 {
                let queue = &queue;
                scope.spawn(move || {
                    for number in 0..RECORDS {
                        let record = format!("{thread} {number} {}\n", "x".repeat(100));
                        queue.push(record.as_bytes());
                        counts(queue);
                    }
                });
            }
        });
        flush(&queue).unwrap();
        let counts = counts(&queue);
        assert_eq!(counts.queued, 0);
        assert_eq!(counts.lost, 0);
        let (mut next, mut missing, mut reported) = ([0; 4], 0, 0);
        for line in sink.lines() {
            if let Some(count) = line.strip_prefix("dropped ") {
                reported += count.parse::<u64>().unwrap();
                continue;
            }
            let mut words = line.split(' ').map(|word| word.parse::<usize>());
            let (thread, number) = (words.next().unwrap(), words.next().unwrap().unwrap());
            let next = &mut next[thread.unwrap()];
            assert!(number >= *next, "{line}");
            missing += number - *next;
            *next = number + 1;
        }
        missing += next.iter().map(|next| RECORDS - next).sum::<usize>();
        assert_eq!(missing as u64, counts.dropped, "{policy:?}");
        assert_eq!(reported, counts.dropped, "{policy:?}");
        assert_eq!(counts.dropped > 0, policy == Policy::Drop, "{policy:?}");
    }
}

#[test]
fn a_record_larger_than_the_queue_passes() {
    for policy in POLICIES {
        let sink = Sink::default();
        let queue = queue_with(&sink, policy, LIMIT);
        let record = "x".repeat(3 * LIMIT) + "\n";
        for _ in 0..2 {
            queue.push(record.as_bytes());
            flush(&queue).unwrap();
        }
        assert_eq!(sink.lines().len(), 2);
        assert_eq!(counts(&queue).written, 2);
    }
}

#[test]
fn the_memory_of_a_huge_record_is_not_kept() {
    const LIMIT: usize = 2_000_000;
    let kept = |queue: &Queue| {
        let state = queue.shared.lock();
        state.waiting.capacity() + state.writing.capacity()
    };
    for policy in POLICIES {
        let queue = queue_before(Box::new(Stream::new(io::sink())), policy, LIMIT);
        // The two buffers are swapped for each batch.
        for _ in 0..4 {
            queue.push(&[b'x'; 10 * LIMIT]);
            flush(&queue).unwrap();
        }
        queue.push(b"small\n");
        flush(&queue).unwrap();
        // The worker frees it after the write.
        let deadline = Instant::now() + Duration::from_secs(10);
        while kept(&queue) > 4 * LIMIT && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(kept(&queue) <= 4 * LIMIT);
    }
}

#[test]
fn refused_records_are_counted_and_no_line_is_continued() {
    for policy in POLICIES {
        let sink = Sink::default();
        let queue = queue_with(&sink, policy, LIMIT);
        for round in 0..20 {
            queue.push(b"a record that is written\n");
            flush(&queue).unwrap();
            sink.fail(io::ErrorKind::StorageFull);
            for _ in 0..3 {
                queue.push(b"lost\n");
            }
            assert_eq!(flush(&queue).unwrap_err().kind(), io::ErrorKind::StorageFull);
            assert_eq!(counts(&queue).lost, (round + 1) * 3);
            sink.work();
        }
        assert!(sink.lines().iter().all(|line| line == "a record that is written"));
    }
}

/// Fails once after a number of bytes.
struct Breaks {
    left: usize,
    sink: Sink,
}

impl Write for Breaks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let some = bytes.len().min(self.left);
        if some == 0 {
            self.left = usize::MAX;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left -= some;
        self.sink.write(&bytes[..some])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_record_that_is_cut_short_ends_there() {
    for left in 0..13 {
        for policy in POLICIES {
            let sink = Sink::default();
            let queue = queue_with(&sink, policy, LIMIT);
            {
                // In one batch.
                let mut state = queue.shared.lock();
                let breaks = Box::new(Stream::new(Breaks { left, sink: sink.clone() }));
                let mut batch = Batch::default();
                for record in ["one\n", "two\n", "three\n"] {
                    batch.push(record.as_bytes());
                    state.counts.accepted += 1;
                    state.counts.queued_bytes += record.len() as u64;
                    state.queued += 1;
                }
                let mut byte_sink = breaks;
                state = queue.shared.write_batch(state, &batch, &mut *byte_sink);
                batch.clear(LIMIT);
                batch.push(b"four\n");
                state.counts.accepted += 1;
                state.counts.queued_bytes += 5;
                state.queued += 1;
                drop(queue.shared.write_batch(state, &batch, &mut *byte_sink));
            }
            let whole = ["one", "two", "three"];
            let counts = counts(&queue);
            assert_eq!(counts.queued, 0);
            let written = usize::from(left >= 4) + usize::from(left >= 8);
            assert_eq!((counts.written, counts.lost), (written as u64 + 1, 3 - written as u64));
            let lines = sink.lines();
            assert_eq!(lines[..written], whole[..written]);
            assert_eq!(lines.last().unwrap(), "four");
            let torn = left - 4 * written;
            if torn > 0 {
                assert_eq!(lines[written], whole[written][..torn.min(whole[written].len())]);
            }
            assert_eq!(lines.len(), written + usize::from(torn > 0) + 1);
        }
    }
}

#[test]
fn a_stalled_sink_blocks_or_drops_by_the_policy() {
    let sink = Sink::default();
    let queue = queue_with(&sink, Policy::Drop, 100);
    sink.stall(&queue);
    for _ in 0..50 {
        queue.push(b"123456789\n");
    }
    let stalled = counts(&queue);
    assert_eq!((stalled.accepted, stalled.queued, stalled.dropped), (51, 11, 40));
    assert_eq!(stalled.queued_bytes, 108);
    let past = Instant::now();
    assert!(matches!(queue.flush(Some(past)), Err(Unflushed::Records(11))));
    sink.work();
    flush(&queue).unwrap();
    let lines = sink.lines();
    assert_eq!(lines.len(), 12);
    assert_eq!(lines[11], "dropped 40");
    assert_eq!(counts(&queue).written, 12);

    let sink = Sink::default();
    let queue = queue_with(&sink, Policy::Block, 100);
    sink.stall(&queue);
    for _ in 0..10 {
        queue.push(b"123456789\n");
    }
    thread::scope(|scope| {
        let (gone_on, goes_on) = mpsc::channel();
        let queue = &queue;
        scope.spawn(move || {
            queue.push(b"waits\n");
            gone_on.send(()).unwrap();
        });
        // Not a proof that it waits forever, but the message would only be there if it had not waited.
        assert!(goes_on.try_recv().is_err());
        sink.work();
        goes_on.recv().unwrap();
    });
    flush(&queue).unwrap();
    assert_eq!(sink.lines().len(), 12);
}

#[test]
fn an_audit_record_is_written_before_push_returns() {
    let sink = Sink::default();
    let queue = queue_with(&sink, Policy::Audit, LIMIT);
    for number in 1..100 {
        queue.push(b"one\n");
        assert_eq!(sink.lines().len(), number);
    }
    thread::scope(|scope| {
        for thread in 0..4 {
            let (queue, sink) = (&queue, &sink);
            scope.spawn(move || {
                for number in 0..500 {
                    let record = format!("{thread} {number}\n");
                    queue.push(record.as_bytes());
                    let written = sink.0.state.lock().unwrap().written.clone();
                    let own = record.as_bytes();
                    assert!(written.windows(own.len()).any(|part| part == own));
                }
            });
        }
    });
    assert_eq!(counts(&queue).written, 99 + 2_000);
}

mod faults;
mod long_waits;
