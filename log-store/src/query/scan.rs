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

/// Columns that a scan reads if a condition needs them, in their order in the table.
const SCANNED: [(&str, IsNeeded); 8] = [
    ("inputs", |subject| matches!(subject, Subject::Field(_) | Subject::Anything)),
    ("outputs", |subject| matches!(subject, Subject::Field(_) | Subject::Anything)),
    ("status", |subject| matches!(subject, Subject::Property(Property::Status))),
    ("request", is_of_template),
    ("answer", is_of_template),
    ("duration", |subject| matches!(subject, Subject::Property(Property::Duration))),
    ("id", |subject| matches!(subject, Subject::Property(Property::Id) | Subject::Anything)),
    ("error", |subject| matches!(subject, Subject::Property(Property::Error) | Subject::Anything)),
];
/// Indices in [`SCANNED`].
const INPUTS: usize = 0;
const OUTPUTS: usize = 1;
const STATUS: usize = 2;
const REQUEST: usize = 3;
const ANSWER: usize = 4;
const DURATION: usize = 5;
const ID: usize = 6;
const ERROR_INFO: usize = 7;

/// Columns of a statement: `at`, `seq`, then those that the conditions need. Each column that a row has
/// costs time.
struct Columns {
    /// Index in the row by the index in [`SCANNED`].
    indices: [Option<usize>; SCANNED.len()],
}

impl Columns {
    fn new(filter: &Filter) -> Self {
        let mut next = 2;
        let indices = SCANNED.map(|(_, is_needed)| {
            let is_needed = filter.conditions.iter().any(|condition| is_needed(&condition.subject));
            next += usize::from(is_needed);
            is_needed.then_some(next - 1)
        });
        Self { indices }
    }

    /// Returns the start of the statement.
    fn select(&self) -> String {
        let needed = SCANNED.iter().zip(self.indices).filter(|(_, index)| index.is_some());
        let needed: Vec<_> = needed.map(|((column, _), _)| format!(", {column}")).collect();
        format!("SELECT at, seq{} FROM predictions", needed.concat())
    }

    /// Returns a value of a row; null if no condition needs the column.
    fn get<'r>(&self, row: &'r Row<'_>, column: usize) -> rusqlite::Result<ValueRef<'r>> {
        self.indices[column].map_or(Ok(ValueRef::Null), |index| row.get_ref(index))
    }
}

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
        let columns = Columns::new(self.filter);
        let mut statement = connection.prepare(&self.sql(&columns))?;
        let first = segment << SEGMENT_BITS;
        let next = (segment + 1) << SEGMENT_BITS;
        let mut rows = statement.query(params![first, next])?;
        let mut newest = Newest::new(self.limit);
        while let Some(row) = rows.next()? {
            let oldest = newest.oldest().max(oldest);
            let at = |row: &Row<'_>| row.get::<_, i64>(0).map(|at| start + at);
            // Most rows do not match. Each value that is read of them takes time.
            if let Some(oldest) = oldest
                && at(row)? < oldest.at
            {
                continue;
            }
            if !self.matches(row, &columns)? {
                continue;
            }
            let place = Place { at: at(row)?, seq: row.get(1)? };
            if place.at >= self.from && place < self.before && Some(place) > oldest {
                newest.push(place);
            }
        }
        Ok(newest.newer_than(i64::MIN))
    }

    /// Returns the matches with an id.
    pub(super) fn id(&self, connection: &Connection, id: &str) -> rusqlite::Result<Vec<Place>> {
        let columns = Columns::new(self.filter);
        let sql = format!("{} WHERE seq = ?", columns.select());
        let mut statement = connection.prepare(&sql)?;
        let mut places = Vec::new();
        for seq in find_id(connection, id)? {
            let mut rows = statement.query([seq])?;
            while let Some(row) = rows.next()? {
                let place = Place { at: self.day.start() + row.get::<_, i64>(0)?, seq };
                if place.at >= self.from && place < self.before && self.matches(row, &columns)? {
                    places.push(place);
                }
            }
        }
        Ok(places)
    }

    /// Returns the statement for a segment.
    fn sql(&self, columns: &Columns) -> String {
        let conditions = &self.filter.conditions;
        let wants_errors = conditions.iter().any(|condition| {
            condition.subject == Subject::Property(Property::Status)
                && condition.test == Test::OneOf(vec!["error".to_owned()])
                && !condition.negated
        });
        // SQLite has an index of the failed predictions.
        let status = if wants_errors { format!(" AND status = {ERROR}") } else { String::new() };
        format!("{} WHERE seq >= ? AND seq < ?{status}", columns.select())
    }

    fn matches(&self, row: &Row<'_>, columns: &Columns) -> rusqlite::Result<bool> {
        for condition in &self.filter.conditions {
            if !self.holds(condition, row, columns)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn holds(
        &self,
        condition: &Condition,
        row: &Row<'_>,
        columns: &Columns,
    ) -> rusqlite::Result<bool> {
        let get = |column| columns.get(row, column);
        let test = &condition.test;
        let holds = match &condition.subject {
            Subject::Field(name) => {
                for column in [INPUTS, OUTPUTS] {
                    if let Some(object) = text(get(column)?)
                        && let Some(holds) = condition.field(name, object)
                    {
                        return Ok(holds);
                    }
                }
                return Ok(false);
            }
            Subject::Property(Property::Status) => test.text(status_name(get(STATUS)?.as_i64()?)),
            Subject::Property(Property::Duration) => {
                let duration = get(DURATION)?.as_i64_or_null()?;
                match duration {
                    Some(duration) => test.number(duration as f64 / 1e6),
                    None => return Ok(false),
                }
            }
            Subject::Property(Property::Error) => match text(get(ERROR_INFO)?) {
                Some(error) => test.text(error),
                None => return Ok(false),
            },
            Subject::Property(Property::Id) => match id_text(get(ID)?) {
                Some(id) => test.text(&id),
                None => return Ok(false),
            },
            Subject::Property(property) => {
                let template = match get(ANSWER)?.as_i64_or_null()? {
                    Some(answer) => Some(answer),
                    None => get(REQUEST)?.as_i64_or_null()?,
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
                let mut found = id_text(get(ID)?).is_some_and(|id| test.text(&id));
                found |= text(get(ERROR_INFO)?).is_some_and(|error| test.text(error));
                for column in [INPUTS, OUTPUTS] {
                    let mut members = written_members(text(get(column)?).unwrap_or_default());
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
