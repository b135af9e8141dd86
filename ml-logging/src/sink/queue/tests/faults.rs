//! Faulty byte sinks.

use super::*;
use crate::sink::byte_sink::Prepared;

#[test]
fn a_byte_sink_that_panics_has_failed() {
    struct Panics(bool);
    impl Write for Panics {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !std::mem::replace(&mut self.0, true) {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for policy in POLICIES {
        let queue = queue_before(Box::new(Stream::new(Panics(false))), policy, LIMIT);
        queue.push(b"lost\n");
        assert_eq!(flush(&queue).unwrap_err().to_string(), "the writer has panicked");
        queue.push(b"written\n");
        flush(&queue).unwrap();
        assert_eq!((counts(&queue).lost, counts(&queue).written), (1, 1));
    }
}

#[test]
fn a_writer_that_returns_too_large_a_number_has_written_everything() {
    struct Boasts(Sink);
    impl Write for Boasts {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes).map(|written| written * 2)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for policy in POLICIES {
        let sink = Sink::default();
        let queue = queue_before(Box::new(Stream::new(Boasts(sink.clone()))), policy, LIMIT);
        for number in 1..4 {
            queue.push(b"a record\n");
            flush(&queue).unwrap();
            let counts = counts(&queue);
            assert_eq!((counts.written, counts.queued_bytes), (number, 0));
        }
        assert_eq!(sink.lines().len(), 3);
    }
}

/// Panics outside of `write`, where the queue does not expect it.
struct Dies;

impl ByteSink for Dies {
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> io::Result<Prepared> {
        Ok(Prepared { records: lengths.count(), is_new_file: false, is_torn: false })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn failed_rotations(&self) -> u64 {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

#[test]
fn no_thread_waits_for_a_worker_that_has_ended() {
    for policy in POLICIES {
        let queue = queue_before(Box::new(Dies), policy, 100);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| queue.push(b"123456789\n")));
            }
        });
        let deadline = Instant::now() + Duration::from_secs(10);
        // The records that report dropped ones are among them.
        assert!(matches!(
            queue.flush(Some(deadline)),
            Err(Unflushed::Failure { is_past: false, .. })
        ));
        let counts = counts(&queue);
        assert!(counts.accepted >= 400, "{counts:?}");
        assert_eq!((counts.queued, counts.queued_bytes), (0, 0));
        assert!(counts.lost > 0, "{counts:?}");
    }
}
