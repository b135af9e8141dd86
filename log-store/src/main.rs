//! `ml-logs`: keeps the records of predictions on one machine and answers questions about them.
//!
//! The modules are the stations of a record, from the line of a log to an answer:
//!
//! | module | contents |
//! |---|---|
//! | `read` | files that are followed, standard input |
//! | `record` | one line as a record |
//! | `store` | SQLite files, one per day |
//! | `ingest` | the thread that reads and writes |
//! | `query` | questions and their answers |
//! | `api`, `page` | HTTP: JSON below `/api`, the files of the page |
//! | `terminal` | answers as tables and CSV |
//! | `cli`, `config` | the command line, the configuration file |
//! | `serve`, `ask` | the commands |

mod api;
mod ask;
mod cli;
mod config;
mod ingest;
mod page;
mod query;
mod read;
mod record;
mod serve;
mod store;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use cli::{Command, CommandLine};

fn main() -> ExitCode {
    let result = match CommandLine::parse().command {
        Command::Serve(arguments) => serve::serve(arguments).map_err(|error| error.to_string()),
        Command::Query(arguments) => ask::query(&arguments).map_err(|error| error.to_string()),
        Command::Tail(arguments) => ask::tail(&arguments).map_err(|error| error.to_string()),
        Command::Stats(arguments) => ask::stats(&arguments).map_err(|error| error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ml-logs: {message}");
            ExitCode::FAILURE
        }
    }
}
