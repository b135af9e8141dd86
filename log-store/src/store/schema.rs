//! The tables of a day's file.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Version of the tables, in `PRAGMA user_version`.
const VERSION: i64 = 1;

/// Predictions per segment, as a power of two. Predictions are numbered in the order of their arrival.
/// The index of the ids is one index per segment, so that new ids, which are random, change few pages.
/// `segments` has the times of each, because arrival is only almost the order of time.
pub(crate) const SEGMENT_BITS: u32 = 16;

/// Creates the tables.
///
/// * `at` is in microseconds since the start of the day: the time of the request, or of the answer if
///   there is no request. `answered` is in microseconds after `at`. `duration` is in nanoseconds.
/// * `request` and `answer` are templates. One of them is missing in an open prediction.
/// * The columns that filters read most often come first: SQLite finds them fastest.
/// * `id` is a blob of 16 bytes for a UUID, else text.
/// * A roll-up of field 0 is the latency in milliseconds.
const TABLES: &str = "
CREATE TABLE predictions (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, inputs TEXT, outputs TEXT, status INTEGER NOT NULL,
    request INTEGER, answer INTEGER, answered INTEGER, duration INTEGER, id, error TEXT,
    request_extra TEXT, answer_extra TEXT,
    segment INTEGER GENERATED ALWAYS AS (seq >> 16) VIRTUAL
);
CREATE INDEX predictions_by_id ON predictions (segment, substr(id, -8));
CREATE INDEX open_predictions ON predictions (id) WHERE request IS NULL OR answer IS NULL;
CREATE INDEX failed_predictions ON predictions (seq) WHERE status = 2;
CREATE TABLE segments (n INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE templates (
    id INTEGER PRIMARY KEY, level TEXT NOT NULL, logger TEXT NOT NULL, model TEXT NOT NULL,
    version TEXT NOT NULL, instance TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE records (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, level TEXT NOT NULL, logger TEXT NOT NULL,
    message TEXT NOT NULL, instance TEXT NOT NULL, prediction_id TEXT, line TEXT NOT NULL
);
CREATE INDEX records_by_time ON records (at);
CREATE INDEX records_by_id ON records (prediction_id) WHERE prediction_id IS NOT NULL;
CREATE VIRTUAL TABLE record_text USING fts5 (line, content = 'records', content_rowid = 'seq');
CREATE TABLE rejected (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, source TEXT NOT NULL, line TEXT NOT NULL);
CREATE TABLE series (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, version TEXT NOT NULL, instance TEXT NOT NULL, status INTEGER NOT NULL
);
CREATE TABLE fields (id INTEGER PRIMARY KEY, name TEXT NOT NULL, is_output INTEGER NOT NULL);
CREATE TABLE categories (id INTEGER PRIMARY KEY, field INTEGER NOT NULL, value TEXT NOT NULL);
CREATE TABLE rollups (
    width INTEGER, field INTEGER, start INTEGER, series INTEGER,
    count INTEGER NOT NULL, weight REAL NOT NULL, histogram BLOB NOT NULL,
    PRIMARY KEY (width, field, start, series)
) WITHOUT ROWID;
CREATE TABLE sources (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, position INTEGER NOT NULL, head BLOB NOT NULL,
    tail BLOB NOT NULL, pending TEXT NOT NULL, records INTEGER NOT NULL, rejected INTEGER NOT NULL
);
CREATE TABLE retention (oldest_day INTEGER NOT NULL);
";

/// Opens a day's file for writing, and creates its tables if necessary.
///
/// # Errors
///
/// Fails if the file cannot be opened or is that of another program or version.
pub(crate) fn open_for_writing(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 33554432;",
    )?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        connection
            .execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT"))?;
    }
    Ok(connection)
}

/// Opens a day's file for reading. Returns `None` if it has no tables yet.
///
/// # Errors
///
/// Fails if the file cannot be opened.
pub(crate) fn open_for_reading(path: &Path) -> rusqlite::Result<Option<Connection>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch("PRAGMA query_only = 1; PRAGMA cache_size = -4096;")?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((version == VERSION).then_some(connection))
}
