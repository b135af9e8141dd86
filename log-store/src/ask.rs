//! `ml-logs query`, `tail` and `stats`: questions on the terminal. They read the store directly, also while
//! `serve` writes into it.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use jiff::Zoned;

use crate::cli::{Format, Query, Range, Stats, Tail};
use crate::query::{
    Filter, FilterError, PredictionRow, QueryError, Reader, Scope, Search, TimeRange, known_fields,
    overview, search,
};
use crate::store::{self, Bytes, DAY_US};
use crate::terminal::{self, Csv};

/// Time of one look at the store. A question goes on until it is answered.
const TIME_LIMIT: Duration = Duration::from_secs(2);
/// Time between two looks of `tail`.
const TAIL_INTERVAL: Duration = Duration::from_millis(300);
/// Time after which `tail` does not expect the answer of a request.
const TAIL_SPAN_US: i64 = 120_000_000;
/// Number of predictions that `tail` prints at the start.
const TAIL_START: usize = 10;
/// Maximum number of predictions in a look of `tail`.
const TAIL_LIMIT: usize = 10_000;
/// Maximum number of predictions that `query` reads before it prints them.
const PAGE: usize = 10_000;

/// Reason why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("{0}")]
    Query(#[from] QueryError),
    #[error("{0}")]
    Filter(#[from] FilterError),
    #[error("--{0}")]
    Range(String),
    #[error("there is no store at {0}; name its folder with --store")]
    NoStore(String),
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

/// A reader that has seen enough, such as `head`, closes the output. That is no failure.
fn until_closed(answer: Result<(), AskError>) -> Result<(), AskError> {
    match answer {
        Err(AskError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints the predictions that match a filter.
pub(crate) fn query(arguments: &Query) -> Result<(), AskError> {
    until_closed(print_query(arguments))
}

fn print_query(arguments: &Query) -> Result<(), AskError> {
    let reader = open(&arguments.range.store)?;
    let range = range(&arguments.range, None)?;
    let filter = filter(&reader, &arguments.filter)?;
    let mut output = BufWriter::new(io::stdout().lock());
    let mut csv = Csv::default();
    let mut table = Vec::new();
    let mut left = arguments.limit;
    let mut after: Option<String> = None;
    while left > 0 {
        let limit = left.min(PAGE);
        let question = Search { filter: &filter, range, limit, after: after.as_deref() };
        let mut text = Vec::new();
        after = match arguments.format {
            Format::Csv => csv.page(&reader, &question, &mut left, &mut text)?,
            Format::Table | Format::Json => search(&reader, &question, |prediction| {
                left -= 1;
                if arguments.format == Format::Table {
                    table.push(prediction);
                } else {
                    text.extend(serde_json::to_vec(&prediction).unwrap_or_default());
                    text.push(b'\n');
                }
            })?,
        };
        output.write_all(&text)?;
        if after.is_none() {
            break;
        }
    }
    if arguments.format == Format::Table && table.is_empty() {
        eprintln!("ml-logs: nothing matches");
    } else if arguments.format == Format::Table {
        output.write_all(terminal::table(&table).as_bytes())?;
    }
    output.flush()?;
    if after.is_some() {
        let limit = arguments.limit;
        eprintln!("ml-logs: printed the newest {limit}, there may be more; raise --limit");
    }
    Ok(())
}

/// Prints predictions as they are answered, until the program is stopped.
pub(crate) fn tail(arguments: &Tail) -> Result<(), AskError> {
    until_closed(print_tail(arguments))
}

fn print_tail(arguments: &Tail) -> Result<(), AskError> {
    let reader = open(&arguments.store)?;
    let mut printed = HashSet::new();
    let mut order = VecDeque::new();
    let mut from = TimeRange::ALL.from;
    let mut limit = TAIL_START;
    loop {
        // A field may be new.
        let filter = filter(&reader, &arguments.filter)?;
        let now = Zoned::now().timestamp().as_microsecond();
        let range = TimeRange { from, to: now + DAY_US };
        let question = Search { filter: &filter, range, limit, after: None };
        let mut found = Vec::new();
        search(&reader, &question, |prediction| found.push(prediction))?;
        let mut output = io::stdout().lock();
        for prediction in found.iter().rev().filter(|found| found.status != "pending") {
            if printed.insert(prediction.key.clone()) {
                order.push_back(prediction.key.clone());
                writeln!(output, "{}", line(prediction))?;
            }
        }
        while order.len() > 2 * TAIL_LIMIT {
            order.pop_front().map(|key| printed.remove(&key));
        }
        (from, limit) = (now - TAIL_SPAN_US, TAIL_LIMIT);
        thread::sleep(TAIL_INTERVAL);
    }
}

fn line(prediction: &PredictionRow) -> String {
    let PredictionRow { requested_at, answered_at, model, status, inputs, outputs, .. } =
        prediction;
    let at = requested_at.as_ref().or(answered_at.as_ref()).map_or("-", |at| at);
    let id = prediction.prediction_id.as_deref().unwrap_or("-");
    let duration = prediction.duration_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
    let answer = prediction.error_info.as_deref().unwrap_or(outputs.get());
    terminal::shown(&format!("{at}  {id}  {model}  {status}  {duration}  {inputs} -> {answer}"))
}

/// Prints counts and latencies.
pub(crate) fn stats(arguments: &Stats) -> Result<(), AskError> {
    until_closed(print_stats(arguments))
}

fn print_stats(arguments: &Stats) -> Result<(), AskError> {
    let reader = open(&arguments.range.store)?;
    let range = range(&arguments.range, Some(DAY_US))?;
    let scope = Scope { model: arguments.model.clone(), ..Scope::default() };
    let overview = overview(&reader, range, &scope)?;
    let mut output = io::stdout().lock();
    writeln!(output, "{} to {}", overview.from, overview.to)?;
    let all = ("all".to_owned(), &overview.totals);
    let models = overview.models.iter().map(|group| {
        let name = [&group.model, &group.version]
            .map(|part| part.as_deref().unwrap_or_default())
            .join(" ");
        (name, &group.totals)
    });
    let instances = overview
        .instances
        .iter()
        .map(|group| (group.instance.clone().unwrap_or_default(), &group.totals));
    let rows = std::iter::once(all).chain(models).chain(instances).map(|(name, totals)| {
        let number =
            |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
        let latency = &totals.latency_ms;
        let counts = [totals.success, totals.error, totals.pending].map(|count| count.to_string());
        let [success, error, pending] = counts;
        vec![
            name,
            success,
            error,
            pending,
            number(latency.p50),
            number(latency.p95),
            number(latency.p99),
        ]
    });
    let header =
        ["", "success", "error", "pending", "p50 ms", "p95 ms", "p99 ms"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(header.to_vec()).chain(rows).collect();
    output.write_all(terminal::aligned(&rows).as_bytes())?;
    writeln!(output, "the store has {}", Bytes(store::size(&arguments.range.store)))?;
    Ok(())
}

fn open(store: &Path) -> Result<Reader, AskError> {
    if !store.is_dir() {
        return Err(AskError::NoStore(store.display().to_string()));
    }
    Ok(Reader::new(store, TIME_LIMIT))
}

fn range(arguments: &Range, default: Option<i64>) -> Result<TimeRange, AskError> {
    let Range { from, to, .. } = arguments;
    TimeRange::parse(from.as_deref(), to.as_deref(), default, &Zoned::now())
        .map_err(AskError::Range)
}

fn filter(reader: &Reader, words: &[String]) -> Result<Filter, AskError> {
    let known = known_fields(reader, TimeRange::ALL)?;
    let names: BTreeSet<_> = known.into_iter().map(|field| field.name).collect();
    Ok(Filter::parse(&words.join(" "), &names)?)
}
