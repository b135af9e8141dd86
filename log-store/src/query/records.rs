//! Records that are not those of a prediction, and lines that are no records.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde_json::value::RawValue;

use super::reader::{ANSWER_BYTES, QueryError, Reader};
use super::row::{json, timestamp};
use super::time_range::TimeRange;
use crate::store::Day;

/// The answer about records.
#[derive(Debug, Serialize)]
pub(crate) struct Records {
    pub(crate) records: Vec<OtherRecord>,
    /// Whether there are no more: the limit and the maximum size of an answer have sufficed.
    pub(crate) is_complete: bool,
}

/// The answer about lines that are no records.
#[derive(Debug, Serialize)]
pub(crate) struct RejectedLines {
    pub(crate) lines: Vec<RejectedLine>,
    pub(crate) is_complete: bool,
}

/// A record of a program.
#[derive(Debug, Serialize)]
pub(crate) struct OtherRecord {
    pub(crate) at: String,
    pub(crate) level: String,
    pub(crate) logger: String,
    pub(crate) message: String,
    pub(crate) instance: String,
    pub(crate) prediction_id: Option<String>,
    pub(crate) record: Box<RawValue>,
}

/// A line that is no record.
#[derive(Debug, Serialize)]
pub(crate) struct RejectedLine {
    /// Time of reading.
    pub(crate) at: String,
    pub(crate) source: String,
    pub(crate) line: String,
}

/// Returns the records that have all words of `text`, the newest first.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn records(
    reader: &Reader,
    text: Option<&str>,
    range: TimeRange,
    limit: usize,
) -> Result<Records, QueryError> {
    let words = text.unwrap_or_default().split_whitespace();
    // Quoted, so that no word is an operator of the full-text search.
    let pattern = words
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = Vec::new();
    let mut room = ANSWER_BYTES;
    for day in reader.days(range)? {
        reader.read(day, |connection| {
            of_day(connection, day, &pattern, range, limit + 1 - found.len(), |record| {
                room = room.saturating_sub(size_of_val(&record) + 2 * record.record.get().len());
                found.push(record);
                room > 0
            })
        })?;
        if found.len() > limit || room == 0 {
            found.truncate(limit);
            return Ok(Records { records: found, is_complete: false });
        }
    }
    Ok(Records { records: found, is_complete: true })
}

fn of_day(
    connection: &Connection,
    day: Day,
    pattern: &str,
    range: TimeRange,
    limit: usize,
    mut take: impl FnMut(OtherRecord) -> bool,
) -> rusqlite::Result<()> {
    let condition = if pattern.is_empty() {
        "?1 = ''"
    } else {
        "seq IN (SELECT rowid FROM record_text WHERE record_text MATCH ?1)"
    };
    let mut statement = connection.prepare(&format!(
        "SELECT at, level, logger, message, instance, prediction_id, line FROM records \
         WHERE {condition} AND at >= ?2 AND at < ?3 ORDER BY at DESC, seq DESC LIMIT ?4"
    ))?;
    let start = day.start();
    let key = params![pattern, range.from - start, range.to - start, limit as i64];
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        let record = OtherRecord {
            at: timestamp(start + row.get::<_, i64>(0)?),
            level: row.get(1)?,
            logger: row.get(2)?,
            message: row.get(3)?,
            instance: row.get(4)?,
            prediction_id: row.get(5)?,
            record: json(row.get(6)?),
        };
        if !take(record) {
            break;
        }
    }
    Ok(())
}

/// Returns the lines that are no records, the newest first.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn rejected_lines(reader: &Reader, limit: usize) -> Result<RejectedLines, QueryError> {
    let mut lines = Vec::new();
    for day in reader.days(TimeRange::ALL)? {
        let of_day = reader.read(day, |connection| {
            let sql = "SELECT at, source, line FROM rejected ORDER BY seq DESC LIMIT ?";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([(limit + 1 - lines.len()) as i64], |row| {
                let at = timestamp(day.start() + row.get::<_, i64>(0)?);
                Ok(RejectedLine { at, source: row.get(1)?, line: row.get(2)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        lines.extend(of_day.unwrap_or_default());
        let size: usize = lines.iter().map(|line| line.line.len()).sum();
        if lines.len() > limit || size > ANSWER_BYTES {
            lines.truncate(limit);
            return Ok(RejectedLines { lines, is_complete: false });
        }
    }
    Ok(RejectedLines { lines, is_complete: true })
}
