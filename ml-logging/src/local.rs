//! What each thread keeps from one record to the next.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    clock::Clock,
    json,
    plan::{Gap, Plan},
    time::TimeFormat,
};

/// A thread's buffers and caches.
///
/// A record takes them out of the thread-local cell and gives them back. While a value's own
/// `Debug` logs, or thread-local storage is being torn down, the cell is empty and that record
/// works with new ones.
pub(crate) struct Local {
    /// The record being written.
    pub(crate) record: Vec<u8>,
    /// The names of the span fields that are in the record.
    pub(crate) span_names: Vec<&'static str>,
    /// For records of the `log` crate, whose metadata is another one each time.
    pub(crate) log_plan: Plan,
    pub(crate) now: Now,
}

/// One huge record must not hold its memory for as long as the thread lives.
const KEPT_CAPACITY: usize = 64 * 1024;

thread_local! {
    static LOCAL: Cell<Option<Box<Local>>> = const { Cell::new(None) };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

impl Local {
    pub(crate) fn take() -> Box<Self> {
        LOCAL.try_with(Cell::take).ok().flatten().unwrap_or_else(|| {
            Box::new(Self {
                record: Vec::with_capacity(1024),
                span_names: Vec::new(),
                log_plan: Plan::default(),
                now: Now {
                    clock: Clock::new(),
                    thread: thread_number().to_string().into_bytes(),
                    thread_name: None,
                },
            })
        })
    }

    pub(crate) fn give_back(mut self: Box<Self>) {
        if self.record.capacity() > KEPT_CAPACITY {
            self.record = Vec::new();
        }
        if self.log_plan.capacity() > KEPT_CAPACITY {
            self.log_plan = Plan::default();
        }
        // Fails if the thread is ending, and then there is no next record.
        let _ = LOCAL.try_with(|local| local.set(Some(self)));
    }
}

/// The time and the thread of a record.
pub(crate) struct Now {
    pub(crate) clock: Clock,
    /// Its number, as JSON.
    thread: Vec<u8>,
    /// As JSON; asked for when a format first needs it.
    thread_name: Option<Vec<u8>>,
}

impl Now {
    #[inline]
    pub(crate) fn fill(&mut self, gap: Gap, times: &[Arc<TimeFormat>], out: &mut Vec<u8>) {
        match gap {
            Gap::Asctime => out.extend_from_slice(self.clock.asctime()),
            Gap::Time(index) => {
                if let Some(format) = times.get(usize::from(index)) {
                    self.clock.write_formatted(out, format);
                }
            }
            Gap::Created => self.clock.write_created(out),
            Gap::Msecs => self.clock.write_msecs(out),
            Gap::Thread => out.extend_from_slice(&self.thread),
            Gap::ThreadName => out.extend_from_slice(self.thread_name.get_or_insert_with(|| {
                let mut json = Vec::new();
                match thread::current().name() {
                    Some(name) => json::string(&mut json, name),
                    None => json::null(&mut json),
                }
                json
            })),
            // Declared, but not recorded: that is how `tracing` hands on a `None`.
            Gap::Value => json::null(out),
        }
    }
}

/// A number for this thread that no other thread of the process ever has, in the order in which
/// the threads first log. The system's own number is not to be had without unsafe code.
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Not in `Local`, of which a thread may have several; this cell has no destructor, so it can
    // be read as long as the thread runs.
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}
