//! Files that are rotated by size or by time, as Python's `RotatingFileHandler` and
//! `TimedRotatingFileHandler` do.
//!
//! In contrast to Python, several processes may write to the same file. The process that rotates holds a lock
//! on the file. The others wait for the lock, or notice that the name belongs to another file now. Records
//! that they write in between are in the old file, whole.

mod schedule;

use std::{
    ffi::OsString,
    fs::{self, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

pub use self::schedule::Period;
use self::schedule::Schedule;
use super::{
    byte_sink::{ByteSink, Prepared},
    file::{self, NamedFile},
    report::report,
    torn_line::TornLine,
};
use crate::format::TimeZone;

/// When a log file is rotated, and how many old files are kept.
///
/// ```
/// use ml_logging::{Handler, Period, Rotation};
///
/// // app.log, app.log.1 … app.log.5, of 10 MB each
/// let by_size = Handler::rotating("file", "app.log", Rotation::by_size(10_000_000, 5));
/// // app.log, app.log.2026-11-23, app.log.2026-11-22 …
/// let daily = Handler::rotating("file", "app.log", Rotation::every(1, Period::Midnight).keep(14));
/// # drop((by_size, daily));
/// ```
///
/// A record is never split between two files. If the files cannot be renamed the handler continues with
/// the current file, reports that once on standard error, counts it, and retries after a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    when: When,
    backups: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    Size(u64),
    Time(Schedule),
}

impl Rotation {
    /// Rotates a file before it exceeds `max_bytes`. The old file gets the suffix `.1`, the file with that
    /// suffix gets `.2`, and so on up to `.{backups}`, which is overwritten. A single record may be larger.
    ///
    /// If either number is 0 the file is never rotated, as in Python.
    pub fn by_size(max_bytes: u64, backups: u32) -> Self {
        Self { when: When::Size(max_bytes), backups }
    }

    /// Rotates a file every `interval` periods, where 0 counts as 1. The check is made when a record is
    /// written.
    ///
    /// The suffix of the old file is the time at which it began, to the precision of the period:
    /// `app.log.2026-11-24_15-02-07`. It is in UTC unless a [`time_zone`](Self::time_zone) is set. If that
    /// file exists, `.1` and so on are appended: no file is overwritten. All old files are kept unless
    /// [`keep`](Self::keep) is called.
    pub fn every(interval: u32, period: Period) -> Self {
        Self { when: When::Time(Schedule::new(period, interval)), backups: 0 }
    }

    /// Sets how many old files are kept; 0 keeps all of them. Same as `backups` of
    /// [`by_size`](Self::by_size).
    #[must_use]
    pub fn keep(mut self, backups: u32) -> Self {
        self.backups = backups;
        self
    }

    /// Sets the time of day for [`Period::Midnight`] and [`Period::Weekday`]. Ignored for other periods.
    #[must_use]
    pub fn at(mut self, time_of_day: Duration) -> Self {
        if let When::Time(schedule) = &mut self.when {
            schedule.at(time_of_day);
        }
        self
    }

    /// Sets the time zone of [`Period::Midnight`], [`Period::Weekday`] and the suffixes; UTC by default.
    /// Ignored for files that are rotated by size.
    ///
    /// ```
    /// use ml_logging::{Period, Rotation};
    ///
    /// // `local` is the time zone of the machine.
    /// let daily = Rotation::every(1, Period::Midnight).time_zone("Europe/Berlin".parse()?).keep(14);
    /// # drop(daily);
    /// # Ok::<(), ml_logging::FormatError>(())
    /// ```
    ///
    /// When the clocks change, a day of 23 or 25 hours also ends at midnight. A time of day that is skipped
    /// is shifted by the length of the gap, `02:30` to 03:30. Of a time of day that occurs twice the first
    /// counts. All other periods are counted in elapsed seconds.
    #[must_use]
    pub fn time_zone(mut self, zone: TimeZone) -> Self {
        if let When::Time(schedule) = &mut self.when {
            schedule.time_zone(zone);
        }
        self
    }
}

/// Pause after a failed rotation.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Longest wait for another process that rotates the file. A rotation takes less than a millisecond, unless
/// that process is suspended.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// File that is rotated.
pub(crate) struct RollingFile {
    named: NamedFile,
    rotation: Rotation,
    /// Time of the next rotation by time, in seconds since 1970.
    due: u64,
    failures: u64,
    /// Incomplete last line, until the first record.
    torn: Option<TornLine>,
    last_failure: Option<Instant>,
}

impl RollingFile {
    /// Opens a file for appending, and creates it if it does not exist. Pipes and terminals, which cannot
    /// be rotated, become ordinary streams.
    pub(crate) fn open(path: &Path, rotation: &Rotation) -> io::Result<Box<dyn ByteSink>> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(file::open(path, false)?.0);
        }
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let torn = TornLine::of(path);
        let named = NamedFile::open(path)?;
        let due = match &rotation.when {
            When::Time(schedule) => {
                schedule.after(seconds(modified.unwrap_or_else(SystemTime::now)))
            }
            When::Size(_) => 0,
        };
        let rotation = rotation.clone();
        Ok(Box::new(Self { named, rotation, due, failures: 0, torn, last_failure: None }))
    }

    /// Runs an operation, unless the last one has failed a moment ago. Counts failures.
    fn try_to<T>(&mut self, operation: impl FnOnce(&mut Self) -> io::Result<T>) -> Option<T> {
        if self.last_failure.is_some_and(|failure| failure.elapsed() < RETRY_PAUSE) {
            return None;
        }
        match operation(self) {
            Ok(value) => {
                self.last_failure = None;
                Some(value)
            }
            Err(error) => {
                if self.failures == 0 {
                    let path = self.named.path.display();
                    report(format_args!(
                        "{path} could not be rotated: {error}; the file stays in use, and the \
                         rotation is retried; further failures are only counted"
                    ));
                }
                self.failures += 1;
                self.last_failure = Some(Instant::now());
                None
            }
        }
    }

    /// Sets the end of a file that has just been opened.
    fn begin_file(&mut self) {
        if let When::Time(schedule) = &self.rotation.when {
            let now = seconds(SystemTime::now());
            // The clock may have been set back. A file must not end before its predecessor.
            if self.due <= now {
                self.due = schedule.after(now);
            }
        }
    }

    /// Returns whether a rotation by time is due.
    fn is_due(&mut self) -> bool {
        let When::Time(schedule) = &self.rotation.when else { return false };
        let now = seconds(SystemTime::now());
        self.due = schedule.not_beyond(self.due, now);
        self.due <= now
    }

    /// Waits until no other process rotates the file. Writing on in the meantime would let the file grow
    /// without bound.
    fn lock(&self) -> io::Result<()> {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        loop {
            match self.named.file.try_lock() {
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "another process has locked it",
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Renames the file, unless another process has done so, and opens the new file.
    fn rotate(&mut self) -> io::Result<()> {
        self.lock()?;
        let rotated = self.rotate_locked();
        if rotated.is_err() {
            self.named.file.unlock()?;
        }
        rotated?
    }

    /// The inner failure occurs after the new file has been opened. No lock is held then.
    fn rotate_locked(&mut self) -> io::Result<io::Result<()>> {
        // A process that held the lock before may have rotated the file.
        let removed = if self.named.size()?.is_some() {
            self.rename()?;
            self.remove_oldest()
        } else {
            Ok(())
        };
        self.named.reopen()?;
        self.begin_file();
        Ok(removed)
    }

    fn rename(&mut self) -> io::Result<()> {
        let old = match &self.rotation.when {
            When::Size(_) => {
                let mut free = 1;
                while free < self.rotation.backups && fs::exists(self.numbered(free))? {
                    free += 1;
                }
                for number in (1..free).rev() {
                    fs::rename(self.numbered(number), self.numbered(number + 1))?;
                }
                self.numbered(1)
            }
            When::Time(schedule) => {
                let suffix = schedule.suffix(self.due);
                let mut old = self.with_suffix(&suffix);
                let mut number = 0;
                while fs::exists(&old)? {
                    number += 1;
                    old = self.with_suffix(&format!("{suffix}.{number}"));
                }
                old
            }
        };
        let path = &self.named.path;
        fs::rename(path, &old)?;
        // If a new file cannot be created, the rename is undone.
        if let Err(error) = NamedFile::open(path) {
            fs::rename(&old, path)?;
            return Err(error);
        }
        Ok(())
    }

    /// Removes the oldest files of a rotation by time.
    fn remove_oldest(&self) -> io::Result<()> {
        let When::Time(schedule) = &self.rotation.when else { return Ok(()) };
        if self.rotation.backups == 0 {
            return Ok(());
        }
        let path = &self.named.path;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(());
        };
        let prefix = format!("{}.", name.to_string_lossy());
        let now = seconds(SystemTime::now());
        let mut old = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(suffix) = name.to_str().and_then(|name| name.strip_prefix(&prefix)) else {
                continue;
            };
            let modified = match entry.metadata().and_then(|metadata| metadata.modified()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                modified => seconds(modified?),
            };
            if let Some(order) = schedule.order(suffix, modified) {
                // A name in the future is that of a clock that was ahead. Such files would count as the latest
                // for good, and displace those that are rotated now.
                let is_past = order.0 <= now;
                old.push((is_past, order, entry.path()));
            }
        }
        old.sort();
        let kept = (self.rotation.backups as usize).min(old.len());
        old[..old.len() - kept].iter().try_for_each(|(.., path)| match fs::remove_file(path) {
            // Another process may have removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.with_suffix(&number.to_string())
    }

    fn with_suffix(&self, suffix: &str) -> PathBuf {
        let mut path = OsString::from(&self.named.path);
        path.push(".");
        path.push(suffix);
        path.into()
    }
}

impl ByteSink for RollingFile {
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> io::Result<Prepared> {
        let followed = self.named.follow()?;
        let mut is_new_file = followed.is_new;
        if is_new_file {
            self.begin_file();
        }
        let first = lengths.next().unwrap_or(0) as u64;
        let is_torn = self.torn.take().is_some_and(|torn| torn.is_unchanged());
        let limit = match self.rotation.when {
            When::Size(limit) if limit > 0 && self.rotation.backups > 0 => Some(limit),
            // Never rotated.
            When::Size(_) => {
                return Ok(Prepared { records: 1 + lengths.count(), is_new_file, is_torn });
            }
            When::Time(_) => None,
        };
        let is_due = match limit {
            Some(limit) => followed.size > 0 && followed.size + first > limit,
            None => self.is_due(),
        };
        let mut size = Some(followed.size);
        if is_due {
            size = self.try_to(|own| {
                own.rotate()?;
                is_new_file = true;
                Ok(own.named.size()?.unwrap_or(0))
            });
        }
        let records = match (limit, size) {
            (Some(limit), Some(size)) => {
                let mut size = size + first;
                1 + lengths
                    .take_while(|length| {
                        size += *length as u64;
                        size <= limit
                    })
                    .count()
            }
            _ => 1 + lengths.count(),
        };
        Ok(Prepared { records, is_new_file, is_torn })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.named.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.named.reopen()?;
        self.begin_file();
        Ok(())
    }

    fn failed_rotations(&self) -> u64 {
        self.failures
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
