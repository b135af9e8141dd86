//! Logs millions of records through each policy into a pipe whose reader stalls, and checks that every
//! record is either read or reported as dropped.
//!
//! Each policy runs twice: to its end, and until it is killed half-way. The logging program is a child
//! process of the same executable; the parent reads the pipe and compares.

#![cfg(unix)]

mod child;
mod ledger;

use std::{
    error::Error,
    io::{BufRead as _, BufReader, IsTerminal as _, Read as _},
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::ledger::{Counts, Ledger};

/// Checks the delivery of log records through each policy.
#[derive(Parser)]
struct Arguments {
    /// Number of records for each policy.
    #[arg(long, default_value_t = 10_000_000)]
    records: u64,
    /// Duration of a stall of the reader; each run has twenty.
    #[arg(long, default_value_t = 100)]
    stall_ms: u64,
    /// Run as the logging program, with this policy.
    #[arg(long, hide = true)]
    child: Option<String>,
    /// Folder for the counts of the logging program.
    #[arg(long, hide = true, default_value = ".")]
    folder: String,
}

/// Number of logging threads.
const THREADS: usize = 4;

const POLICIES: [&str; 3] = ["block", "drop", "audit"];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.child {
        Some(policy) => child::log(policy, arguments.records, Path::new(&arguments.folder)),
        None => run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let bar = ProgressBar::new(arguments.records * 6);
    bar.set_style(ProgressStyle::with_template("{bar:30} {percent}% {eta} left, {msg}")?);
    let mut rows = Vec::new();
    for policy in POLICIES {
        for is_killed in [false, true] {
            let what = if is_killed { "killed half-way" } else { "to its end" };
            bar.set_message(format!("{policy}, {what}"));
            if !std::io::stderr().is_terminal() {
                eprintln!("{policy}, {what}");
            }
            let row = measure(arguments, policy, is_killed, &bar);
            rows.push(row.map_err(|error| format!("{policy}, {what}: {error}"))?);
        }
    }
    bar.finish_and_clear();
    println!(
        "{} records from {THREADS} threads, the reader stalling 20 times for {} ms in each run:\n",
        arguments.records, arguments.stall_ms
    );
    println!(
        "| policy | end | handed in | read | reported as dropped | lost with the process | s |"
    );
    println!("|---|---|---|---|---|---|---|");
    rows.iter().for_each(|row| println!("{row}"));
    println!(
        "\nOf a program that ended, every record was read or reported as dropped. Of a killed one, the \
         other records that its threads had begun to log are lost; with `audit`, no acknowledged record \
         is lost. The records of each thread were in order and without duplicates."
    );
    Ok(())
}

/// Executes one run and returns its table row.
fn measure(
    arguments: &Arguments,
    policy: &str,
    is_killed: bool,
    bar: &ProgressBar,
) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--child", policy, "--records", &arguments.records.to_string()])
        .arg("--folder")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let mut reader = BufReader::with_capacity(64 * 1024, stdout);
    let mut ledger = Ledger::new(THREADS);
    let mut line = Vec::new();
    let stall = (arguments.records / if is_killed { 40 } else { 20 }).max(1);
    let mut lines = 0;
    // Dropped records have no line: the kill depends on the highest number, not on the lines read.
    let mut is_over = false;
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line.last() != Some(&b'\n') && is_killed {
            // Truncated by the kill.
            break;
        }
        ledger.take(&line)?;
        line.clear();
        lines += 1;
        if u64::is_multiple_of(lines, 4_096) {
            bar.inc(4_096);
        }
        if !is_over && ledger.records().is_multiple_of(stall) && ledger.is_record() {
            thread::sleep(Duration::from_millis(arguments.stall_ms));
        }
        if is_killed && !is_over && ledger.highest() * THREADS as u64 >= arguments.records / 2 {
            child.kill()?;
            is_over = true;
        }
    }
    let mut stderr = String::new();
    child.stderr.take().ok_or("no standard error")?.read_to_string(&mut stderr)?;
    let status = child.wait()?;
    if status.success() == is_killed {
        return Err(format!("the logging program ended with {status}: {stderr}").into());
    }
    let counts = Counts::read(&folder.path().join("counts"))?;
    let (begun, returned) = ledger::handed_in(&folder.path().join("threads"), THREADS)?;
    let gone = if is_killed {
        ledger.check_killed(policy, &counts, &begun, &returned)?
    } else {
        ledger.check_ended(&counts, arguments.records)?;
        0
    };
    let handed_in = begun.iter().sum::<u64>();
    Ok(format!(
        "| `{policy}` | {} | {handed_in} | {} | {} | {gone} | {:.1} |",
        if is_killed { "`kill -9`" } else { "its own" },
        ledger.records(),
        ledger.reported(),
        started.elapsed().as_secs_f64(),
    ))
}
