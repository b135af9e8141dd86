//! The file of one day, open for writing. A batch and the positions of its sources are written in one
//! transaction.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Statement, ToSql, Transaction, params};

use super::batch::{Batch, End, Half, Id, Prediction};
use super::names::Names;
use super::rollup::{Fields, Rollups};
use super::schema::{self, SEGMENT_BITS};
use crate::read::Position;
use crate::record::Outcome;

/// Number of lines that are no records, and that a file keeps. Older ones are deleted.
const REJECTED_LINES: usize = 1000;
/// Number of open predictions without an id that wait for their answer on a thread.
const OPEN_THREADS: usize = 10_000;

/// `status` of a prediction in the tables.
pub(crate) const PENDING: i64 = 0;
pub(crate) const SUCCESS: i64 = 1;
pub(crate) const ERROR: i64 = 2;

/// The file of a day.
pub(crate) struct DayFile {
    connection: Connection,
    pub(crate) names: Names,
    next: i64,
    /// Open predictions without an id, by their thread.
    threads: HashMap<u64, i64>,
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Uuid(bytes) => ValueRef::Blob(bytes),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl DayFile {
    /// Opens a file; creates it if necessary.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = schema::open_for_writing(path)?;
        let names = Names::load(&connection)?;
        let sql = "SELECT coalesce(max(seq), 0) + 1 FROM predictions";
        let next = connection.query_row(sql, [], |row| row.get(0))?;
        Ok(Self { connection, names, next, threads: HashMap::new() })
    }

    /// Writes a batch and the positions of its sources. After a failure nothing is written.
    pub(crate) fn write<'p>(
        &mut self,
        batch: &Batch,
        positions: impl Iterator<Item = &'p Position>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let mut rollups = Rollups::default();
        let mut writer = PredictionWriter::new(&transaction, self.next, &mut self.threads)?;
        for prediction in &batch.predictions {
            writer.write(prediction, &mut self.names, &mut rollups)?;
        }
        let next = writer.finish(&transaction)?;
        write_others(&transaction, batch)?;
        write_rejected(&transaction, batch)?;
        rollups.write(&transaction)?;
        self.names.write(&transaction)?;
        write_positions(&transaction, positions)?;
        transaction.commit()?;
        self.names.written();
        self.next = next;
        Ok(())
    }

    /// Moves the write-ahead log into the file. An error means that a reader is at work: the next call
    /// does it.
    pub(crate) fn checkpoint(&self) {
        let _busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Notes the oldest day that may be in the store.
    pub(crate) fn set_oldest_day(&self, day: i32) -> rusqlite::Result<()> {
        self.connection.execute_batch("DELETE FROM retention")?;
        self.connection.execute("INSERT INTO retention (oldest_day) VALUES (?)", [day]).map(drop)
    }
}

/// An open prediction in the file.
struct Open {
    seq: i64,
    at: i64,
    status: i64,
    /// The template and the fields of the record that the file has.
    template: u32,
    fields: String,
}

/// Writes predictions: joins them with open ones of the file, or adds them.
struct PredictionWriter<'t> {
    insert: Statement<'t>,
    find_request: Statement<'t>,
    find_answer: Statement<'t>,
    find_by_seq: Statement<'t>,
    set_answer: Statement<'t>,
    set_request: Statement<'t>,
    next: i64,
    threads: &'t mut HashMap<u64, i64>,
    /// First and last time of each segment.
    segments: BTreeMap<i64, (i64, i64)>,
}

