//! Kills the program again and again while a log is written, rotated and deleted. At the end, the days
//! that retention has left have exactly the predictions that were logged.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, thread};

use clap::Args;
use serde_json::Value;

use crate::Result;
use crate::client::get;
use crate::records::{Records, days_until_today};
use crate::server::Server;

/// Size at which the log is rotated.
const ROTATED_BYTES: u64 = 300_000_000;
/// Number of rotated files that may wait to be read. More would fill the disk.
const WAITING_FILES: usize = 4;
/// Number of predictions that are read at once while counting.
const PAGE: usize = 10_000;

/// Size of the run.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of predictions.
    #[arg(long, default_value_t = 10_000_000)]
    predictions: u64,
    /// Number of days over which they are spread.
    #[arg(long, default_value_t = 5)]
    days: u64,
    /// `--max-size` of the store. By default, about half of the days fit.
    #[arg(long)]
    max_size: Option<String>,
}

/// A day that was logged.
struct Logged {
    date: String,
    predictions: u64,
    errors: u64,
}

/// Runs until the last day is complete, then counts.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (log, store) = (folder.path().join("app.log"), folder.path().join("store"));
    let bytes_per_prediction = 113;
    let default = || format!("{}KB", arguments.predictions * bytes_per_prediction / 2000);
    let max_size = arguments.max_size.clone().unwrap_or_else(default);
    let options = ["--max-size", &*max_size];
    let is_written = AtomicBool::new(false);
    let read = Mutex::new(HashSet::new());
    let started = Instant::now();
    let (logged, kills) = thread::scope(|scope| -> Result<_> {
        let writer = scope.spawn(|| {
            let logged = write(arguments, &log, &read).map_err(|error| error.to_string());
            is_written.store(true, Ordering::Release);
            logged
        });
        let kills = kill_repeatedly(&log, &store, &options, &is_written, &read)?;
        let logged = writer.join().map_err(|_| "the writer panicked")??;
        Ok((logged, kills))
    })?;
    let server = Server::start(&log, &store, &options)?;
    let last = logged.last().ok_or("nothing was logged")?;
    let all = format!("/api/overview?from={0}&to={0}", last.date);
    let deadline = Instant::now() + Duration::from_secs(600);
    while answered(&get(&server.address, &all)?) < last.predictions && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(100));
    }
    // Sizes are checked at the start and once a minute.
    drop(server);
    let server = Server::start(&log, &store, &options)?;
    let kept = |day: &Logged| store.join(format!("{}.sqlite", day.date)).exists();
    while logged.iter().all(kept) {
        if Instant::now() > deadline {
            return Err("no day was deleted".into());
        }
        thread::sleep(Duration::from_millis(100));
    }
    // Without the limit, so that no day is deleted while it is counted.
    drop(server);
    let server = Server::start(&log, &store, &[])?;
    println!("{kills} kills, {:.0} s, --max-size {max_size}", started.elapsed().as_secs_f64());
    let mut failed = false;
    for day in &logged {
        let verdict = if kept(day) { count(&server, day)? } else { "deleted".to_owned() };
        failed |= !matches!(&*verdict, "exact" | "deleted");
        println!("{}: {} predictions, {} errors: {verdict}", day.date, day.predictions, day.errors);
    }
    if failed { Err("the counts are not exact".into()) } else { Ok(()) }
}

/// Starts the program and kills it, until everything is written. Returns the number of kills.
fn kill_repeatedly(
    log: &Path,
    store: &Path,
    options: &[&str],
    is_written: &AtomicBool,
    read: &Mutex<HashSet<u64>>,
) -> Result<u64> {
    let mut kills = 0;
    while !is_written.load(Ordering::Acquire) {
        let server = Server::start(log, store, options)?;
        let end = Instant::now() + Duration::from_millis(300 + kills * 379 % 3000);
        while Instant::now() < end {
            let health = get(&server.address, "/api/health")?;
            let sources = health["sources"].as_array().into_iter().flatten();
            let positions = sources.filter_map(|source| source["position"].as_u64());
            read.lock().unwrap_or_else(PoisonError::into_inner).extend(positions);
            thread::sleep(Duration::from_millis(50));
        }
        drop(server);
        kills += 1;
    }
    Ok(kills)
}

