//! Counts instructions and prints the cost of one prediction.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use ml_model_benches::{
    BareModel, CountedModel, IdentifiedModel, Input, charges, log_to_nowhere, repeat,
};
use ml_model_core::{Infer, MLModel};
use serde_json::Value;

/// Predictions per benchmark, as in `benches/overhead.rs`.
const PREDICTIONS: f64 = 1_000.0;

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
    let counts = instructions()?;
    let of = |id: &str| {
        counts.get(id).map(|count| count / PREDICTIONS).ok_or(format!("no benchmark is named {id}"))
    };
    let bare = of("bare")?;
    let by_hand = of("logging_by_hand")?;
    println!("Instructions per prediction, counted by callgrind:\n");
    println!("| what | instructions | against | |");
    println!("|---|---|---|---|");
    println!("| `infer`, bare | {bare:.0} | | |");
    for (name, id) in [
        ("`logging`, everything off", "logging_off"),
        ("`logging`, only errors on", "logging_warn"),
        ("`metrics`", "metrics"),
        ("`prediction_id`, ml-logging installed", "prediction_id"),
        ("`prediction_id` and `logging` with its two records", "both"),
    ] {
        let count = of(id)?;
        println!("| {name} | {count:.0} | bare | + {:.0} |", count - bare);
    }
    let on = of("logging_on")?;
    println!("| two `tracing` events by hand, ml-logging installed | {by_hand:.0} | | |");
    println!("| `logging`, on, the same two records | {on:.0} | by hand | × {:.3} |", on / by_hand);

    let [bare, identified, counted] = nanoseconds();
    println!("\nNanoseconds per prediction beside {bare:.0} ns bare, fastest of many rounds:");
    println!("`prediction_id` with ml-logging installed {:.0} ns,", identified - bare);
    println!("`metrics` {:.0} ns.", counted - bare);
    Ok(())
}

/// Returns the instructions of each benchmark, by its id.
fn instructions() -> Result<HashMap<String, f64>, Box<dyn Error>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["bench", "--manifest-path", manifest, "--bench", "overhead"])
        .args(["--", "--output-format=json"])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the benchmarks failed; they need valgrind and gungraun-runner 0.20.0: \
                    `cargo install gungraun-runner --version 0.20.0 --locked`"
            .into());
    }
    let mut counts = HashMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let Ok(summary) = line.parse::<Value>() else { continue };
        let count = summary["profiles"].as_array().and_then(|profiles| {
            let metrics = &profiles.first()?["data"]["parts"][0]["metrics"];
            metrics["Ir"]["values"]["new"].as_f64().or(metrics["Ir"]["values"].as_f64())
        });
        let id = summary["id"].as_str().ok_or("a benchmark has no id")?;
        let count = count.ok_or(format!("no instructions are counted for {id}"))?;
        counts.insert(id.to_owned(), count);
    }
    Ok(counts)
}

/// Returns the nanoseconds per prediction: bare, with an id, with metrics. Each is the fastest of interleaved
/// rounds, so that other load on the machine affects all of them alike.
fn nanoseconds() -> [f64; 3] {
    const ROUNDS: u32 = 400;
    const PER_ROUND: u32 = 1_000;
    log_to_nowhere();
    let mut fastest = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let started = Instant::now();
        repeat(PER_ROUND, |input: Input| {
            BareModel.infer(&input).map_or(f64::NAN, |output| output.charges)
        });
        fastest[0] = fastest[0].min(started.elapsed());
        let started = Instant::now();
        repeat(PER_ROUND, |input| charges(black_box(&IdentifiedModel).predict(input)));
        fastest[1] = fastest[1].min(started.elapsed());
        let started = Instant::now();
        repeat(PER_ROUND, |input| charges(black_box(&CountedModel).predict(input)));
        fastest[2] = fastest[2].min(started.elapsed());
    }
    fastest.map(|round| round.as_secs_f64() * 1e9 / f64::from(PER_ROUND))
}
