//! Pipes, and whatever else takes the bytes of several writers as they come: sockets and terminals.
//!
//! A pipe takes a few kilobytes in one piece, anything longer as there is room, and what others write in
//! between is in the middle of it then. Two handlers may well write to one pipe, through a standard
//! stream or by the name of a file. So those of a process take turns, for a whole record each; other
//! processes know nothing of that, and can cut a record that is longer.

use std::{
    fs::File,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
};

use crate::{
    destination::{Destination, Prepared, Stream},
    fork,
    place::Place,
};

/// What a pipe takes in one piece even if it is nearly full. Others may write to the same pipe: what
/// the program prints, its children, other programs of a shell's command.
pub(crate) const PIPE_BUF: usize = if libc::PIPE_BUF < 4096 { libc::PIPE_BUF } else { 4096 };

pub(crate) struct Pipe {
    to: Stream<File>,
    turns: Arc<Turns>,
    is_own_turn: bool,
}

impl Pipe {
    pub(crate) fn new(to: Stream<File>, place: Place) -> Self {
        Self { to, turns: Turns::at(place), is_own_turn: false }
    }

    fn end_turn(&mut self) {
        if std::mem::take(&mut self.is_own_turn) {
            self.turns.end();
        }
    }
}

impl Destination for Pipe {
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> Prepared {
        self.to.prepare(lengths)
    }

    /// The bytes end where a record does, so a turn is over when they are written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_own_turn {
            self.turns.begin();
            self.is_own_turn = true;
        }
        let result = self.to.write(bytes);
        let goes_on = match &result {
            Ok(written) => (1..bytes.len()).contains(written),
            // It is tried again at once.
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
            }
        };
        // After a failure as well: nobody knows when it is tried again, if at all.
        if !goes_on {
            self.end_turn();
        }
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.end_turn();
    }
}

/// The turns of those who write to the same pipe, in the order in which they ask: a handler that always
/// has something to write does not keep the others from it.
#[derive(Default)]
struct Turns {
    numbers: Mutex<Numbers>,
    over: Condvar,
}

#[derive(Default)]
struct Numbers {
    /// That of who asks next.
    next: u64,
    /// Whose turn it is.
    current: u64,
}

/// Those of a pipe that is written to.
struct Known {
    /// A forked process must not wait for a turn that a thread of its parent has.
    generation: u32,
    place: Place,
    turns: Weak<Turns>,
}

/// Locked only while the process cannot fork.
static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

impl Turns {
    fn at(place: Place) -> Arc<Self> {
        let _no_fork = fork::no_fork();
        let generation = fork::generation();
        let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.turns.strong_count() > 0);
        let known = all.iter().find(|known| known.generation == generation && known.place == place);
        if let Some(turns) = known.and_then(|known| known.turns.upgrade()) {
            return turns;
        }
        let turns = Arc::new(Self::default());
        all.push(Known { generation, place, turns: Arc::downgrade(&turns) });
        turns
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        let mut numbers = self.numbers();
        let own = numbers.next;
        numbers.next += 1;
        while numbers.current != own {
            numbers = self.over.wait(numbers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self) {
        let mut numbers = self.numbers();
        numbers.current += 1;
        if numbers.current != numbers.next {
            self.over.notify_all();
        }
    }
}
