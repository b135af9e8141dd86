//! Scores a CSV file with the insurance charges model.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use batch_scoring::batch::Batch;
use batch_scoring::summary::Summary;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use insurance_charges::InsuranceChargesModel;
use ml_logging::{Configuration, Handler, Logger, Logging};
use tracing::level_filters::LevelFilter;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Score the rows of a CSV file with the insurance charges model.
///
/// The first line names the columns. The results have the line, the prediction id, the charges and the error of each
/// row, in the order of the rows. The exit code is 1 if a row has failed and 2 if the run could not be finished.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// CSV file to score, or `-` for standard input
    #[arg(default_value = "-")]
    input: PathBuf,
    /// CSV file to write, or `-` for standard output
    #[arg(long, default_value = "-", value_name = "FILE")]
    output: PathBuf,
    /// File to which the records of the predictions are appended
    #[arg(long, default_value = "batch-scoring.log", value_name = "FILE")]
    log: PathBuf,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(summary) => {
            eprintln!("{summary}");
            if summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Summary, Error> {
    let (input, bytes) = open(&arguments.input)?;
    let batch = Batch::new(InsuranceChargesModel::load()?, input)?;
    // Only now, so that a wrong input does not empty an earlier result.
    let output = create(&arguments.output)?;
    let logging = log_to(&arguments.log)?;
    let bar = progress_bar(bytes);
    let jobs = arguments.jobs.or_else(|| thread::available_parallelism().ok());
    let summary = batch.run(output, jobs.unwrap_or(NonZeroUsize::MIN), |bytes, summary| {
        bar.inc(bytes as u64);
        bar.set_message(format!("{} rows, {} failed", summary.rows, summary.failed));
    });
    bar.finish_and_clear();
    logging.finish().map_err(|error| format!("the log cannot be written: {error}"))?;
    Ok(summary?)
}

/// Opens the input. Its size is known if it is a file.
fn open(path: &Path) -> Result<(Box<dyn BufRead + Send>, Option<u64>), Error> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let named = |error| format!("{} cannot be read: {error}", path.display());
    let file = File::open(path).map_err(named)?;
    let bytes = file.metadata().map_err(named)?.len();
    Ok((Box::new(BufReader::new(file)), Some(bytes)))
}

fn create(path: &Path) -> Result<Box<dyn Write>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout()));
    }
    let file = File::create(path)
        .map_err(|error| format!("{} cannot be created: {error}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// Sends the records of the predictions to a file.
fn log_to(path: &Path) -> Result<Logging, ml_logging::Error> {
    Configuration::new()
        .handler(Handler::file("file", path))
        .logger(Logger::root().level(LevelFilter::INFO).handler("file"))
        .panic_records(true)
        .init()
}

/// Makes a progress bar on standard error, which shows nothing if that is not a terminal.
fn progress_bar(bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "[{bar:40}] {percent} %, {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
