//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

use crate::config;

/// Keeps the records of predictions and answers questions about them.
#[derive(Debug, Parser)]
#[command(name = "ml-logs", version)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads logs into the store and shows them on a page.
    Serve(Serve),
    /// Prints the predictions that match a filter, the newest first.
    Query(Query),
    /// Prints predictions as they are answered.
    Tail(Tail),
    /// Prints counts and latencies.
    Stats(Stats),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Log files to follow, with those that rotation has made of them; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Folder of the store; created if necessary [default: ml-logs-store].
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Address and port of the page; port 0 selects a free one [default: 127.0.0.1:8001].
    #[arg(long, value_name = "IP:PORT", value_parser = config::address)]
    pub(crate) address: Option<SocketAddr>,
    /// Deletes records that are older than this number of days.
    #[arg(long, value_name = "N")]
    pub(crate) retention_days: Option<u32>,
    /// Deletes the oldest days if the store is larger, as in 10GB.
    #[arg(long, value_name = "SIZE", value_parser = config::size)]
    pub(crate) max_size: Option<u64>,
    /// Stops taking records while the disk has less free space [default: 500MB].
    #[arg(long, value_name = "SIZE", value_parser = config::size)]
    pub(crate) min_free: Option<u64>,
    /// Time zone of times without an offset, as in Europe/Berlin [default: that of the system].
    #[arg(long, value_name = "ZONE", value_parser = config::time_zone)]
    pub(crate) time_zone: Option<TimeZone>,
    /// File with the token that requests must have; necessary for addresses other than loopback.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Configuration file with the same settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The store and the range of a question.
#[derive(Debug, Args)]
pub(crate) struct Range {
    /// Folder of the store.
    #[arg(long, value_name = "DIR", default_value = config::STORE)]
    pub(crate) store: PathBuf,
    /// Start, as in 2026-11-28, "2026-11-28 14:00", tuesday or 2h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// End; of a day, its last moment.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Conditions, as in "age>60 status=error charges=10000..20000".
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    #[command(flatten)]
    pub(crate) range: Range,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Maximum number of predictions.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    /// One object per line.
    Json,
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Conditions, as in "status=error".
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// Folder of the store.
    #[arg(long, value_name = "DIR", default_value = config::STORE)]
    pub(crate) store: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) range: Range,
    /// Only this model.
    #[arg(long)]
    pub(crate) model: Option<String>,
}
