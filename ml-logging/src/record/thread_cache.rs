//! Buffers and caches that a thread keeps between records.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::SystemTime,
};

use super::{
    clock::Clock,
    template::{Slot, Template},
};
use crate::format::{TimeFormat, escape};

/// Buffers and caches of a thread.
///
/// A record takes them out of a thread-local cell and puts them back. The cell is empty while the `Debug`
/// implementation of a value logs, and while the thread ends. That record works with new ones.
pub(crate) struct ThreadCache {
    /// The rendered record.
    pub(super) record: Vec<u8>,
    /// Names of the span fields in the record.
    pub(super) span_names: Vec<&'static str>,
    /// Template for records of the `log` crate, whose metadata differs each time.
    pub(super) log_template: Template,
    pub(super) time: EventTime,
}

/// Largest buffer that is kept. A single huge record must not occupy its memory for good.
const MAX_KEPT: usize = 64 * 1024;

thread_local! {
    static CACHE: Cell<Option<Box<ThreadCache>>> = const { Cell::new(None) };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

impl ThreadCache {
    /// Takes the cache of this thread for an event at this time.
    #[inline]
    pub(crate) fn take(now: SystemTime) -> Box<Self> {
        let mut cache =
            CACHE.try_with(Cell::take).ok().flatten().unwrap_or_else(|| Box::new(Self::new()));
        cache.time.set(now);
        cache
    }

    fn new() -> Self {
        Self {
            record: Vec::with_capacity(1024),
            span_names: Vec::new(),
            log_template: Template::default(),
            time: EventTime {
                now: SystemTime::UNIX_EPOCH,
                clock: Clock::new(),
                thread: thread_number().to_string().into_bytes(),
                thread_name: None,
            },
        }
    }

    pub(crate) fn give_back(mut self: Box<Self>) {
        if self.record.capacity() > MAX_KEPT {
            self.record = Vec::new();
        }
        if self.log_template.capacity() > MAX_KEPT {
            self.log_template = Template::default();
        }
        // Fails if the thread is ending.
        let _ = CACHE.try_with(|cache| cache.set(Some(self)));
    }
}

/// Time and thread of an event.
pub(super) struct EventTime {
    now: SystemTime,
    clock: Clock,
    /// Number of the thread as JSON.
    thread: Vec<u8>,
    /// Name of the thread as JSON, rendered when a format first needs it.
    thread_name: Option<Vec<u8>>,
}

impl EventTime {
    #[inline]
    fn set(&mut self, now: SystemTime) {
        self.now = now;
        self.clock.set(now);
    }

    #[inline]
    pub(super) fn now(&self) -> SystemTime {
        self.now
    }

    /// Writes the content of a slot.
    #[inline]
    pub(super) fn fill(&mut self, slot: Slot, times: &[Arc<TimeFormat>], out: &mut Vec<u8>) {
        match slot {
            Slot::Asctime => out.extend_from_slice(self.clock.asctime()),
            Slot::Time(index) => {
                if let Some(format) = times.get(usize::from(index)) {
                    self.clock.write_formatted(out, format);
                }
            }
            Slot::Created => self.clock.write_created(out),
            Slot::Msecs => self.clock.write_msecs(out),
            Slot::Thread => out.extend_from_slice(&self.thread),
            Slot::ThreadName => out.extend_from_slice(self.thread_name.get_or_insert_with(|| {
                let mut json = Vec::new();
                match thread::current().name() {
                    Some(name) => escape::string(&mut json, name),
                    None => escape::null(&mut json),
                }
                json
            })),
            // A declared field without a value: `tracing` represents `None` like this.
            Slot::Value => escape::null(out),
        }
    }
}

/// Returns the number of this thread, which is unique in the process. Threads are numbered in the order in
/// which they first log. The number of the system is not available without unsafe code.
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Not in `ThreadCache`, of which a thread may have several. This cell has no destructor, so that it
    // can be read until the thread has ended.
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}
