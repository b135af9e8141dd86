//! The positions of the sources when the program starts.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Row;

use super::StoreError;
use super::day::{Day, days};
use super::schema;
use crate::read::Position;

/// Where reading continues.
pub(crate) struct Resume {
    pub(crate) positions: Vec<Position>,
    /// Earlier days have been deleted, and stay so.
    pub(crate) oldest_day: Day,
}

/// Reads the positions in all files of a store. A source is in the file of each day that it had records
/// of; the farthest position counts.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub(crate) fn resume(store: &Path) -> Result<Resume, StoreError> {
    let mut positions: HashMap<i64, Position> = HashMap::new();
    let mut oldest_day = Day(i32::MIN);
    for day in days(store).map_err(StoreError::Folder)? {
        let mut read = || -> rusqlite::Result<()> {
            // Opened for writing, because only a writer recovers the file of a killed one.
            let connection = schema::open_for_writing(&day.path(store))?;
            let sql =
                "SELECT id, path, position, head, tail, pending, records, rejected FROM sources";
            let mut statement = connection.prepare(sql)?;
            for position in statement.query_map([], position)? {
                let position = position?;
                let known = positions.entry(position.id).or_insert_with(|| position.clone());
                if position.bytes > known.bytes {
                    *known = position;
                }
            }
            let sql = "SELECT coalesce(max(oldest_day), ?) FROM retention";
            let oldest = connection.query_row(sql, [i32::MIN], |row| row.get(0))?;
            oldest_day = oldest_day.max(Day(oldest));
            Ok(())
        };
        read().map_err(|source| StoreError::Open { day, source })?;
    }
    Ok(Resume { positions: positions.into_values().collect(), oldest_day })
}

fn position(row: &Row<'_>) -> rusqlite::Result<Position> {
    let pending: String = row.get(5)?;
    let (output, error) = pending.split_once('\n').unwrap_or_default();
    Ok(Position {
        id: row.get(0)?,
        path: row.get(1)?,
        bytes: row.get::<_, i64>(2)? as u64,
        head: row.get(3)?,
        tail: row.get(4)?,
        pending: [output.to_owned(), error.to_owned()],
        records: row.get::<_, i64>(6)? as u64,
        rejected: row.get::<_, i64>(7)? as u64,
    })
}
