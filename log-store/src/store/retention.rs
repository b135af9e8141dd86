//! Which days are kept. A day is deleted as a whole, with its file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::day::{Day, days};

/// Limits of a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Retention {
    /// Number of days before today that are kept.
    pub(crate) days: Option<u32>,
    /// Size of all files in bytes.
    pub(crate) max_bytes: Option<u64>,
}

/// What the limits mean for the present files.
pub(crate) struct Kept {
    /// The oldest day that is kept.
    pub(crate) oldest: Day,
    /// Size of the newest file, if it alone is too large: it is not deleted.
    pub(crate) too_large: Option<u64>,
}

impl Retention {
    /// Returns which days to keep.
    ///
    /// # Errors
    ///
    /// Fails if the folder cannot be read.
    pub(crate) fn kept(&self, store: &Path, today: Day) -> io::Result<Kept> {
        let mut oldest = self.days.map_or(Day(i32::MIN), |days| Day(today.0 - days as i32));
        let mut too_large = None;
        let mut sum = 0;
        for (index, day) in days(store)?.into_iter().enumerate() {
            sum += files(store, day)
                .iter()
                .filter_map(|file| Some(fs::metadata(file).ok()?.len()))
                .sum::<u64>();
            let Some(max) = self.max_bytes.filter(|max| sum > *max) else { continue };
            if index == 0 {
                too_large = Some(max);
                oldest = oldest.max(day);
            } else {
                oldest = oldest.max(Day(day.0 + 1));
            }
            break;
        }
        Ok(Kept { oldest, too_large })
    }
}

/// Deletes the files of the days before `oldest`. Returns the days.
///
/// # Errors
///
/// Fails if a file cannot be deleted.
pub(crate) fn delete_before(store: &Path, oldest: Day) -> io::Result<Vec<Day>> {
    let mut deleted = days(store)?;
    deleted.retain(|day| *day < oldest);
    for day in &deleted {
        // The write-ahead log is of no use without its file, and is deleted before it.
        for file in files(store, *day).iter().rev() {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(deleted)
}

/// Returns the files of a day: the tables, and what SQLite keeps beside them.
fn files(store: &Path, day: Day) -> [PathBuf; 3] {
    let file = day.path(store);
    let beside = |suffix: &str| {
        let mut name = file.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    [file.clone(), beside("-wal"), beside("-shm")]
}

/// Returns the size of all files of a store.
pub(crate) fn size(store: &Path) -> u64 {
    let days = days(store).unwrap_or_default();
    let files = days.into_iter().flat_map(|day| files(store, day));
    files.filter_map(|file| Some(fs::metadata(file).ok()?.len())).sum()
}
