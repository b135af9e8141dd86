//! Predictions that match a filter, the newest first.
//!
//! Predictions are stored in the order of their arrival, which is almost that of time. A search goes
//! through segments by their last time. It is done as soon as no segment that is left can have a newer
//! prediction than those found.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::filter::{Condition, Filter, Property, Subject, Test};
use super::reader::{QueryError, Reader};
use super::row::{COLUMNS, PredictionRow, Templates, id_text, status_name, templates};
use super::time_range::TimeRange;
use crate::record::written_members;
use crate::store::day_file::ERROR;
use crate::store::schema::SEGMENT_BITS;
use crate::store::{Day, Id};

/// A search.
pub(crate) struct Search<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) range: TimeRange,
    pub(crate) limit: usize,
    /// `next` of the answer before: only older predictions are searched.
    pub(crate) after: Option<&'a str>,
}

/// Predictions that were found.
pub(crate) struct Found {
    pub(crate) predictions: Vec<PredictionRow>,
    /// Where the search goes on: the limit is reached, or the time limit. `None` at the end.
    pub(crate) next: Option<String>,
}

/// Time and number of a prediction: the order of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Microseconds since 1970.
    at: i64,
    seq: i64,
}

impl Place {
    fn parse(text: &str) -> Result<Self, QueryError> {
        let parsed = text
            .split_once('-')
            .and_then(|(at, seq)| Some(Self { at: at.parse().ok()?, seq: seq.parse().ok()? }));
        parsed.ok_or_else(|| {
            QueryError::Invalid(format!("after: `{text}` is not the `next` of an answer"))
        })
    }

    fn next(self) -> String {
        format!("{}-{}", self.at, self.seq)
    }
}

/// Searches predictions.
///
/// # Errors
///
/// Fails if the store cannot be read or `after` is invalid.
pub(crate) fn search(reader: &Reader, search: &Search<'_>) -> Result<Found, QueryError> {
    let mut before = Place { at: search.range.to, seq: 0 };
    if let Some(after) = search.after {
        before = before.min(Place::parse(after)?);
    }
    let deadline = reader.deadline();
    let mut predictions = Vec::new();
    for day in reader.days(TimeRange { to: before.at.saturating_add(1), ..search.range })? {
        let limit = search.limit - predictions.len();
        let of_day = reader.read(day, |connection| {
            let mut scan = Scan::new(connection, day, search, limit)?;
            let unfinished = scan.run(before, deadline)?;
            Ok((scan.read_found()?, unfinished))
        })?;
        let Some(((found, last), unfinished)) = of_day else { continue };
        predictions.extend(found);
        if let Some(place) = unfinished {
            return Ok(Found { predictions, next: Some(place.next()) });
        }
        if predictions.len() >= search.limit {
            return Ok(Found { predictions, next: last.map(Place::next) });
        }
        if Instant::now() > deadline {
            let next = Place { at: day.start(), seq: 0 };
            return Ok(Found { predictions, next: Some(next.next()) });
        }
    }
    Ok(Found { predictions, next: None })
}

/// Search in one file.
struct Scan<'a> {
    connection: &'a Connection,
    day: Day,
    search: &'a Search<'a>,
    limit: usize,
    templates: Templates,
    /// The newest matches, the oldest of them on top.
    found: BinaryHeap<Reverse<Place>>,
}

impl<'a> Scan<'a> {
    fn new(
        connection: &'a Connection,
        day: Day,
        search: &'a Search<'a>,
        limit: usize,
    ) -> rusqlite::Result<Self> {
        let templates = templates(connection)?;
        Ok(Self { connection, day, search, limit, templates, found: BinaryHeap::new() })
    }

