//! Measures ml-logs, with predictions as the demo logs them.
//!
//! | module | content |
//! |---|---|
//! | `day` | the predictions of a day, and what the page asks |
//! | `killed` | kills, rotation and retention with exact counts |
//! | `records` | the records |
//! | `server`, `client` | the program, and questions over HTTP |

#![cfg(unix)]

mod client;
mod day;
mod killed;
mod records;
mod server;

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use records::{DAY, Records};

/// Measures ml-logs.
#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fills a store with the predictions of a day, then asks what the page asks.
    Day(day::Arguments),
    /// Kills the program again and again while a log is written, rotated and deleted, then counts.
    Killed(killed::Arguments),
    /// Writes a log of a day, with times in RFC 3339, for comparisons.
    Log {
        /// The file.
        file: PathBuf,
        /// Number of predictions.
        #[arg(long, default_value_t = 1_000_000)]
        predictions: u64,
    },
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run(&CommandLine::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Log { file, predictions } => write_log(file, *predictions),
        Task::Day(arguments) => {
            server::build()?;
            day::run(arguments)
        }
        Task::Killed(arguments) => {
            server::build()?;
            killed::run(arguments)
        }
    }
}

fn write_log(path: &Path, predictions: u64) -> Result<()> {
    let mut file = File::create(path)?;
    let mut records = Records::new(DAY, 0, predictions).with_rfc3339();
    let mut chunk = String::new();
    while records.write(&mut chunk) {
        file.write_all(chunk.as_bytes())?;
        chunk.clear();
    }
    println!("{}", records.some_id());
    Ok(())
}
