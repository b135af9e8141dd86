//! Files that make way for new ones, by size or by time, as Python's `RotatingFileHandler` and
//! `TimedRotatingFileHandler` do.
//!
//! Unlike there, several processes may write to the same file: who rotates holds a lock on it, for
//! which the others wait, or they notice that their file is not the one of that name any more. What
//! is written to it in the meantime is in the older file, whole.

mod schedule;

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

pub use self::schedule::Period;
use self::schedule::Schedule;
use crate::{
    TimeZone,
    counts::say,
    destination::{Destination, Prepared, Torn, append},
};

/// When a log file makes way for a new one, and how many of the old ones are kept.
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
/// A record is never divided between two files. If the files cannot be renamed the handler goes on
/// with the one that it has, says so once on standard error, counts it, and tries again after a
/// second.
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
    /// Before a file gets larger than `max_bytes`. It is then called like it was with `.1` behind,
    /// the one that was called so `.2`, and so on up to `.{backups}`; what was called that is gone.
    /// A single record may be larger.
    ///
    /// If either is 0 the file is never rotated, as in Python.
    pub fn by_size(max_bytes: u64, backups: u32) -> Self {
        Self { when: When::Size(max_bytes), backups }
    }

    /// Every `interval` periods; 0 is 1. The old file gets the time at which it began behind its
    /// name, in UTC unless there is a [`time_zone`](Self::time_zone) and as exactly as the period asks
    /// for: `app.log.2026-11-24_15-02-07`. If there is such a file already, `.1` and so on follow,
    /// nothing is overwritten. It is decided when a record is written.
    ///
    /// All old files are kept unless [`keep`](Self::keep) is called.
    pub fn every(interval: u32, period: Period) -> Self {
        Self { when: When::Time(Schedule::new(period, interval)), backups: 0 }
    }

    /// Keeps only so many old files, 0 for all of them; as `backups` of [`by_size`](Self::by_size).
    #[must_use]
    pub fn keep(mut self, backups: u32) -> Self {
        self.backups = backups;
        self
    }

    /// The time of the day at which [`Period::Midnight`] and [`Period::Weekday`] are. Without effect
    /// on the others.
    #[must_use]
    pub fn at(mut self, time_of_day: Duration) -> Self {
        if let When::Time(schedule) = &mut self.when {
            schedule.at(time_of_day);
        }
        self
    }

    /// The time zone of [`Period::Midnight`] and [`Period::Weekday`], and of the names of all old
    /// files; UTC without one. Without effect on files that are rotated by size.
    ///
    /// ```
    /// use ml_logging::{Period, Rotation};
    ///
    /// // `local` is that of the machine.
    /// let daily = Rotation::every(1, Period::Midnight).time_zone("Europe/Berlin".parse()?).keep(14);
    /// # drop(daily);
    /// # Ok::<(), ml_logging::FormatError>(())
    /// ```
    ///
    /// Where the clocks change, a day of 23 or 25 hours ends at midnight, too. A time of the day that
    /// they skip is as long after the change as it would have been without it, `02:30` at 03:30; one
    /// that they show twice is the first one. All other periods are counted in real seconds.
    #[must_use]
    pub fn time_zone(mut self, zone: TimeZone) -> Self {
        if let When::Time(schedule) = &mut self.when {
            schedule.time_zone(zone);
        }
        self
    }
}

/// How long a failure is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// How long it is waited for another process that is rotating the file. It takes less than a
/// millisecond, unless the process gets no time, or is stopped just then.
const PATIENCE: Duration = Duration::from_secs(2);

/// The file, and what will become of it.
pub(crate) struct Rotating {
    path: PathBuf,
    file: File,
    rotation: Rotation,
    /// By time: when the file is over, in seconds since 1970.
    due: u64,
    failures: u64,
    /// What the file was when it was opened, until the first record.
    torn: Option<Torn>,
    /// When the last failure was.
    failed: Option<Instant>,
}

