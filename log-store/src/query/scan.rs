//! The scan of a segment: which of its predictions match a filter.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::filter::{Condition, Filter, Property, Subject, Test};
use super::reader::QueryError;
use super::row::{Templates, id_text, status_name};
use crate::record::written_members;
use crate::store::day_file::ERROR;
use crate::store::schema::SEGMENT_BITS;
use crate::store::{Day, Id};

/// Time and number of a prediction: the order of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Microseconds since 1970.
    pub(super) at: i64,
    pub(super) seq: i64,
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, QueryError> {
        let parsed = text
            .split_once('-')
            .and_then(|(at, seq)| Some(Self { at: at.parse().ok()?, seq: seq.parse().ok()? }));
        parsed.ok_or_else(|| {
            QueryError::Invalid(format!("after: `{text}` is not the `next` of an answer"))
        })
    }

    pub(super) fn next(self) -> String {
        format!("{}-{}", self.at, self.seq)
    }
}

/// The newest predictions, up to a limit.
pub(super) struct Newest {
    /// The oldest of them is on top.
    places: BinaryHeap<Reverse<Place>>,
    limit: usize,
}

impl Newest {
    pub(super) fn new(limit: usize) -> Self {
        Self { places: BinaryHeap::new(), limit }
    }

    /// Returns the oldest prediction if there are as many as the limit: no older one is wanted.
    pub(super) fn oldest(&self) -> Option<Place> {
        let Reverse(oldest) = self.places.peek()?;
        (self.places.len() >= self.limit).then_some(*oldest)
    }

    pub(super) fn push(&mut self, place: Place) {
        self.places.push(Reverse(place));
        if self.places.len() > self.limit {
            self.places.pop();
        }
    }

    /// Returns the predictions that are newer than a time, the newest first.
    pub(super) fn newer_than(self, at: i64) -> Vec<Place> {
        let newer =
            self.places.into_iter().map(|Reverse(place)| place).filter(|place| place.at > at);
        let mut places: Vec<_> = newer.collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        places
    }
}

/// Tells whether a condition on a subject needs a column.
type IsNeeded = fn(&Subject) -> bool;

/// Columns that a scan reads after the number and the time, and the conditions that need them.
const SCANNED: [(&str, IsNeeded); 8] = [
    ("status", |subject| matches!(subject, Subject::Property(Property::Status))),
    ("request", is_of_template),
    ("answer", is_of_template),
    ("duration", |subject| matches!(subject, Subject::Property(Property::Duration))),
    ("inputs", |subject| matches!(subject, Subject::Field(_) | Subject::Anything)),
    ("outputs", |subject| matches!(subject, Subject::Field(_) | Subject::Anything)),
    ("error", |subject| matches!(subject, Subject::Property(Property::Error) | Subject::Anything)),
    ("id", |subject| matches!(subject, Subject::Property(Property::Id) | Subject::Anything)),
];

/// Returns whether a property is part of the template of a record.
fn is_of_template(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::Property(
            Property::Model
                | Property::Version
                | Property::Instance
                | Property::Level
                | Property::Logger
        )
    )
}

/// A scan of the file of a day.
pub(super) struct Scan<'a> {
    pub(super) filter: &'a Filter,
    pub(super) day: Day,
    pub(super) templates: Templates,
    /// Earliest time, in microseconds since 1970.
    pub(super) from: i64,
    /// Only predictions before this place are searched.
    pub(super) before: Place,
    pub(super) limit: usize,
}

impl Scan<'_> {
    /// Returns the newest matches of a segment. Those that are not newer than `oldest` are left out.
    pub(super) fn segment(
        &self,
        connection: &Connection,
        segment: i64,
        oldest: Option<Place>,
    ) -> rusqlite::Result<Vec<Place>> {
        let start = self.day.start();
        let mut statement = connection.prepare(&self.sql())?;
        let first = segment << SEGMENT_BITS;
        let next = (segment + 1) << SEGMENT_BITS;
        let mut rows = statement.query(params![first, next])?;
        let mut newest = Newest::new(self.limit);
        while let Some(row) = rows.next()? {
            let place = Place { at: start + row.get::<_, i64>(1)?, seq: row.get(0)? };
            let is_in_range = place.at >= self.from && place < self.before;
            if is_in_range && Some(place) > newest.oldest().max(oldest) && self.matches(row)? {
                newest.push(place);
            }
        }
        Ok(newest.newer_than(i64::MIN))
    }

    /// Returns the matches with an id.
    pub(super) fn id(&self, connection: &Connection, id: &str) -> rusqlite::Result<Vec<Place>> {
        let columns = SCANNED.map(|(column, _)| column).join(", ");
        let sql = format!("SELECT seq, at, {columns} FROM predictions WHERE seq = ?");
        let mut statement = connection.prepare(&sql)?;
        let mut places = Vec::new();
        for seq in find_id(connection, id)? {
            let mut rows = statement.query([seq])?;
            while let Some(row) = rows.next()? {
                let place = Place { at: self.day.start() + row.get::<_, i64>(1)?, seq };
                if place.at >= self.from && place < self.before && self.matches(row)? {
                    places.push(place);
                }
            }
        }
        Ok(places)
    }

    /// Returns the statement for a segment. It reads only the columns that the filter needs.
    fn sql(&self) -> String {
        let conditions = &self.filter.conditions;
        let columns = SCANNED.map(|(column, is_needed)| {
            let is_needed = conditions.iter().any(|condition| is_needed(&condition.subject));
            if is_needed { column } else { "NULL" }
        });
        let wants_errors = conditions.iter().any(|condition| {
            condition.subject == Subject::Property(Property::Status)
                && condition.test == Test::OneOf(vec!["error".to_owned()])
                && !condition.negated
        });
        // SQLite has an index of the failed predictions.
        let status = if wants_errors { format!(" AND status = {ERROR}") } else { String::new() };
        format!(
            "SELECT seq, at, {} FROM predictions WHERE seq >= ? AND seq < ?{status}",
            columns.join(", ")
        )
    }

    fn matches(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        for condition in &self.filter.conditions {
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
