//! The files of a store, open for reading.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::time_range::TimeRange;
use crate::store::day::days;
use crate::store::{Day, schema};

/// Number of open files that wait for the next question.
const IDLE_FILES: usize = 8;
/// Size after which an answer ends. Most answers have as many items as their limit; lines of up to a
/// megabyte each must not fill the memory.
pub(super) const ANSWER_BYTES: usize = 8_000_000;

/// Reason why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("cannot read the folder of the store: {0}")]
    Folder(#[source] io::Error),
    #[error("cannot read the file of {day}: {source}")]
    Read { day: Day, source: rusqlite::Error },
    /// The question is not valid.
    #[error("{0}")]
    Invalid(String),
}

/// Reads a store. Can be used by several threads.
pub(crate) struct Reader {
    store: PathBuf,
    idle: Mutex<Vec<(Day, Connection)>>,
    /// Time after which a search pauses.
    pub(crate) time_limit: Duration,
}

impl Reader {
    /// Creates a reader. The folder must exist.
    pub(crate) fn new(store: &Path, time_limit: Duration) -> Self {
        Self { store: store.to_owned(), idle: Mutex::new(Vec::new()), time_limit }
    }

    /// Returns the time at which a search that starts now pauses.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.time_limit
    }

    /// Returns the days with a file that may have something of a range, the newest first.
    pub(crate) fn days(&self, range: TimeRange) -> Result<Vec<Day>, QueryError> {
        let mut days = days(&self.store).map_err(QueryError::Folder)?;
        days.retain(|day| day.start() < range.to && Day(day.0 + 1).start() > range.from);
        Ok(days)
    }

    /// Reads from the file of a day. Returns `None` if the file has just been
    /// created or deleted.
    pub(crate) fn read<T>(
        &self,
        day: Day,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, QueryError> {
        let path = day.path(&self.store);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let position = idle.iter().position(|(own, _)| *own == day);
        let taken = position.map(|position| idle.swap_remove(position).1);
        drop(idle);
        if !path.exists() {
            return Ok(None);
        }
        let error = |source| QueryError::Read { day, source };
        let connection = match taken {
            Some(connection) => connection,
            None => match schema::open_for_reading(&path).map_err(error)? {
                Some(connection) => connection,
                None => return Ok(None),
            },
        };
        let answer = query(&connection).map_err(error)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= IDLE_FILES {
            idle.remove(0);
        }
        idle.push((day, connection));
        Ok(Some(answer))
    }
}