impl<'t> PredictionWriter<'t> {
    fn new(
        transaction: &'t Transaction<'_>,
        next: i64,
        threads: &'t mut HashMap<u64, i64>,
    ) -> rusqlite::Result<Self> {
        // The last condition selects the index.
        let find = |columns: &str, condition: &str, model_of: &str| {
            transaction.prepare(&format!(
                "SELECT seq, at, status, {columns} FROM predictions INDEXED BY open_predictions \
                 WHERE id = ? AND {condition} AND (request IS NULL OR answer IS NULL) \
                 AND (SELECT model FROM templates WHERE templates.id = {model_of}) = ? \
                 ORDER BY seq DESC LIMIT 1"
            ))
        };
        Ok(Self {
            insert: transaction.prepare(
                "INSERT INTO predictions (seq, id, at, answered, duration, status, request, answer, \
                 inputs, outputs, error, request_extra, answer_extra) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            find_request: find("request, inputs", "request IS NOT NULL", "request")?,
            find_answer: find("answer, outputs", "answer IS NOT NULL", "answer")?,
            find_by_seq: transaction.prepare(
                "SELECT seq, at, status, request, inputs FROM predictions WHERE seq = ? AND answer IS NULL",
            )?,
            set_answer: transaction.prepare(
                "UPDATE predictions SET id = coalesce(?, id), answered = ?, duration = ?, status = ?, \
                 answer = ?, outputs = ?, error = ?, answer_extra = ? WHERE seq = ?",
            )?,
            set_request: transaction.prepare(
                "UPDATE predictions SET at = ?, answered = answered + at - ?1, request = ?, inputs = ?, \
                 request_extra = ? WHERE seq = ?",
            )?,
            next,
            threads,
            segments: BTreeMap::new(),
        })
    }

    fn write(
        &mut self,
        prediction: &Prediction,
        names: &mut Names,
        rollups: &mut Rollups,
    ) -> rusqlite::Result<()> {
        let Prediction { id, thread, model, request, answer, .. } = prediction;
        match (request, answer) {
            (Some(request), Some((answer, end))) => {
                self.insert(id.as_ref(), Some(request), Some((answer, end)))?;
                count(request.at, Some(&request.fields), answer, end, names, rollups);
            }
            (Some(request), None) => {
                let open = match id {
                    Some(id) => find(&mut self.find_answer, params![id, model])?,
                    None => None,
                };
                match open {
                    Some(open) => self.join_request(&open, request, names, rollups)?,
                    None => {
                        self.insert(id.as_ref(), Some(request), None)?;
                        if let (None, Some(thread)) = (id, thread)
                            && self.threads.len() < OPEN_THREADS
                        {
                            self.threads.insert(*thread, self.next - 1);
                        }
                    }
                }
            }
            (None, Some((answer, end))) => {
                let mut open = match id {
                    Some(id) => find(&mut self.find_request, params![id, model])?,
                    None => None,
                };
                if open.is_none()
                    && let Some(seq) = thread.and_then(|thread| self.threads.remove(&thread))
                {
                    open = find(&mut self.find_by_seq, params![seq])?;
                }
                match open {
                    Some(open) => {
                        self.join_answer(id.as_ref(), &open, answer, end)?;
                        count(open.at, Some(&open.fields), answer, end, names, rollups);
                    }
                    None => {
                        self.insert(id.as_ref(), None, Some((answer, end)))?;
                        count(answer.at, None, answer, end, names, rollups);
                    }
                }
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn insert(
        &mut self,
        id: Option<&Id>,
        request: Option<&Half>,
        answer: Option<(&Half, &End)>,
    ) -> rusqlite::Result<()> {
        let seq = self.next;
        let half = answer.map(|(half, _)| half);
        let end = answer.map(|(_, end)| end);
        let at = request.or(half).map_or(0, |half| half.at);
        self.insert.execute(params![
            seq,
            id,
            at,
            half.map(|half| half.at - at),
            end.and_then(|end| end.duration_ns),
            end.map_or(PENDING, status),
            request.map(|half| half.template),
            half.map(|half| half.template),
            request.and_then(|half| text(&half.fields)),
            half.and_then(|half| text(&half.fields)),
            end.and_then(|end| end.error.as_deref()),
            request.and_then(|half| text(&half.extra)),
            half.and_then(|half| text(&half.extra)),
        ])?;
        self.next += 1;
        self.note_time(seq, at);
        Ok(())
    }

    fn join_answer(
        &mut self,
        id: Option<&Id>,
        open: &Open,
        answer: &Half,
        end: &End,
    ) -> rusqlite::Result<()> {
        self.set_answer.execute(params![
            id,
            answer.at - open.at,
            end.duration_ns,
            status(end),
            answer.template,
            text(&answer.fields),
            end.error.as_deref(),
            text(&answer.extra),
            open.seq,
        ])?;
        Ok(())
    }

    /// Joins a request that was read after its answer. The answer has been counted.
    fn join_request(
        &mut self,
        open: &Open,
        request: &Half,
        names: &mut Names,
        rollups: &mut Rollups,
    ) -> rusqlite::Result<()> {
        let (fields, extra) = (text(&request.fields), text(&request.extra));
        self.set_request.execute(params![request.at, request.template, fields, extra, open.seq])?;
        self.note_time(open.seq, request.at);
        let fields = Fields { inputs: &request.fields, outputs: "" };
        let series = names.series(open.template, open.status);
        rollups.add_fields(open.at, series, fields, names);
        Ok(())
    }

    /// Writes the times of the segments. Returns the number of the next prediction.
    fn finish(self, transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
        let mut put = transaction.prepare(
            "INSERT INTO segments (n, first, last) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET first = min(first, ?2), last = max(last, ?3)",
        )?;
        for (number, (first, last)) in self.segments {
            put.execute(params![number, first, last])?;
        }
        Ok(self.next)
    }

    fn note_time(&mut self, seq: i64, at: i64) {
        let (first, last) = self.segments.entry(seq >> SEGMENT_BITS).or_insert((at, at));
        (*first, *last) = ((*first).min(at), (*last).max(at));
    }
}

/// Counts an answered prediction.
fn count(
    at: i64,
    inputs: Option<&str>,
    answer: &Half,
    end: &End,
    names: &mut Names,
    rollups: &mut Rollups,
) {
    let series = names.series(answer.template, status(end));
    rollups.count(at, series, end.weight, end.duration_ns);
    let fields = Fields { inputs: inputs.unwrap_or_default(), outputs: &answer.fields };
    rollups.add_fields(at, series, fields, names);
}

fn find(statement: &mut Statement<'_>, key: &[&dyn ToSql]) -> rusqlite::Result<Option<Open>> {
    let open = statement.query_row(key, |row| {
        let [seq, at, status] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let fields: Option<String> = row.get(4)?;
        Ok(Open { seq, at, status, template: row.get(3)?, fields: fields.unwrap_or_default() })
    });
    open.optional()
}

/// Returns the text of an object for the table: null if it has no members.
fn text(object: &str) -> Option<&str> {
    (!object.is_empty()).then_some(object)
}

fn status(end: &End) -> i64 {
    match end.outcome {
        Outcome::Success => SUCCESS,
        Outcome::Error => ERROR,
    }
}

fn write_others(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    if batch.others.is_empty() {
        return Ok(());
    }
    let mut insert = transaction.prepare(
        "INSERT INTO records (at, level, logger, message, instance, prediction_id, line) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut index = transaction.prepare("INSERT INTO record_text (rowid, line) VALUES (?, ?)")?;
    for record in &batch.others {
        let seq = insert.insert(params![
            record.at,
            record.level,
            record.logger,
            record.message,
            record.instance,
            record.prediction_id,
            record.line,
        ])?;
        index.execute(params![seq, record.line])?;
    }
    Ok(())
}

fn write_rejected(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    if batch.rejected.is_empty() {
        return Ok(());
    }
    let mut insert =
        transaction.prepare("INSERT INTO rejected (at, source, line) VALUES (?, ?, ?)")?;
    let kept = batch.rejected.len().saturating_sub(REJECTED_LINES);
    for rejected in &batch.rejected[kept..] {
        insert.execute(params![rejected.at, rejected.source, rejected.line])?;
    }
    let sql = "DELETE FROM rejected WHERE seq <= (SELECT max(seq) FROM rejected) - ?";
    transaction.execute(sql, [REJECTED_LINES as i64]).map(drop)
}

fn write_positions<'p>(
    transaction: &Transaction<'_>,
    positions: impl Iterator<Item = &'p Position>,
) -> rusqlite::Result<()> {
    let mut put = transaction.prepare(
        "REPLACE INTO sources (id, path, position, head, tail, pending, records, rejected) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for position in positions {
        put.execute(params![
            position.id,
            position.path,
            position.bytes as i64,
            position.head,
            position.tail,
            Value::from(position.pending.join("\n")),
            position.records as i64,
            position.rejected as i64,
        ])?;
    }
    Ok(())
}
