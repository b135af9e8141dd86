//! Measures the cost of a JSON log record in ml-logging, in other libraries and in hand-written code.
//!
//! | module | content |
//! |---|---|
//! | `child` | the measured programs, one process per case |
//! | `check` | check that a line contains the whole record |
//! | `figures` | all measurements |
//! | `report` | tables and charts |

mod check;
mod child;
mod figures;
mod report;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;

use crate::figures::{Figures, Plan};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures the cost of a JSON log record: nanoseconds, instructions and allocations, in ml-logging and in
/// other libraries. Needs valgrind (a Debian package).
#[derive(Parser)]
#[command(version = None)]
struct CommandLine {
    /// Folder for the tables and charts.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks"))]
    out: PathBuf,
    /// Number of rounds; each case runs once per round.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Number of records per case and round.
    #[arg(long, default_value_t = 20_000)]
    records: u64,
    /// Number of rounds with several threads.
    #[arg(long, default_value_t = 9)]
    thread_rounds: usize,
}

fn main() -> ExitCode {
    match run(&CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: &CommandLine) -> Result<()> {
    build_programs()?;
    let CommandLine { out, rounds, records, thread_rounds } = command_line;
    let plan = Plan { rounds: *rounds, records: *records, thread_rounds: *thread_rounds };
    let figures = Figures::measure(plan)?;
    let tables = report::tables(&figures);
    println!("{tables}");
    fs::create_dir_all(out)?;
    fs::write(out.join("logging.md"), tables)?;
    for (file, picture) in report::pictures(&figures) {
        fs::write(out.join(file), picture.to_string())?;
    }
    eprintln!("The tables and charts are in {}.", out.display());
    Ok(())
}

/// Builds the measured programs. Each case runs in its own process, because a process has one global logger.
fn build_programs() -> Result<()> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--bins", "--manifest-path", manifest])
        .status()?;
    if status.success() { Ok(()) } else { Err("the programs cannot be built".into()) }
}
