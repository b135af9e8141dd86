//! Processes that fork and go on without `exec`.
//!
//! A forked child has one thread, a copy of all memory, and another process id. What another thread
//! was just doing under a lock stays half done in it forever, and there is no thread that writes.
//! So a child must not touch what it has inherited: [`PerProcess`] makes it a new value when it
//! first asks. The standard library's own locks are inherited as well, so it starts no thread.
//!
//! That a process is a child is told by the system itself, through `pthread_atfork`. Asking for the
//! process id with every record would need no unsafe code, but it is a system call: 138 ns as the
//! fastest of 200 rounds.

use std::{
    cell::Cell,
    process,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

/// How many forks lie between the process that has begun the logging and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);
/// The id of this process, 0 if it is not known yet.
static PROCESS_ID: AtomicU32 = AtomicU32::new(0);

/// Held while something is done that would stay half done in a child, and while the process forks.
static FORK: Mutex<()> = Mutex::new(());

thread_local! {
    /// This thread holds it, and may do so once more: what is made for a child may itself need
    /// something that is made then.
    static IS_HELD: Cell<bool> = const { Cell::new(false) };
}

/// No fork as long as this is there, and no other thread that has it.
pub(crate) struct NoFork {
    /// None inside of another one.
    hold: Option<MutexGuard<'static, ()>>,
}

pub(crate) fn no_fork() -> NoFork {
    let hold = (!IS_HELD.get()).then(hold);
    IS_HELD.set(true);
    NoFork { hold }
}

impl Drop for NoFork {
    fn drop(&mut self) {
        if self.hold.is_some() {
            IS_HELD.set(false);
        }
    }
}

fn hold() -> MutexGuard<'static, ()> {
    FORK.lock().unwrap_or_else(PoisonError::into_inner)
}

#[inline(always)]
pub(crate) fn generation() -> u32 {
    // Changes only while there is one thread.
    GENERATION.load(Ordering::Relaxed)
}

/// The id of this process, without a system call.
pub(crate) fn process_id() -> u32 {
    match PROCESS_ID.load(Ordering::Relaxed) {
        0 => process::id(),
        id => id,
    }
}

/// A value that no process shares with its parent.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    generation: u32,
    value: T,
    /// That of a child.
    next: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        watch::begin();
        Self { generation: generation(), value, next: OnceLock::new() }
    }

    /// The value of this process; `make` runs if it is a child that has none yet.
    #[inline(always)]
    pub(crate) fn get(&self, make: impl Fn() -> T) -> &T {
        if self.generation == generation() { &self.value } else { self.of_child(make) }
    }

    /// The value with which it began, if this is the process that it began in.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn of_parent(&self) -> Option<&T> {
        (self.generation == generation()).then_some(&self.value)
    }

    /// The value of this process, if it has one.
    pub(crate) fn existing(&self) -> Option<&T> {
        let mut link = self;
        while link.generation != generation() {
            link = link.next.get()?;
        }
        Some(&link.value)
    }

    #[cold]
    fn of_child(&self, make: impl Fn() -> T) -> &T {
        let mut link = self;
        while link.generation != generation() {
            link = match link.next.get() {
                Some(next) => next,
                None => {
                    // No fork while a value is made: a child would wait forever for a thread that
                    // it does not have.
                    let _no_fork = no_fork();
                    link.next.get_or_init(|| {
                        let generation = generation();
                        Box::new(Self { generation, value: make(), next: OnceLock::new() })
                    })
                }
            };
        }
        &link.value
    }
}

#[cfg(unix)]
mod watch {
    use std::{
        cell::Cell,
        process,
        sync::{MutexGuard, Once, atomic::Ordering},
    };

    use super::{GENERATION, PROCESS_ID, hold};

    thread_local! {
        /// The hold that the forking thread has, in the parent and then in the child.
        static HELD: Cell<Option<MutexGuard<'static, ()>>> = const { Cell::new(None) };
    }

    extern "C" fn before() {
        let hold = hold();
        // Fails in a thread that is ending; then the hold is over at once.
        let _ = HELD.try_with(|held| held.set(Some(hold)));
    }

    extern "C" fn after_in_parent() {
        let _ = HELD.try_with(Cell::take);
    }

    extern "C" fn after_in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        PROCESS_ID.store(process::id(), Ordering::Relaxed);
        let _ = HELD.try_with(Cell::take);
    }

    /// From now on a child knows that it is one.
    #[allow(unsafe_code, reason = "there is no safe way to be told of a fork")]
    pub(super) fn begin() {
        static BEGIN: Once = Once::new();
        BEGIN.call_once(|| {
            PROCESS_ID.store(process::id(), Ordering::Relaxed);
            // SAFETY: the three functions live as long as the program, take nothing and do not
            // unwind. In the child, which may do only what a signal handler may, they touch two
            // atomics, ask for the process id and release a lock that this very thread holds.
            // It fails only for want of memory; then there is no child to know of it either.
            unsafe {
                libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child))
            };
        });
    }
}

#[cfg(not(unix))]
mod watch {
    pub(super) fn begin() {}
}