    /// Scans the segments. Returns where to go on if the time is over.
    fn run(&mut self, before: Place, deadline: Instant) -> rusqlite::Result<Option<Place>> {
        if let Some(id) = self.search.filter.id() {
            self.find_id(id, before)?;
            return Ok(None);
        }
        let sql = "SELECT n, last FROM segments WHERE first <= ? AND last >= ? ORDER BY last DESC, n DESC";
        let mut statement = self.connection.prepare(sql)?;
        let start = self.day.start();
        let bounds = params![before.at - start, self.search.range.from - start];
        let segments: Vec<(i64, i64)> = statement
            .query_map(bounds, |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut rows = self.connection.prepare(&self.sql())?;
        for (done, (segment, last)) in segments.into_iter().enumerate() {
            let last = start + last;
            let oldest = self.found.peek().map(|Reverse(place)| *place);
            if self.found.len() >= self.limit && oldest.is_some_and(|oldest| oldest.at > last) {
                break;
            }
            if done > 0 && Instant::now() > deadline {
                // What is newer than all segments that are left is final.
                self.found.retain(|Reverse(place)| place.at > last);
                return Ok(Some(Place { at: last, seq: i64::MAX }));
            }
            let range = params![
                segment << SEGMENT_BITS,
                (segment + 1) << SEGMENT_BITS,
                self.search.range.from - start,
                before.at - start,
            ];
            let mut rows = rows.query(range)?;
            while let Some(row) = rows.next()? {
                let place = Place { at: start + row.get::<_, i64>(1)?, seq: row.get(0)? };
                self.consider(place, before, row)?;
            }
        }
        Ok(None)
    }

    /// Returns the statement for a segment. SQLite has an index of the failed predictions.
    fn sql(&self) -> String {
        let wants_errors = self.search.filter.conditions.iter().any(|condition| {
            let errors = Test::OneOf(vec!["error".to_owned()]);
            condition.subject == Subject::Property(Property::Status)
                && condition.test == errors
                && !condition.negated
        });
        let status = if wants_errors { format!(" AND status = {ERROR}") } else { String::new() };
        format!(
            "SELECT seq, at, status, request, answer, duration, inputs, outputs, error, id FROM predictions \
             WHERE seq >= ? AND seq < ? AND at >= ? AND at <= ?{status}"
        )
    }

    fn consider(&mut self, place: Place, before: Place, row: &Row<'_>) -> rusqlite::Result<()> {
        let is_newer = self.found.len() < self.limit
            || self.found.peek().is_none_or(|Reverse(oldest)| place > *oldest);
        if place >= before || !is_newer || !self.matches(row)? {
            return Ok(());
        }
        self.found.push(Reverse(place));
        if self.found.len() > self.limit {
            self.found.pop();
        }
        Ok(())
    }

    fn find_id(&mut self, id: &str, before: Place) -> rusqlite::Result<()> {
        let start = self.day.start();
        for seq in find_id(self.connection, id)? {
            let sql = "SELECT seq, at, status, request, answer, duration, inputs, outputs, error, id \
                       FROM predictions WHERE seq = ?";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([seq])?;
            while let Some(row) = rows.next()? {
                let place = Place { at: start + row.get::<_, i64>(1)?, seq };
                if place.at >= self.search.range.from {
                    self.consider(place, before, row)?;
                }
            }
        }
        Ok(())
    }

    fn matches(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        for condition in &self.search.filter.conditions {
            if !self.holds(condition, row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn holds(&self, condition: &Condition, row: &Row<'_>) -> rusqlite::Result<bool> {
        let test = &condition.test;
        let holds = match &condition.subject {
            Subject::Field(name) => {
                for column in [6, 7] {
                    if let Some(object) = text(row.get_ref(column)?)
                        && let Some(holds) = condition.field(name, object)
                    {
                        return Ok(holds);
                    }
                }
                return Ok(false);
            }
            Subject::Property(Property::Status) => test.text(status_name(row.get(2)?)),
            Subject::Property(Property::Duration) => {
                let duration: Option<i64> = row.get(5)?;
                match duration {
                    Some(duration) => test.number(duration as f64 / 1e6),
                    None => return Ok(false),
                }
            }
            Subject::Property(Property::Error) => match text(row.get_ref(8)?) {
                Some(error) => test.text(error),
                None => return Ok(false),
            },
            Subject::Property(Property::Id) => match id_text(row.get_ref(9)?) {
                Some(id) => test.text(&id),
                None => return Ok(false),
            },
            Subject::Property(property) => {
                let template = match row.get::<_, Option<i64>>(4)? {
                    Some(answer) => Some(answer),
                    None => row.get(3)?,
                };
                let Some(template) = template.and_then(|template| self.templates.get(&template))
                else {
                    return Ok(false);
                };
                test.text(match property {
                    Property::Model => &template.model,
                    Property::Version => &template.version,
                    Property::Instance => &template.instance,
                    Property::Level => &template.level,
                    _ => &template.logger,
                })
            }
            Subject::Anything => {
                let mut found = id_text(row.get_ref(9)?).is_some_and(|id| test.text(&id));
                found |= text(row.get_ref(8)?).is_some_and(|error| test.text(error));
                for column in [6, 7] {
                    let mut members =
                        written_members(text(row.get_ref(column)?).unwrap_or_default());
                    found |= members.any(|(_, value)| test.text(value.trim_matches('"')));
                }
                found
            }
        };
        Ok(holds != condition.negated)
    }

    /// Reads the matches, the newest first. Returns the place of the last one.
    fn read_found(self) -> rusqlite::Result<(Vec<PredictionRow>, Option<Place>)> {
        let mut places: Vec<_> = self.found.into_iter().map(|Reverse(place)| place).collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        let sql = format!("SELECT {COLUMNS} FROM predictions WHERE seq = ?");
        let mut statement = self.connection.prepare(&sql)?;
        let mut predictions = Vec::with_capacity(places.len());
        for place in &places {
            predictions.push(statement.query_row([place.seq], |row| {
                PredictionRow::read(row, self.day, &self.templates, false)
            })?);
        }
        Ok((predictions, places.last().copied()))
    }
}

/// Returns the numbers of the predictions with an id, the oldest first.
pub(super) fn find_id(connection: &Connection, id: &str) -> rusqlite::Result<Vec<i64>> {
    // One search per segment in the index of the ids.
    let sql = "SELECT seq FROM segments CROSS JOIN predictions INDEXED BY predictions_by_id \
               WHERE segment = n AND substr(id, -8) = substr(?1, -8) AND id = ?1 ORDER BY at, seq";
    let mut statement = connection.prepare(sql)?;
    let id = Id::new(id);
    statement.query_map([&id], |row| row.get(0))?.collect()
}

/// Returns a text that may be null.
fn text(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}
