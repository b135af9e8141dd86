//! Records that are not those of a prediction, and lines that are no records.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde_json::Value;

use super::reader::{QueryError, Reader};
use super::row::timestamp;
use super::time_range::TimeRange;
use crate::store::Day;

/// A record of a program.
#[derive(Debug, Serialize)]
pub(crate) struct OtherRecord {
    pub(crate) at: String,
    pub(crate) level: String,
    pub(crate) logger: String,
    pub(crate) message: String,
    pub(crate) instance: String,
    pub(crate) prediction_id: Option<String>,
    pub(crate) record: Value,
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
) -> Result<Vec<OtherRecord>, QueryError> {
    let words = text.unwrap_or_default().split_whitespace();
    // Quoted, so that no word is an operator of the full-text search.
    let pattern = words
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect::<Vec<_>>()
        .join(" ");
    let mut records = Vec::new();
    for day in reader.days(range)? {
        if records.len() >= limit {
            break;
        }
        let limit = limit - records.len();
        let of_day =
            reader.read(day, |connection| of_day(connection, day, &pattern, range, limit))?;
        records.extend(of_day.unwrap_or_default());
    }
    Ok(records)
}

fn of_day(
    connection: &Connection,
    day: Day,
    pattern: &str,
    range: TimeRange,
    limit: usize,
) -> rusqlite::Result<Vec<OtherRecord>> {
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
    let rows = statement.query_map(key, |row| {
        Ok(OtherRecord {
            at: timestamp(start + row.get::<_, i64>(0)?),
            level: row.get(1)?,
            logger: row.get(2)?,
            message: row.get(3)?,
            instance: row.get(4)?,
            prediction_id: row.get(5)?,
            record: serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or_default(),
        })
    })?;
    rows.collect()
}

/// Returns the lines that are no records, the newest first.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn rejected_lines(
    reader: &Reader,
    limit: usize,
) -> Result<Vec<RejectedLine>, QueryError> {
    let mut lines = Vec::new();
    for day in reader.days(TimeRange::ALL)? {
        if lines.len() >= limit {
            break;
        }
        let of_day = reader.read(day, |connection| {
            let sql = "SELECT at, source, line FROM rejected ORDER BY seq DESC LIMIT ?";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([(limit - lines.len()) as i64], |row| {
                let at = timestamp(day.start() + row.get::<_, i64>(0)?);
                Ok(RejectedLine { at, source: row.get(1)?, line: row.get(2)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        lines.extend(of_day.unwrap_or_default());
    }
    Ok(lines)
}
