//! From lines to files: decodes a line, finds its day, and collects what the next transaction writes.
//!
//! A batch belongs to one day. Its transaction writes the predictions and the positions of the sources
//! into the file of that day, so that a program that is killed at any moment continues where the file
//! ends: nothing is lost or stored twice. A line of another day starts a new batch.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use foldhash::fast::FixedState;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::batch::{Batch, End, Half, Id, OtherRecord, Prediction, RejectedLine};
use super::day::{DAY_US, Day};
use super::day_file::DayFile;
use super::retention::{Retention, delete_before};
use super::unthreaded::Unthreaded;
use super::{StoreError, free_space};
use crate::read::{Lines, Position};
use crate::record::{Decoder, Kind, Outcome, Record};

/// Number of files that are open for writing.
const OPEN_FILES: usize = 4;
/// Maximum length of a kept line that is no record.
const REJECTED_LENGTH: usize = 2000;

/// Limits of a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) retention: Retention,
    /// Free space of the disk below which nothing is written.
    pub(crate) min_free_bytes: u64,
}

/// Writes lines into the files of a store.
pub(crate) struct Writer {
    store: PathBuf,
    decoder: Decoder,
    batch: Batch,
    day: Day,
    unthreaded: Unthreaded,
    /// Indices of the positions that have changed since the last transaction.
    changed: BTreeSet<usize>,
    files: BTreeMap<Day, DayFile>,
    /// Records of earlier days are not kept.
    oldest_day: Day,
    /// Records that were older.
    pub(crate) expired: u64,
    /// Free space below which nothing is written.
    min_free_bytes: u64,
    retention: Retention,
    /// The size limit, while one day alone is larger.
    too_large: Option<u64>,
}

impl Writer {
    /// Creates a writer. Times without an offset are in `zone`.
    pub(crate) fn new(store: &Path, zone: TimeZone, limits: Limits, oldest_day: Day) -> Self {
        Self {
            store: store.to_owned(),
            decoder: Decoder::new(zone),
            batch: Batch::default(),
            unthreaded: Unthreaded::default(),
            day: Day::of(now()),
            changed: BTreeSet::new(),
            files: BTreeMap::new(),
            oldest_day,
            expired: 0,
            min_free_bytes: limits.min_free_bytes,
            retention: limits.retention,
            too_large: None,
        }
    }

    /// Takes a line that is no record.
    fn reject(
        &mut self,
        line: &str,
        source: usize,
        now: i64,
        positions: &[Position],
    ) -> Result<(), StoreError> {
        if self.batch.is_empty() {
            self.switch_to(Day::of(now), positions)?;
        }
        self.note(source);
        let end = line.floor_char_boundary(REJECTED_LENGTH);
        self.batch.rejected.push(RejectedLine {
            at: now - self.day.start(),
            source: positions[source].path.as_str().into(),
            line: line[..end].into(),
        });
        Ok(())
    }

    /// Returns a hash of the logger whose records are joined by their order: they have neither an id nor
    /// a thread.
    fn unthreaded_logger(
        &self,
        record: &Record<'_>,
        id: Option<&Id>,
        source: usize,
    ) -> Option<u64> {
        if record.names_thread || record.is_refused {
            return None;
        }
        let has_id = match record.kind {
            Kind::Request => id.is_some(),
            // The request may have had none.
            Kind::Answer(_) => self.batch.has_request(id, None),
            Kind::Other => true,
        };
        if has_id {
            return None;
        }
        let mut hasher = FixedState::default().build_hasher();
        hasher.write_u64(record.thread);
        hasher.write_usize(source);
        hasher.write(record.model.as_bytes());
        Some(hasher.finish())
    }

    /// Returns the number of lines that are not written yet.
    pub(crate) fn waiting(&self) -> usize {
        self.batch.lines
    }

    /// Writes the batch and the positions of its sources.
    pub(crate) fn commit(&mut self, positions: &[Position]) -> Result<(), StoreError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        if let Some(free) = free_space(&self.store)
            && free < self.min_free_bytes
        {
            return Err(StoreError::NoSpace { free, minimum: self.min_free_bytes });
        }
        if let Some(maximum) = self.too_large {
            return Err(StoreError::TooLarge { maximum });
        }
        let file = open(&mut self.files, &self.store, self.day)?;
        let changed = self.changed.iter().map(|index| &positions[*index]);
        file.write(&self.batch, changed).map_err(|source| StoreError::write(self.day, source))?;
        self.batch = Batch::default();
        self.changed.clear();
        Ok(())
    }

    /// Starts a batch of a day.
    fn switch_to(&mut self, day: Day, positions: &[Position]) -> Result<(), StoreError> {
        if day == self.day {
            return Ok(());
        }
        self.commit(positions)?;
        if day > self.day
            && let Some(file) = self.files.get(&self.day)
        {
            // The day is over: few records follow.
            file.checkpoint();
        }
        self.day = day;
        if self.files.len() >= OPEN_FILES && !self.files.contains_key(&day) {
            self.files.pop_first();
        }
        Ok(())
    }

    /// Deletes the days that are not kept. Returns them.
    pub(crate) fn retain(&mut self, positions: &[Position]) -> Result<Vec<Day>, StoreError> {
        let today = Day::of(now());
        let kept = self.retention.kept(&self.store, today).map_err(StoreError::Delete)?;
        self.too_large = kept.too_large;
        if kept.oldest > self.oldest_day {
            self.commit(positions)?;
            self.files.retain(|day, _| *day >= kept.oldest);
            self.oldest_day = kept.oldest;
            self.day = today.max(kept.oldest);
            // A log that still has the records of a deleted day must not bring it back.
            let file = open(&mut self.files, &self.store, self.day)?;
            let noted = file.set_oldest_day(kept.oldest.0);
            noted.map_err(|source| StoreError::write(self.day, source))?;
        }
        delete_before(&self.store, self.oldest_day).map_err(StoreError::Delete)
    }
}