/// Writes the log, rotates it by renaming, and deletes what has been read: `read` has the positions.
fn write(arguments: &Arguments, log: &Path, read: &Mutex<HashSet<u64>>) -> Result<Vec<Logged>> {
    let mut rotated: Vec<(PathBuf, u64)> = Vec::new();
    let mut rotations = 0;
    let mut file = open(log)?;
    let mut bytes = 0;
    let mut logged = Vec::new();
    let of_day = arguments.predictions / arguments.days;
    for (number, date) in days_until_today(arguments.days)?.into_iter().enumerate() {
        // The same time of each day, with other ids.
        let mut records = Records::new(&date, 0, of_day).with_ids(number as u64);
        let mut chunk = String::new();
        while records.write(&mut chunk) {
            file.write_all(chunk.as_bytes())?;
            bytes += chunk.len() as u64;
            chunk.clear();
            if bytes < ROTATED_BYTES {
                continue;
            }
            rotations += 1;
            let name = log.with_file_name(format!("app.log.{rotations}"));
            fs::rename(log, &name)?;
            rotated.push((name, mem::take(&mut bytes)));
            file = open(log)?;
            loop {
                let read = read.lock().unwrap_or_else(PoisonError::into_inner);
                let (done, waiting) =
                    rotated.into_iter().partition(|(_, size)| read.contains(size));
                rotated = waiting;
                drop(read);
                let done: Vec<(PathBuf, u64)> = done;
                for (name, _) in done {
                    fs::remove_file(name)?;
                }
                if rotated.len() < WAITING_FILES {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        logged.push(Logged { date, predictions: of_day, errors: records.errors });
    }
    Ok(logged)
}

fn open(log: &Path) -> Result<File> {
    Ok(OpenOptions::new().create(true).append(true).open(log)?)
}

/// Returns the number of answered predictions in an overview.
fn answered(overview: &Value) -> u64 {
    let total = |status: &str| overview["totals"][status].as_u64().unwrap_or(0);
    total("success") + total("error")
}

/// Counts the predictions of a day in the roll-ups and one by one.
fn count(server: &Server, day: &Logged) -> Result<String> {
    let range = format!("from={0}&to={0}", day.date);
    let overview = get(&server.address, &format!("/api/overview?{range}"))?;
    let ages = get(&server.address, &format!("/api/fields/age?{range}"))?["count"].as_u64();
    let totals = &overview["totals"];
    let (mut rows, mut ids, mut unfinished) = (0, HashSet::new(), 0);
    let mut after = String::new();
    loop {
        let path = format!("/api/predictions?{range}&limit={PAGE}{after}");
        let page = get(&server.address, &path)?;
        for found in page["predictions"].as_array().into_iter().flatten() {
            rows += 1;
            let is_whole = found["requested_at"].is_string() && found["answered_at"].is_string();
            unfinished += u64::from(!is_whole);
            let id = found["prediction_id"].as_str().unwrap_or_default();
            // Half of an id, so that millions fit into memory.
            ids.insert(u64::from_str_radix(&id.replace('-', "")[..16], 16)?);
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let is_exact = rows == day.predictions
        && ids.len() as u64 == day.predictions
        && unfinished == 0
        && answered(&overview) == day.predictions
        && totals["error"] == day.errors
        && totals["pending"] == 0
        && ages == Some(day.predictions);
    Ok(if is_exact {
        "exact".to_owned()
    } else {
        format!(
            "{rows} rows, {} ids, {unfinished} without both records, totals {totals}, {ages:?} ages",
            ids.len()
        )
    })
}