impl Rotating {
    /// Opens the file for appending, and makes it if it is not there.
    pub(crate) fn open(path: &Path, rotation: &Rotation) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
        let torn = Torn::at(&path);
        let file = append(&path)?;
        let mut rotation = rotation.clone();
        if !file.metadata()?.is_file() {
            // A terminal, a pipe, `/dev/null`.
            rotation.when = When::Size(0);
        }
        let due = match &rotation.when {
            When::Time(schedule) => {
                schedule.after(seconds(modified.unwrap_or_else(SystemTime::now)))
            }
            When::Size(_) => 0,
        };
        Ok(Self { path, file, rotation, due, failures: 0, torn, failed: None })
    }

    fn try_to<T>(&mut self, what: impl FnOnce(&mut Self) -> io::Result<T>) -> Option<T> {
        if self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return None;
        }
        match what(self) {
            Ok(value) => {
                self.failed = None;
                Some(value)
            }
            Err(error) => {
                if self.failures == 0 {
                    let path = self.path.display();
                    say(format_args!(
                        "{path} could not be rotated: {error}; it is written on, and tried again; \
                         further failures are only counted"
                    ));
                }
                self.failures += 1;
                self.failed = Some(Instant::now());
                None
            }
        }
    }

    /// The size of the file, if it is still the one of that name.
    fn size(&self) -> io::Result<Option<u64>> {
        match fs::metadata(&self.path) {
            Ok(named) if is_same(&named, &self.file.metadata()?) => Ok(Some(named.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the file that has the name now.
    fn reopen(&mut self) -> io::Result<()> {
        self.file = append(&self.path)?;
        if let When::Time(schedule) = &self.rotation.when {
            let now = seconds(SystemTime::now());
            // Not if the clock has been put back: a file is not over before the one before it.
            if self.due <= now {
                self.due = schedule.after(now);
            }
        }
        Ok(())
    }

    /// Waits until no other process is rotating the file. Who wrote on meanwhile would make it larger
    /// and larger if the other one is slow.
    fn lock(&self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.file.try_lock() {
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

    /// Renames the file, unless another process has done that, and opens the new one.
    fn rotate(&mut self) -> io::Result<()> {
        self.lock()?;
        let rotated = self.rotate_locked();
        if rotated.is_err() {
            self.file.unlock()?;
        }
        rotated?
    }

    /// The inner failure is one after which there is a new file. It comes without the lock.
    fn rotate_locked(&mut self) -> io::Result<io::Result<()>> {
        // Whoever had the lock before may have renamed the file, and removes old ones then.
        let removed = if self.size()?.is_some() {
            self.rename()?;
            self.remove_oldest()
        } else {
            Ok(())
        };
        self.reopen()?;
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
        fs::rename(&self.path, &old)?;
        // It is known now that there can be a new one; if not, the name goes back.
        if let Err(error) = append(&self.path) {
            fs::rename(&old, &self.path)?;
            return Err(error);
        }
        Ok(())
    }

    /// Removes old files by time, but for those that are kept.
    fn remove_oldest(&self) -> io::Result<()> {
        let When::Time(schedule) = &self.rotation.when else { return Ok(()) };
        if self.rotation.backups == 0 {
            return Ok(());
        }
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(());
        };
        let prefix = format!("{}.", name.to_string_lossy());
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
                old.push((order, entry.path()));
            }
        }
        old.sort();
        let kept = (self.rotation.backups as usize).min(old.len());
        old[..old.len() - kept].iter().try_for_each(|(_, path)| match fs::remove_file(path) {
            // Another process has rotated the new file meanwhile, or somebody has tidied up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.with_suffix(&number.to_string())
    }

    fn with_suffix(&self, suffix: &str) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(".");
        path.push(suffix);
        path.into()
    }
}

impl Destination for Rotating {
    fn prepare(&mut self, lengths: &mut dyn Iterator<Item = usize>) -> Prepared {
        let first = lengths.next().unwrap_or(0) as u64;
        let is_torn = self.torn.take().is_some_and(|torn| torn.is_still());
        let limit = match self.rotation.when {
            When::Size(limit) if limit > 0 && self.rotation.backups > 0 => Some(limit),
            // What is no file, or never rotated.
            When::Size(_) => {
                return Prepared { records: 1 + lengths.count(), is_other: false, is_torn };
            }
            When::Time(_) => None,
        };
        let mut is_other = false;
        let size = self.try_to(|own| {
            let mut size = own.size()?;
            if size.is_none() {
                own.reopen()?;
                is_other = true;
                size = own.size()?;
            }
            let size = size.unwrap_or(0);
            let is_due = match limit {
                Some(limit) => size > 0 && size + first > limit,
                None => own.due <= seconds(SystemTime::now()),
            };
            if is_due {
                own.rotate()?;
                is_other = true;
                return Ok(own.size()?.unwrap_or(0));
            }
            Ok(size)
        });
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
        Prepared { records, is_other, is_torn }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn failed_rotations(&self) -> u64 {
        self.failures
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere an open file cannot be renamed behind our back.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}
