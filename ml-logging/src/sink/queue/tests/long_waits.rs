//! Waits for a sink that stalls, run by a function of the program.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

static BEGUN: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

fn on_wait(wait: &mut dyn FnMut()) {
    BEGUN.fetch_add(1, Ordering::SeqCst);
    wait();
    ENDED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_long_wait_is_run_once_by_the_function_of_the_program() {
    let calls = || (BEGUN.load(Ordering::SeqCst), ENDED.load(Ordering::SeqCst));
    for (policy, expected) in [(Policy::Block, 1), (Policy::Audit, 2)] {
        let sink = Sink::default();
        let queue = queue_with(&sink, policy, 10);
        queue.on_wait(on_wait);
        sink.set(|behaviour| behaviour.is_stalled = true);
        thread::scope(|scope| {
            scope.spawn(|| queue.push(b"first\n"));
            let mut state = sink.0.state.lock().unwrap();
            while state.begun == 0 {
                state = sink.0.changed.wait(state).unwrap();
            }
            drop(state);
            // The first record is being written. One more fills the queue of a worker.
            if policy == Policy::Block {
                queue.push(b"second\n");
            }
            scope.spawn(|| queue.push(b"the last one\n"));
            while calls() != (expected, expected - 1) {
                thread::yield_now();
            }
            sink.work();
        });
        flush(&queue).unwrap();
        assert_eq!(calls(), (expected, expected));
        assert_eq!(sink.lines().last().map(String::as_str), Some("the last one"), "{policy:?}");
    }
}
