//! Predictions that match a filter, the newest first.
//!
//! Predictions are stored in the order of their arrival, which is almost that of time. A search goes
//! through segments by their last time. It is done as soon as no segment that is left can have a newer
//! prediction than those found.

use std::thread;
use std::time::Instant;

use rusqlite::{Connection, Row, params};

use super::filter::Filter;
use super::reader::{ANSWER_BYTES, QueryError, Reader};
use super::row::{COLUMNS, PredictionRow, templates};
use super::scan::{Newest, Place, Scan};
use super::time_range::TimeRange;

/// Number of segments that are scanned at the same time.
const THREADS: usize = 2;

/// A search.
pub(crate) struct Search<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) range: TimeRange,
    pub(crate) limit: usize,
    /// `next` of the answer before: only older predictions are searched.
    pub(crate) after: Option<&'a str>,
}

/// Searches predictions. Each one is given to `take` as soon as it is read, so that an answer is in memory
/// only once.
///
/// Returns where the search goes on if it has reached its limit, the time limit, or [`ANSWER_BYTES`].
/// `None` means that there are no more.
///
/// # Errors
///
/// Fails if the store cannot be read or `after` is invalid.
pub(crate) fn search(
    reader: &Reader,
    search: &Search<'_>,
    mut take: impl FnMut(PredictionRow),
) -> Result<Option<String>, QueryError> {
    let mut before = Place { at: search.range.to, seq: 0 };
    if let Some(after) = search.after {
        before = before.min(Place::parse(after)?);
    }
    let deadline = reader.deadline();
    let (mut limit, mut room) = (search.limit, ANSWER_BYTES);
    for day in reader.days(TimeRange { to: before.at.saturating_add(1), ..search.range })? {
        let Some(templates) = reader.read(day, templates)? else { continue };
        let from = search.range.from;
        let scan = Scan { filter: search.filter, day, templates, from, before, limit };
        let (places, unfinished) = run(reader, &scan, deadline)?;
        let mut is_full_at = None;
        reader.read(day, |connection| {
            read_each(connection, &scan, &places, |place, prediction| {
                room = room.saturating_sub(prediction.size());
                take(prediction);
                is_full_at = (room == 0).then_some(place);
                room > 0
            })
        })?;
        limit -= places.len();
        let is_last = if limit == 0 { places.last().copied() } else { None };
        if let Some(place) = is_full_at.or(unfinished).or(is_last) {
            return Ok(Some(place.next()));
        }
        if Instant::now() > deadline {
            // The day is done. A search from its start would read it again.
            let next = Place { at: day.start() - 1, seq: i64::MAX };
            return Ok(Some(next.next()));
        }
    }
    Ok(None)
}

/// Scans a day. Returns the matches, and where to go on if the time is over.
fn run(
    reader: &Reader,
    scan: &Scan<'_>,
    deadline: Instant,
) -> Result<(Vec<Place>, Option<Place>), QueryError> {
    let mut newest = Newest::new(scan.limit);
    if let Some(id) = scan.filter.id() {
        let places = reader.read(scan.day, |connection| scan.id(connection, id))?;
        places.into_iter().flatten().for_each(|place| newest.push(place));
        return Ok((newest.newer_than(i64::MIN), None));
    }
    let segments = reader.read(scan.day, |connection| segments(connection, scan))?;
    for (done, group) in segments.unwrap_or_default().chunks(THREADS).enumerate() {
        let last = scan.day.start() + group[0].1;
        let oldest = newest.oldest();
        if oldest.is_some_and(|oldest| oldest.at > last) {
            break;
        }
        // What is newer than all segments that are left is final. Segments that reach beyond the place where
        // the search began are always scanned: without them it would not get on.
        let next = Place { at: last, seq: i64::MAX };
        if done > 0 && next < scan.before && Instant::now() > deadline {
            return Ok((newest.newer_than(last), Some(next)));
        }
        let scan_one = |segment: i64| {
            reader.read(scan.day, |connection| scan.segment(connection, segment, oldest))
        };
        // A small store has one segment, which needs no other thread.
        let found: Vec<_> = match group {
            [(segment, _)] => vec![scan_one(*segment)],
            _ => thread::scope(|scope| {
                let threads = group.iter().map(|(segment, _)| scope.spawn(|| scan_one(*segment)));
                let threads: Vec<_> = threads.collect();
                let join = |thread: thread::ScopedJoinHandle<'_, _>| {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                threads.into_iter().map(join).collect()
            }),
        };
        for places in found {
            places?.into_iter().flatten().for_each(|place| newest.push(place));
        }
    }
    Ok((newest.newer_than(i64::MIN), None))
}

/// Returns the segments that a scan concerns, with their last times, the newest first.
fn segments(connection: &Connection, scan: &Scan<'_>) -> rusqlite::Result<Vec<(i64, i64)>> {
    let sql =
        "SELECT n, last FROM segments WHERE first <= ? AND last >= ? ORDER BY last DESC, n DESC";
    let mut statement = connection.prepare(sql)?;
    let start = scan.day.start();
    let bounds = params![scan.before.at - start, scan.from - start];
    statement.query_map(bounds, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Reads the predictions at places, as long as `take` wants more.
fn read_each(
    connection: &Connection,
    scan: &Scan<'_>,
    places: &[Place],
    mut take: impl FnMut(Place, PredictionRow) -> bool,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM predictions WHERE seq = ?");
    let mut statement = connection.prepare(&sql)?;
    for place in places {
        let read = |row: &Row<'_>| PredictionRow::read(row, scan.day, &scan.templates, false);
        if !take(*place, statement.query_row([place.seq], read)?) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::schema::{SEGMENT_BITS, open_for_writing};
    use crate::store::{Day, day::DAY_US};

    #[test]
    fn a_search_without_time_finds_everything_once() {
        let folder = tempfile::tempdir().unwrap();
        let days = [Day(20_000), Day(20_001)];
        for day in days {
            let connection = open_for_writing(&day.path(folder.path())).unwrap();
            // Segments with the same times, as files that are read at the same time make them.
            for segment in 0..5 {
                let sql = "INSERT INTO segments (n, first, last) VALUES (?, ?, ?)";
                connection.execute(sql, [segment, segment, 300 + segment]).unwrap();
                for number in 0..4 {
                    let sql = "INSERT INTO predictions (seq, at, status) VALUES (?, ?, 1)";
                    let seq = (segment << SEGMENT_BITS) + number;
                    connection.execute(sql, [seq, 100 * number + segment]).unwrap();
                }
            }
        }
        let reader = Reader::new(folder.path(), Duration::ZERO);
        let range = TimeRange { from: 0, to: 30_000 * DAY_US };
        for limit in [1, 2, 3, 7, 100] {
            let mut keys = Vec::new();
            let mut after: Option<String> = None;
            for _ in 0..100 {
                let filter = &Filter::default();
                let asked = Search { filter, range, limit, after: after.as_deref() };
                after = search(&reader, &asked, |found| keys.push(found.key)).unwrap();
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(after, None, "limit {limit} does not end");
            let mut expected = Vec::new();
            for day in days.into_iter().rev() {
                for number in (0..4).rev() {
                    let segments = (0..5).rev();
                    expected
                        .extend(segments.map(|segment| {
                            format!("{day}.{}", (segment << SEGMENT_BITS) + number)
                        }));
                }
            }
            assert_eq!(keys, expected, "limit {limit}");
        }
    }
}
