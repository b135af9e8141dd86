//! The sink of all records. It counts bytes per thread, so that it never blocks.

use std::cell::Cell;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

static KEEPS: AtomicBool = AtomicBool::new(false);
static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

thread_local!(static BYTES: Cell<u64> = const { Cell::new(0) });

/// Writer that counts bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sink;

impl io::Write for Sink {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BYTES.set(BYTES.get() + bytes.len() as u64);
        if KEEPS.load(Ordering::Relaxed) {
            keep(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cold]
fn keep(bytes: &[u8]) {
    if let Ok(mut kept) = KEPT.lock() {
        kept.extend_from_slice(bytes);
    }
}

/// Returns the number of bytes that this thread has written.
#[must_use]
pub fn bytes() -> u64 {
    BYTES.get()
}

/// Returns the bytes that are written while `write` runs.
pub fn kept_while(write: impl FnOnce()) -> Vec<u8> {
    KEEPS.store(true, Ordering::Relaxed);
    write();
    KEEPS.store(false, Ordering::Relaxed);
    KEPT.lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default()
}
