//! The thread that reads all sources and writes what they have.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::read::{Follower, Position, StandardInput};
use crate::store::{StoreError, Writer};

/// Number of lines in a transaction. Larger ones are hardly faster, and need more memory.
const BATCH_LINES: usize = 50_000;
/// Shortest time between two transactions that are not full. Small ones take more time per line.
const COMMIT_INTERVAL: Duration = Duration::from_millis(250);
/// Time between two looks at files without new lines. Standard input ends it early.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Time between two looks for days to delete.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60);
/// Time between two attempts after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Progress of the reading, for the page and for scripts.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Progress {
    /// Lines that were records.
    pub(crate) records: u64,
    /// Lines that were none.
    pub(crate) rejected: u64,
    /// Records that were older than the store keeps.
    pub(crate) expired: u64,
    pub(crate) sources: Vec<SourceProgress>,
    /// Reason why nothing is written at the moment.
    pub(crate) error: Option<String>,
}

/// How far a source is read.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SourceProgress {
    pub(crate) path: String,
    /// Bytes read, up to the end of a line.
    pub(crate) position: u64,
    pub(crate) records: u64,
    pub(crate) rejected: u64,
}

/// Progress that the thread publishes.
pub(crate) type SharedProgress = Arc<Mutex<Progress>>;

/// Reads sources into a store.
pub(crate) struct Ingest {
    followers: Vec<Follower>,
    input: Option<StandardInput>,
    positions: Vec<Position>,
    writer: Writer,
    progress: SharedProgress,
    last_commit: Instant,
    next_retention: Instant,
}

impl Ingest {
    /// Creates the reader of files, where `-` is standard input, from the positions of the store. It must
    /// [`run`](Self::run) on the same thread.
    pub(crate) fn new(
        files: &[PathBuf],
        mut positions: Vec<Position>,
        writer: Writer,
        progress: SharedProgress,
    ) -> Self {
        let standard_input = Path::new("-");
        let input = files
            .iter()
            .any(|file| file == standard_input)
            .then(|| StandardInput::new(&mut positions));
        let followers =
            files.iter().filter(|file| *file != standard_input).map(|file| Follower::new(file));
        let followers = followers.collect();
        let (last_commit, next_retention) = (Instant::now(), Instant::now());
        let ingest =
            Self { followers, input, positions, writer, progress, last_commit, next_retention };
        ingest.publish(None);
        ingest
    }

    /// Reads until the sender of `stop` is dropped, then writes what has been read.
    pub(crate) fn run(mut self, stop: &Receiver<()>) {
        loop {
            let pause = match self.round() {
                Ok(true) => Duration::ZERO,
                Ok(false) => POLL_INTERVAL,
                Err(error) => {
                    self.report(&error);
                    RETRY_INTERVAL
                }
            };
            if stop.try_recv() == Err(TryRecvError::Disconnected) {
                break;
            }
            if !pause.is_zero() {
                thread::park_timeout(pause);
            }
        }
        if let Err(error) = self.commit() {
            self.report(&error);
        }
    }

    /// Reads a chunk of each source. Returns whether there was any.
    fn round(&mut self) -> Result<bool, StoreError> {
        if Instant::now() >= self.next_retention {
            for day in self.writer.retain(&self.positions)? {
                eprintln!("ml-logs: deleted {day}");
            }
            self.next_retention = Instant::now() + RETENTION_INTERVAL;
        }
        // After a failure nothing more is read.
        if self.writer.waiting() >= BATCH_LINES {
            self.commit()?;
        }
        let mut progress = false;
        for follower in &mut self.followers {
            progress |= follower.poll(&mut self.positions, &mut self.writer)?;
        }
        if let Some(input) = &mut self.input {
            progress |= input.poll(&mut self.positions, &mut self.writer)?;
        }
        let waiting = self.writer.waiting();
        let is_due = self.last_commit.elapsed() > COMMIT_INTERVAL;
        if waiting >= BATCH_LINES || (waiting > 0 && is_due) {
            self.commit()?;
        }
        Ok(progress)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.writer.commit(&self.positions)?;
        self.last_commit = Instant::now();
        self.publish(None);
        Ok(())
    }

    fn report(&self, error: &StoreError) {
        let message = error.to_string();
        let is_new = {
            let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.error.as_ref() != Some(&message)
        };
        if is_new {
            eprintln!("ml-logs: {message}");
            self.publish(Some(message));
        }
    }

    fn publish(&self, error: Option<String>) {
        let sources: Vec<_> = self
            .positions
            .iter()
            .map(|position| SourceProgress {
                path: position.path.clone(),
                position: position.bytes,
                records: position.records,
                rejected: position.rejected,
            })
            .collect();
        let progress = Progress {
            records: sources.iter().map(|source| source.records).sum(),
            rejected: sources.iter().map(|source| source.rejected).sum(),
            expired: self.writer.expired,
            sources,
            error,
        };
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}
