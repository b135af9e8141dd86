//! The way of the rows from the reader over the workers to the writer.
//!
//! The reader cuts the input into chunks. For each chunk it queues a place for the results, in order, and then the
//! work. The writer takes the places in order and waits for each. The queue of places is bounded, so that the reader
//! is never more than [`chunks_ahead`] chunks ahead of the writer.

use std::any::Any;
use std::io::{self, BufRead, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use ml_model_core::{JsonModel, MLModel, error_chain};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::columns::Columns;
use crate::lines::{Line, Lines};
use crate::scored::ResultColumns;
use crate::summary::{Failure, Summary};

/// Size at which a chunk is complete.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Returns the maximum number of chunks between the reader and the writer: those in the queue of places, one that
/// the reader holds, and one that the writer waits for.
pub fn chunks_ahead(jobs: NonZeroUsize) -> usize {
    2 * jobs.get() + 2
}

/// Reason why a run cannot begin or has ended early.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("the input has no header: its first line names the columns")]
    Empty,
    #[error("{0}")]
    Header(String),
    #[error("the input cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("the results cannot be written: {0}")]
    Write(#[source] io::Error),
}

/// A model and an input whose header has been read.
#[derive(Debug)]
pub struct Batch<M: MLModel, R> {
    model: JsonModel<M>,
    columns: Columns,
    results: ResultColumns,
    lines: Lines<R>,
}

type Work = (Vec<Line>, SyncSender<Scored>);

/// The results of a chunk.
struct Scored {
    csv: Vec<u8>,
    rows: u64,
    failures: Vec<Failure>,
    /// Size of the chunk in the input.
    bytes: usize,
}

impl<M, R> Batch<M, R>
where
    M: MLModel<Input: DeserializeOwned, Output: Serialize>,
    R: BufRead + Send,
{
    /// Reads the header of the input.
    ///
    /// # Errors
    ///
    /// Fails if the header does not have the columns that the model requires.
    pub fn new(model: M, input: R) -> Result<Self, BatchError> {
        let model = JsonModel::new(model);
        let mut lines = Lines::new(input);
        let header = lines.next().ok_or(BatchError::Empty)?.map_err(BatchError::Read)?;
        let header = header.text.map_err(BatchError::Header)?;
        let columns = Columns::of(&header, &model.input_schema()).map_err(BatchError::Header)?;
        let results = ResultColumns::of(&model.output_schema());
        Ok(Self { model, columns, results, lines })
    }

    /// Scores all rows on `jobs` threads and writes the results in the order of the input. `progress` receives the
    /// number of bytes that have been read and scored since the last call.
    ///
    /// # Errors
    ///
    /// Fails if the input cannot be read to its end or the results cannot be written. A row that fails is part of
    /// the results.
    pub fn run(
        self,
        mut output: impl Write,
        jobs: NonZeroUsize,
        mut progress: impl FnMut(usize, &Summary),
    ) -> Result<Summary, BatchError> {
        let started = Instant::now();
        let Self { model, columns, results, lines } = self;
        let (send_work, work) = channel::<Work>();
        let (send_place, places) = sync_channel(chunks_ahead(jobs) - 2);
        let work = Mutex::new(work);
        let mut summary = Summary::default();
        let mut header = csv::Writer::from_writer(Vec::new());
        results.write_header(&mut header).map_err(|error| BatchError::Write(error.into()))?;
        output.write_all(&into_bytes(header)).map_err(BatchError::Write)?;

        thread::scope(|scope| {
            let reader = scope.spawn(move || read(lines, &send_work, &send_place));
            for _ in 0..jobs.get() {
                scope.spawn(|| {
                    // A closure, so that the lock is free while the chunk is scored.
                    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    while let Ok((chunk, place)) = next() {
                        // Without a writer the results are not needed.
                        let _written = place.send(score(&model, &columns, &results, &chunk));
                    }
                });
            }
            // The loop consumes the receiver, so that the reader stops after an error.
            for scored in places.into_iter().filter_map(|place: Receiver<Scored>| place.recv().ok())
            {
                output.write_all(&scored.csv).map_err(BatchError::Write)?;
                summary.add(scored.rows, scored.failures);
                progress(scored.bytes, &summary);
            }
            output.flush().map_err(BatchError::Write)?;
            let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            read.map_err(BatchError::Read)
        })?;
        summary.duration = started.elapsed();
        Ok(summary)
    }
}

/// Cuts the lines into chunks and queues them, until the input or the writer ends.
fn read(
    mut lines: Lines<impl BufRead>,
    work: &Sender<Work>,
    places: &SyncSender<Receiver<Scored>>,
) -> io::Result<()> {
    loop {
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        let mut failure = None;
        while bytes < CHUNK_BYTES {
            match lines.next() {
                Some(Ok(line)) => {
                    bytes += line.bytes;
                    chunk.push(line);
                }
                Some(Err(error)) => {
                    failure = Some(error);
                    break;
                }
                None => break,
            }
        }
        let is_last = bytes < CHUNK_BYTES;
        let (place, scored) = sync_channel(1);
        let is_taken = places.send(scored).is_ok() && work.send((chunk, place)).is_ok();
        match failure {
            Some(error) => return Err(error),
            None if is_last || !is_taken => return Ok(()),
            None => {}
        }
    }
}

/// Scores the rows of a chunk. Empty lines have no row.
fn score<M: MLModel>(
    model: &JsonModel<M>,
    columns: &Columns,
    results: &ResultColumns,
    chunk: &[Line],
) -> Scored {
    let (mut parser, mut csv) = (csv_core::Reader::new(), csv::Writer::from_writer(Vec::new()));
    let (mut rows, mut failures) = (0, Vec::new());
    for line in chunk {
        if line.text.as_deref() == Ok("") {
            continue;
        }
        let text = line.text.as_deref().map_err(String::as_str);
        let (id, request) = columns.request(&mut parser, text);
        // One row whose model panics does not end the run.
        let result = catch_unwind(AssertUnwindSafe(|| model.call(request)));
        let result = match result {
            Ok(Ok(prediction)) => Ok(prediction.into_output()),
            Ok(Err(error)) => Err(error_chain(&error).to_string()),
            Err(panic) => Err(format!("panic: {}", panic_text(&*panic))),
        };
        rows += 1;
        results.write(&mut csv, line.number, &id, &result).expect("memory takes all writes");
        if let Err(reason) = result {
            failures.push(Failure { line: line.number, reason });
        }
    }
    let bytes = chunk.iter().map(|line| line.bytes).sum();
    Scored { csv: into_bytes(csv), rows, failures, bytes }
}

fn into_bytes(csv: csv::Writer<Vec<u8>>) -> Vec<u8> {
    csv.into_inner().expect("memory takes all writes")
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<&str>() {
        Some(text) => text,
        None => panic.downcast_ref::<String>().map_or("without a message", String::as_str),
    }
}
