//! Chooses, fits and scores the model, and writes the artefact that the library then carries.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use insurance_charges::train::search::Grid;
use insurance_charges::train::{self, TrainError, data, plot, report};

/// Train the insurance charges model.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// CSV file with the rows to learn from
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// CSV file with the rows to score on, once, at the end
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// Where to write the artefact
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where to write an SVG plot of predicted against actual charges of the test rows
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Threads for the search [default: one per core]; the result is the same for any number
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), TrainError> {
    // Both files are read first, so that a bad row is reported before the long search and not after it.
    let training = data::read(&arguments.train)?;
    let test = data::read(&arguments.test)?;
    let jobs = arguments.jobs.or_else(|| thread::available_parallelism().ok());

    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} fits, {eta} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message("cross-validating");
    let progress = |done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    };
    let jobs = jobs.map_or(1, NonZeroUsize::get);
    let trained = train::train(&training, &test, &Grid::default(), jobs, &progress)?;
    bar.finish_and_clear();

    print!("{}", report::report(&trained));
    train::write(&arguments.out, &trained.trees.to_string())?;
    if let Some(file) = &arguments.plot {
        train::write(file, &plot::draw(&test, &trained.predicted, &trained.scores))?;
    }
    Ok(())
}
