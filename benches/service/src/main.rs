//! Load, growth and endurance of the service.
//!
//! | module | what lives there |
//! |---|---|
//! | `server` | the servers compared: starting, memory, stopping |
//! | `python` | the environment of the Python service |
//! | `wrk` | load, and what came of it |
//! | `log` | whether the log has every prediction, with all its records |
//! | `measure` | rounds in turn, medians of them |
//! | `soak` | a long run with exact books of every request |
//! | `results` | the figures as a file |
//! | `charts` | the figures as pictures |

mod charts;
mod log;
mod measure;
mod progress;
mod python;
mod results;
mod server;
mod soak;
mod wrk;

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::measure::Plan;
use crate::results::Results;
use crate::server::Spec;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures the service under load, beside a bare axum handler and the Python service.
///
/// Needs `wrk` (a Debian package); the Python service is installed from PyPI into `target/`.
#[derive(Parser)]
#[command(version = None)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
    /// Folder of the figures and the pictures.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks"))]
    out: PathBuf,
}

#[derive(Subcommand)]
enum Task {
    /// Decorated against bare and Python, side by side.
    Compare {
        #[command(flatten)]
        rounds: Rounds,
        /// Leaves the Python service out.
        #[arg(long)]
        without_python: bool,
    },
    /// How throughput, latency and memory grow with connections, models and logged fields.
    Growth {
        #[command(flatten)]
        rounds: Rounds,
        /// The curves to measure.
        #[arg(value_enum, default_values_t = [Curve::Connections, Curve::Models, Curve::Fields])]
        curves: Vec<Curve>,
    },
    /// A long run that ends in a SIGTERM, with exact books of every request and record.
    Soak {
        /// Minutes to run. A minute logs some 1.5 GB, which is checked and then deleted.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// Keep-alive connections.
        #[arg(long, default_value_t = 32)]
        connections: u32,
    },
    /// Draws the pictures again from the figures.
    Charts,
}

#[derive(Args)]
struct Rounds {
    /// Rounds, in each of which all servers take their turn.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of load per server and round, after a second to warm up.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Connections, where they are not what grows.
    #[arg(long, default_value_t = 32)]
    connections: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Curve {
    Connections,
    Models,
    Fields,
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
    let out = &command_line.out;
    let mut results = Results::read(out)?;
    let verdict = match &command_line.task {
        Task::Compare { rounds, without_python } => {
            build_servers()?;
            let mut specs = vec![Spec::decorated(), Spec::bare()];
            if !without_python {
                specs.push(python::spec()?);
            }
            let comparison = measure::compare(specs, rounds.into())?;
            println!("{comparison}");
            results.comparison = Some(comparison);
            Ok(())
        }
        Task::Growth { rounds, curves } => {
            build_servers()?;
            for curve in curves {
                let (growth, slot) = match curve {
                    Curve::Connections => {
                        (measure::connections(rounds.into())?, &mut results.connections)
                    }
                    Curve::Models => (measure::models(rounds.into())?, &mut results.models),
                    Curve::Fields => (measure::fields(rounds.into())?, &mut results.fields),
                };
                println!("{growth}");
                *slot = Some(growth);
            }
            Ok(())
        }
        Task::Soak { minutes, connections } => {
            build_servers()?;
            let soak = soak::run(*minutes, *connections)?;
            println!("{soak}");
            let verdict = soak.verdict();
            results.soak = Some(soak);
            verdict
        }
        Task::Charts => Ok(()),
    };
    results.write(out)?;
    charts::draw(&results, out)?;
    println!("Figures and pictures are in {}.", out.display());
    verdict
}

impl From<&Rounds> for Plan {
    fn from(rounds: &Rounds) -> Self {
        Self { rounds: rounds.rounds, seconds: rounds.seconds, connections: rounds.connections }
    }
}

/// The servers are programs of their own: what is measured has none of the measuring in it.
fn build_servers() -> Result<()> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--bins", "--manifest-path", manifest])
        .status()?;
    if status.success() { Ok(()) } else { Err("the servers could not be built".into()) }
}

/// Build output beside this program: the servers, and room for logs.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let release = program.parent().and_then(|folder| folder.parent());
    Ok(release.ok_or("this program is in no target folder")?.to_owned())
}
