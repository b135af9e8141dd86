//! The store: a folder with a SQLite file per day.
//!
//! | module | contents |
//! |---|---|
//! | `writer` | from lines to batches, each of one day |
//! | `batch` | predictions joined from their two records |
//! | `day_file` | the transaction that writes a batch and the positions of its sources |
//! | `names` | names and templates that a file holds once |
//! | `rollup`, `histogram` | counts, latencies and values per minute and hour |
//! | `resume` | the positions of the sources, read at the start |
//! | `retention` | which days are kept |
//! | `schema` | the tables |
//! | `day` | days and the names of their files |

mod batch;
pub(crate) mod day;
pub(crate) mod day_file;
pub(crate) mod histogram;
mod names;
mod resume;
mod retention;
pub(crate) mod rollup;
pub(crate) mod schema;
mod unthreaded;
mod writer;

use std::path::Path;

pub(crate) use batch::Id;
pub(crate) use day::{DAY_US, Day};
pub(crate) use resume::resume;
pub(crate) use retention::{Retention, size};
pub(crate) use writer::{Limits, Writer};

/// Reason why records cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot read the folder of the store: {0}")]
    Folder(std::io::Error),
    #[error("cannot open the file of {day}: {source}")]
    Open { day: Day, source: rusqlite::Error },
    #[error("cannot write into the file of {day}: {source}")]
    Write { day: Day, source: rusqlite::Error },
    #[error(
        "nothing is written, because the disk has {} free and {} are to stay free: \
         make room, or lower --min-free",
        Bytes(*free), Bytes(*minimum)
    )]
    NoSpace { free: u64, minimum: u64 },
    #[error(
        "nothing is written, because the file of one day is larger than {}: raise --max-size",
        Bytes(*.maximum)
    )]
    TooLarge { maximum: u64 },
    #[error("cannot delete old days: {0}")]
    Delete(std::io::Error),
}

impl StoreError {
    fn write(day: Day, source: rusqlite::Error) -> Self {
        Self::Write { day, source }
    }
}

/// A number of bytes for a message.
pub(crate) struct Bytes(pub(crate) u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = ["bytes", "KB", "MB", "GB", "TB"];
        let mut number = self.0 as f64;
        let mut unit = 0;
        while number >= 1000.0 && unit + 1 < units.len() {
            number /= 1000.0;
            unit += 1;
        }
        let decimals = usize::from(unit > 0 && number < 100.0);
        write!(f, "{number:.decimals$} {}", units[unit])
    }
}

/// Returns the free space of the disk of a folder; `None` if the system does not report it.
#[cfg(unix)]
fn free_space(folder: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(folder).ok()?;
    Some(space.f_bavail * space.f_frsize)
}

#[cfg(not(unix))]
fn free_space(_folder: &Path) -> Option<u64> {
    None
}
