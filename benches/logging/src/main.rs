//! What a JSON log record costs: ml-logging beside other libraries and beside the same bytes put
//! together by hand.
//!
//! | module | what lives there |
//! |---|---|
//! | `child` | a program per case: rounds, instructions, allocations |
//! | `check` | whether a line says what the record says |
//! | `figures` | everything that is measured |
//! | `report` | the figures as tables and pictures |

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

/// Measures what a JSON log record costs: nanoseconds, instructions and allocations, by ml-logging and
/// by other libraries. Needs valgrind (a Debian package).
#[derive(Parser)]
#[command(version = None)]
struct CommandLine {
    /// Folder of the tables and the pictures.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks"))]
    out: PathBuf,
    /// Rounds, in each of which everything that is compared takes its turn.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Records in each turn.
    #[arg(long, default_value_t = 20_000)]
    records: u64,
    /// Rounds of the records that several threads log at once.
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
    eprintln!("Tables and pictures are in {}.", out.display());
    Ok(())
}

/// What is measured is in programs of its own: each library wants to be the only one in its process.
fn build_programs() -> Result<()> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--bins", "--manifest-path", manifest])
        .status()?;
    if status.success() { Ok(()) } else { Err("the programs could not be built".into()) }
}
