//! Chooses, fits and scores the model, and writes the artefact.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use insurance_charges_training::search::Grid;
use insurance_charges_training::{TrainError, data, plot, report, train, write};

/// Train the insurance charges model.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// CSV file with the training rows
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// CSV file with the test rows, which are scored once at the end
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// Path of the artefact to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Path of an SVG plot to write: predicted against actual charges of the test rows
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Number of threads for the search, which does not change the result [default: one per core]
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
    // Both files are read first: a bad row is reported before the long search.
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
    let trained = train(&training, &test, &Grid::default(), jobs, &progress)?;
    bar.finish_and_clear();

    print!("{}", report::report(&trained));
    write(&arguments.out, &trained.trees.to_string())?;
    if let Some(file) = &arguments.plot {
        write(file, &plot::draw(&test, &trained.predicted, &trained.scores))?;
    }
    Ok(())
}
