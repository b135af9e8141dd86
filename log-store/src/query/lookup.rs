//! One prediction, with everything that was logged under its id and its neighbours in time.

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde_json::value::RawValue;

use super::reader::{ANSWER_BYTES, QueryError, Reader};
use super::row::{COLUMNS, PredictionRow, json, templates};
use super::scan::find_id;
use super::time_range::TimeRange;
use crate::store::Day;

/// A prediction and what belongs to it.
#[derive(Debug, Serialize)]
pub(crate) struct Lookup {
    #[serde(flatten)]
    pub(crate) prediction: PredictionRow,
    /// Other predictions with the same id: of models that call each other, or of a repeated request.
    pub(crate) others: Vec<PredictionRow>,
    /// Other records with the id, such as those of the model.
    pub(crate) log: Vec<Box<RawValue>>,
    /// Whether `others` and `log` have all there are.
    pub(crate) is_complete: bool,
    /// The predictions before and after it, of all models.
    pub(crate) earlier: Option<Neighbour>,
    pub(crate) later: Option<Neighbour>,
}

/// Names a prediction.
#[derive(Debug, Serialize)]
pub(crate) struct Neighbour {
    pub(crate) prediction_id: Option<String>,
    pub(crate) key: String,
}

/// Maximum number of other predictions and records of an id.
const LIMIT: usize = 1000;

/// Finds a prediction by its id, or by its `key`. The newest day wins, the outermost call within it.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn lookup(reader: &Reader, id: &str) -> Result<Option<Lookup>, QueryError> {
    let days = reader.days(TimeRange::ALL)?;
    let key = id.split_once('.').and_then(|(day, seq)| Some((Day::parse(day)?, seq.parse().ok()?)));
    for day in &days {
        let found = reader.read(*day, |connection| {
            let mut numbers = find_id(connection, id)?;
            if let Some((_, seq)) = key.filter(|(of, _)| numbers.is_empty() && of == day) {
                numbers.push(seq);
            }
            read(connection, *day, &numbers)
        })?;
        if let Some(Some(found)) = found {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read(connection: &Connection, day: Day, numbers: &[i64]) -> rusqlite::Result<Option<Lookup>> {
    let templates = templates(connection)?;
    let sql = format!("SELECT {COLUMNS} FROM predictions WHERE seq = ?");
    let mut statement = connection.prepare(&sql)?;
    let mut predictions = Vec::new();
    let mut room = ANSWER_BYTES;
    for seq in numbers.iter().take(LIMIT) {
        let row = statement
            .query_row([seq], |row| PredictionRow::read(row, day, &templates, true))
            .optional()?;
        // The records have the values once more.
        room = room.saturating_sub(row.as_ref().map_or(0, |row| 2 * row.size()));
        predictions.extend(row);
        if room == 0 {
            break;
        }
    }
    let Some(seq) = numbers.first().filter(|_| !predictions.is_empty()) else { return Ok(None) };
    let mut is_complete = predictions.len() == numbers.len();
    let prediction = predictions.remove(0);
    let mut log = Vec::new();
    if let Some(id) = &prediction.prediction_id {
        let sql = "SELECT line FROM records WHERE prediction_id = ? ORDER BY at, seq";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            if log.len() >= LIMIT || room == 0 {
                is_complete = false;
                break;
            }
            let line: String = row.get(0)?;
            room = room.saturating_sub(line.len());
            log.push(json(line));
        }
    }
    Ok(Some(Lookup {
        log,
        others: predictions,
        is_complete,
        earlier: neighbour(connection, day, *seq, true)?,
        later: neighbour(connection, day, *seq, false)?,
        prediction,
    }))
}

/// Returns the nearest prediction by arrival.
fn neighbour(
    connection: &Connection,
    day: Day,
    seq: i64,
    earlier: bool,
) -> rusqlite::Result<Option<Neighbour>> {
    let sql = if earlier {
        "SELECT seq, id FROM predictions WHERE seq < ? ORDER BY seq DESC LIMIT 1"
    } else {
        "SELECT seq, id FROM predictions WHERE seq > ? ORDER BY seq LIMIT 1"
    };
    let row = connection.query_row(sql, [seq], |row| {
        let seq: i64 = row.get(0)?;
        Ok(Neighbour {
            prediction_id: super::row::id_text(row.get_ref(1)?),
            key: format!("{day}.{seq}"),
        })
    });
    row.optional()
}