impl Lines for Writer {
    type Error = StoreError;

    fn take(
        &mut self,
        line: &str,
        runtime_time: Option<&str>,
        source: usize,
        positions: &[Position],
    ) -> Result<bool, StoreError> {
        let now = now();
        let Some(record) = self.decoder.decode(line) else {
            self.reject(line, source, now, positions)?;
            return Ok(false);
        };
        let time = record.time.or_else(|| self.decoder.time(runtime_time?));
        // A clock that is far ahead would hide its records behind all others.
        let time = time.filter(|time| *time < now + DAY_US).unwrap_or(now);
        let id = record.prediction_id.as_deref().map(Id::new);
        let logger = self.unthreaded_logger(&record, id.as_ref(), source);
        let thread = match logger {
            None => (record.names_thread && !record.is_refused).then_some(record.thread),
            Some(logger) => {
                let is_certain = record.kind == Kind::Request || self.unthreaded.is_certain(logger);
                is_certain.then_some(logger)
            }
        };
        let joins =
            matches!(record.kind, Kind::Answer(_)) && self.batch.has_request(id.as_ref(), thread);
        let requested = match record.kind {
            // The request of a prediction that was answered after midnight is in the file of its day.
            Kind::Answer(_) => time - record.duration_ns.unwrap_or(0) / 1000,
            _ => time,
        };
        let day = if joins { self.day } else { Day::of(requested) };
        if day < self.oldest_day {
            self.expired += 1;
            self.note(source);
            return Ok(true);
        }
        self.switch_to(day, positions)?;
        self.note(source);
        match (logger, record.kind) {
            (Some(logger), Kind::Request) => self.unthreaded.request(logger, time),
            (Some(logger), Kind::Answer(_)) => self.unthreaded.answer(logger),
            _ => {}
        }
        let file = open(&mut self.files, &self.store, day)?;
        let at = time - day.start();
        let outcome = match record.kind {
            Kind::Other => {
                self.batch.others.push(other(&record, at, line));
                return Ok(true);
            }
            Kind::Request => None,
            Kind::Answer(outcome) => Some(outcome),
        };
        let Decoder { template, fields, extra, .. } = &mut self.decoder;
        let template = file.names.template(&record, template, extra);
        let half = Half { template, at, fields: closed(fields), extra: closed(extra) };
        let prediction = Prediction::new(id, thread, &record.model);
        match outcome {
            None => self.batch.add_request(prediction, half),
            Some(outcome) => self.batch.add_answer(prediction, half, end(&record, outcome)),
        }
        Ok(true)
    }

    fn note(&mut self, source: usize) {
        self.batch.lines += 1;
        self.changed.insert(source);
    }
}

fn open<'f>(
    files: &'f mut BTreeMap<Day, DayFile>,
    store: &Path,
    day: Day,
) -> Result<&'f mut DayFile, StoreError> {
    use std::collections::btree_map::Entry;
    match files.entry(day) {
        Entry::Occupied(entry) => Ok(entry.into_mut()),
        Entry::Vacant(entry) => {
            let file = DayFile::open(&day.path(store));
            Ok(entry.insert(file.map_err(|source| StoreError::Open { day, source })?))
        }
    }
}

fn other(record: &Record<'_>, at: i64, line: &str) -> OtherRecord {
    OtherRecord {
        at,
        level: (&*record.level).into(),
        logger: (&*record.logger).into(),
        message: (&*record.message).into(),
        instance: (&*record.instance).into(),
        prediction_id: record.prediction_id.as_deref().map(Into::into),
        line: line.into(),
    }
}

fn end(record: &Record<'_>, outcome: Outcome) -> End {
    End {
        outcome,
        duration_ns: record.duration_ns,
        error: record.error.as_deref().map(Into::into),
        weight: record.weight,
    }
}

/// Returns an object's text with its closing bracket.
fn closed(object: &mut String) -> Box<str> {
    if !object.is_empty() {
        object.push('}');
    }
    object.as_str().into()
}

/// Returns the time in microseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}
