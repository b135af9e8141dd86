//! Fills a store with the predictions of a day, through standard input and with the page open, then asks
//! what the page asks. Prints the figures beside their budgets.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use clap::Args;

use crate::Result;
use crate::client::get;
use crate::records::{DAY, Records};
use crate::server::Server;

/// Size of the measurement.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of predictions of the day.
    #[arg(long, default_value_t = 10_000_000)]
    predictions: u64,
    /// Number of times that each question is asked; the median counts.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Folder of the store; a temporary one by default. An existing store gets more predictions.
    #[arg(long)]
    store: Option<PathBuf>,
    /// Number of predictions that the store already has, of the same day.
    #[arg(long, default_value_t = 0)]
    first: u64,
}

/// Measures.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let store = arguments.store.clone().unwrap_or_else(|| temporary.path().join("store"));
    let mut server = Server::start(Path::new("-"), &store, &[])?;
    let all = arguments.first + arguments.predictions;
    let (some_id, seconds) = fill(&mut server, arguments.first, arguments.predictions)?;
    let cpu = server.cpu_seconds()?;
    let per_core = 2.0 * arguments.predictions as f64 / cpu;
    row("records per second and CPU second", &format!("{per_core:.0}"), ">= 250,000");
    row("records per second", &format!("{:.0}", 2.0 * arguments.predictions as f64 / seconds), "");
    row("bytes per prediction", &format!("{:.0}", size(&store)? as f64 / all as f64), "<= 180");

    let day = format!("from={DAY}T00:00:00Z&to={DAY}T23:59:59.999Z");
    let rare = "filter=age%3E60+charges%3D10000..10000.5";
    let questions = [
        ("a prediction by id, ms", format!("/api/predictions/{some_id}"), "<= 2"),
        ("overview of the day, ms", format!("/api/overview?{day}"), "<= 50"),
        (
            "first rows of a filter, ms",
            format!("/api/predictions?{day}&filter=age%3E60+charges%3C5000&limit=50"),
            "<= 100",
        ),
        (
            "filter on two fields over the day, ms",
            format!("/api/predictions?{day}&{rare}&limit=10000"),
            "<= 1500",
        ),
        ("failures of the day, ms", format!("/api/failures?{day}"), ""),
        ("one field against the day before, ms", format!("/api/fields/age?{day}"), ""),
    ];
    for (name, question, budget) in questions {
        let mut times = Vec::new();
        for _ in 0..arguments.rounds {
            let started = Instant::now();
            let mut path = question.clone();
            // A search that takes longer than its time limit goes on.
            while let Some(next) = get(&server.address, &path)?["next"].as_str() {
                if !question.contains(rare) {
                    break;
                }
                path = format!("{question}&after={next}");
            }
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        row(name, &format!("{:.2}", times[times.len() / 2]), budget);
    }
    row("resident memory at most, MiB", &format!("{:.0}", server.peak_memory_mib()?), "<= 100");
    Ok(())
}

fn row(name: &str, figure: &str, budget: &str) {
    println!("{name:42} {figure:>12}   {budget}");
}

/// Writes the records of predictions, while a page looks at them. Returns one of the ids, and the time
/// until all were taken.
fn fill(server: &mut Server, first: u64, predictions: u64) -> Result<(String, f64)> {
    let mut input = server.process.stdin.take().ok_or("no standard input")?;
    let address = server.address.clone();
    let is_full = AtomicBool::new(false);
    let started = Instant::now();
    thread::scope(|scope| -> Result<(String, f64)> {
        scope.spawn(|| {
            while !is_full.load(Ordering::Relaxed) {
                for question in ["overview?", "predictions?limit=50&", "failures?"] {
                    if let Err(error) =
                        get(&address, &format!("/api/{question}from={DAY}&to={DAY}"))
                    {
                        eprintln!("{question}: {error}");
                    }
                }
                thread::sleep(Duration::from_secs(1));
            }
        });
        let mut records = Records::new(DAY, first, predictions);
        let mut chunk = String::new();
        while records.write(&mut chunk) {
            input.write_all(chunk.as_bytes())?;
            chunk.clear();
        }
        drop(input);
        while get(&address, "/api/health")?["records"].as_u64() < Some(2 * (first + predictions)) {
            thread::sleep(Duration::from_millis(10));
        }
        is_full.store(true, Ordering::Relaxed);
        Ok((records.some_id().to_owned(), started.elapsed().as_secs_f64()))
    })
}

/// Returns the size of the files, without what SQLite keeps beside them while it writes.
fn size(store: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "sqlite") {
            sum += entry.metadata()?.len();
        }
    }
    Ok(sum)
}
