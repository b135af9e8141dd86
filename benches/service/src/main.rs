//! Measures the service under load, with growing numbers of models and fields, and over a long run.
//!
//! | module | content |
//! |---|---|
//! | `server` | the compared servers: start, memory, stop |
//! | `python` | the environment of the Python service |
//! | `wrk` | load and its outcome |
//! | `log` | check that the log has all records of every prediction |
//! | `measure` | interleaved rounds and their medians |
//! | `beside` | the service beside `ml-logs` |
//! | `soak` | a long run that accounts for every request |
//! | `hostile` | the demo under attack |
//! | `results` | the results file |
//! | `charts` | charts of the results |

mod beside;
mod charts;
mod hostile;
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
use std::process::{Command, ExitCode, Stdio};

use clap::{Args, Parser, Subcommand};
use serde_json::Value;

use crate::measure::Plan;
use crate::results::Results;
use crate::server::Spec;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures the service under load and compares it with a bare axum handler and the Python service.
///
/// Needs `wrk` (a Debian package); the Python service is installed from PyPI into `target/`.
#[derive(Parser)]
#[command(version = None)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
    /// Folder for the results and charts.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks"))]
    out: PathBuf,
}

#[derive(Subcommand)]
enum Task {
    /// Compares the service with the bare handler and the Python service.
    Compare {
        #[command(flatten)]
        rounds: Rounds,
        /// Leaves the Python service out.
        #[arg(long)]
        without_python: bool,
    },
    /// Measures throughput, latency and memory against connections, models and logged fields.
    Growth {
        #[command(flatten)]
        rounds: Rounds,
        /// The curves to measure.
        #[arg(value_enum, default_values_t = [Curve::Connections, Curve::Models, Curve::Fields])]
        curves: Vec<Curve>,
    },
    /// Measures the service with and without `ml-logs` that follows its log.
    Beside {
        #[command(flatten)]
        rounds: Rounds,
    },
    /// Runs for a long time, stops by SIGTERM, and accounts for every request and record.
    Soak {
        /// Minutes to run. A minute produces about 1.5 GB of log, which is checked and then deleted.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// Keep-alive connections.
        #[arg(long, default_value_t = 32)]
        connections: u32,
    },
    /// Attacks the demo, and checks that good requests and probes are answered meanwhile.
    Hostile {
        /// Minutes to run.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
    },
    /// Draws the charts again from the results file.
    Charts,
}

#[derive(Args)]
struct Rounds {
    /// Number of rounds; each server runs once per round.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of load per server and round, after one second of warm-up.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Number of connections, except in the curve over connections.
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
            let mut specs = vec![
                Spec::decorated(),
                Spec::guarded(),
                Spec::bare(),
                Spec::blocking(),
                Spec::bare_blocking(),
            ];
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
        Task::Beside { rounds } => {
            build_servers()?;
            let beside = beside::run(&rounds.into())?;
            println!("{beside}");
            beside.verdict()
        }
        Task::Soak { minutes, connections } => {
            build_servers()?;
            let soak = soak::run(*minutes, *connections)?;
            println!("{soak}");
            let verdict = soak.verdict();
            results.soak = Some(soak);
            verdict
        }
        Task::Hostile { minutes } => {
            let hostile = hostile::run(&Spec::demo(build_demo()?), *minutes)?;
            println!("{hostile}");
            let verdict = hostile.verdict();
            results.hostile = Some(hostile);
            verdict
        }
        Task::Charts => Ok(()),
    };
    results.write(out)?;
    charts::draw(&results, out)?;
    println!("The results and charts are in {}.", out.display());
    verdict
}

impl From<&Rounds> for Plan {
    fn from(rounds: &Rounds) -> Self {
        Self { rounds: rounds.rounds, seconds: rounds.seconds, connections: rounds.connections }
    }
}

/// Profile in which the servers are built, and its folder in the target folder.
const PRODUCTION: &str = "production";

/// Builds the servers, which are separate programs.
fn build_servers() -> Result<()> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--profile", PRODUCTION, "--bins", "--manifest-path", manifest])
        .status()?;
    if status.success() { Ok(()) } else { Err("the servers cannot be built".into()) }
}

/// Builds the demo and returns its program.
fn build_demo() -> Result<PathBuf> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--package",
            "insurance-charges",
            "--bin",
            "insurance-charges",
        ])
        .args(["--message-format", "json", "--manifest-path", manifest])
        .stderr(Stdio::inherit())
        .output()?;
    let messages = String::from_utf8(output.stdout)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut program = messages
        .filter_map(|message: Value| Some(PathBuf::from(message.get("executable")?.as_str()?)));
    program.next_back().filter(|_| output.status.success()).ok_or("the demo cannot be built".into())
}

/// Returns the target folder, which contains the servers and the logs.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let release = program.parent().and_then(|folder| folder.parent());
    Ok(release.ok_or("this program is in no target folder")?.to_owned())
}
