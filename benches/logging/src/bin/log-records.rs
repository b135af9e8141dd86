//! Logs one case's records on request.
//!
//! The first output is the line of one record. Then each input line contains a number of records and of
//! threads; the output is the time in nanoseconds and the number of bytes. With `--records`, for counting
//! instructions, the program logs once and reads no input.

use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use logging_cost::{Case, Ready, sink};

const WARM_UP: u64 = 1_000;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: log-records CASE [--records N]")?;
    let case: Case = name.parse().map_err(|_| format!("unknown case {name}"))?;
    let ready = case.set_up();
    ready.log(WARM_UP);
    if arguments.next().as_deref() == Some("--records") {
        ready.log(arguments.next().ok_or("--records needs a number")?.parse()?);
        ready.flush();
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(&sink::kept_while(|| ready.log(1)))?;
    if case == Case::Queue {
        // The records are in a file.
        out.write_all(b"\n")?;
    }
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (records, threads) = line.split_once(' ').ok_or("expected: RECORDS THREADS")?;
        let (time, bytes) = match (records.parse()?, threads.parse()?) {
            (records, 1) => alone(&ready, records),
            (records, threads) => together(&ready, records, threads),
        };
        writeln!(out, "{} {bytes}", time.as_nanos())?;
        out.flush()?;
    }
    Ok(())
}

fn alone(ready: &Ready, records: u64) -> (Duration, u64) {
    let before = sink::bytes();
    let started = Instant::now();
    ready.log(records);
    ready.flush();
    (started.elapsed(), sink::bytes() - before)
}

/// Logs an equal part from each thread. The time runs from the first record of any thread to the last one.
/// The threads measure it, because with more threads than cores the main thread may be delayed.
fn together(ready: &Ready, records: u64, threads: u32) -> (Duration, u64) {
    let start = Barrier::new(threads as usize);
    let each = records / u64::from(threads);
    let log = || {
        ready.log(WARM_UP);
        start.wait();
        let (before, started) = (sink::bytes(), Instant::now());
        ready.log(each);
        (started, Instant::now(), sink::bytes() - before)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(log)).collect();
        let turns: Vec<_> = workers.into_iter().filter_map(|worker| worker.join().ok()).collect();
        let started = turns.iter().map(|(started, _, _)| *started).min();
        ready.flush();
        let ended = match ready.is_queued() {
            true => Some(Instant::now()),
            false => turns.iter().map(|(_, ended, _)| *ended).max(),
        };
        let time = started.zip(ended).map_or(Duration::ZERO, |(started, ended)| ended - started);
        (time, turns.iter().map(|(_, _, bytes)| bytes).sum())
    })
}
