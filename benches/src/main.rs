//! Counts the instructions of predictions and records with callgrind and prints them beside their
//! budgets. Fails if one is above its limit.
//!
//! `cargo run --profile production` in this folder, as a deployment builds a service; needs valgrind, a Debian package.

use std::error::Error;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use ml_model_benches::{
    BareModel, CountedModel, IdentifiedModel, LoggedModel, TracedModel, charges, log_record,
    log_records_to_nowhere, log_to_nowhere, log_up_to, predict_by_hand, repeat,
};
use ml_model_core::{Infer, MLModel};
use tracing::level_filters::LevelFilter;

/// Calls before the count begins: they complete call sites and fill caches.
const WARM_UP: u32 = 100;

/// A piece of code whose instructions are counted.
struct Case {
    name: &'static str,
    set_up: fn(),
    /// Runs it this many times.
    run: fn(u32),
    budget: Budget,
}

/// Highest count that passes.
enum Budget {
    None,
    /// Instructions.
    Count(f64),
    /// Instructions above those of another case.
    Above(&'static str, f64),
    /// Multiple of another case.
    Times(&'static str, f64),
}

const BARE: &str = "`infer`, bare";
const BY_HAND: &str = "two `tracing` events by hand";

const CASES: [Case; 9] = [
    Case { name: BARE, set_up: || {}, run: bare, budget: Budget::None },
    Case {
        name: "`logging`, everything off",
        set_up: || {},
        run: logged,
        budget: Budget::Above(BARE, 20.0),
    },
    Case {
        name: "`logging`, only errors on",
        set_up: || log_up_to(LevelFilter::WARN),
        run: logged,
        budget: Budget::Above(BARE, 240.0),
    },
    Case { name: "`metrics`", set_up: || {}, run: counted, budget: Budget::Above(BARE, 310.0) },
    Case { name: BY_HAND, set_up: log_to_nowhere, run: by_hand, budget: Budget::None },
    Case {
        name: "`logging`, on, the same two records",
        set_up: log_to_nowhere,
        run: logged,
        budget: Budget::Times(BY_HAND, 1.05),
    },
    Case {
        name: "`prediction_id`",
        set_up: log_to_nowhere,
        run: identified,
        budget: Budget::Above(BARE, 2_000.0),
    },
    Case {
        name: "`prediction_id` and `logging`, two records",
        set_up: log_to_nowhere,
        run: traced,
        budget: Budget::Above(BARE, 7_500.0),
    },
    Case {
        name: "one record of 9 + 8 fields",
        set_up: log_records_to_nowhere,
        run: |times| (0..times).for_each(|_| log_record()),
        budget: Budget::Count(2_500.0),
    },
];

fn bare(times: u32) {
    repeat(times, |input| BareModel.infer(&input).map_or(f64::NAN, |output| output.charges));
}

fn logged(times: u32) {
    repeat(times, |input| charges(LoggedModel.predict(input)));
}

fn by_hand(times: u32) {
    repeat(times, |input| {
        predict_by_hand(&BareModel, input).map_or(f64::NAN, |output| output.charges)
    });
}

fn counted(times: u32) {
    repeat(times, |input| charges(black_box(&CountedModel).predict(input)));
}

fn identified(times: u32) {
    repeat(times, |input| charges(black_box(&IdentifiedModel).predict(input)));
}

fn traced(times: u32) {
    repeat(times, |input| charges(TracedModel.predict(input)));
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => report(),
        [case, times] => run(case, times).map(|()| true),
        _ => Err("usage: ml-model-benches".into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one case in a process of its own.
fn run(case: &str, times: &str) -> Result<(), Box<dyn Error>> {
    let case = CASES.get(case.parse::<usize>()?).ok_or("no such case")?;
    (case.set_up)();
    (case.run)(WARM_UP);
    (case.run)(times.parse()?);
    Ok(())
}

/// Prints every count and the fastest times. Returns whether all counts are within their limits.
fn report() -> Result<bool, Box<dyn Error>> {
    println!("| per call | instructions | against | limit | |");
    println!("|---|---|---|---|---|");
    let mut counts: Vec<(&str, f64)> = Vec::new();
    let mut all_met = true;
    for (index, case) in CASES.iter().enumerate() {
        let count = instructions(index)?;
        let of = |name: &str| {
            counts.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, count)| *count)
        };
        let (against, limit, is_met) = match case.budget {
            Budget::None => (String::new(), String::new(), true),
            Budget::Count(limit) => (String::new(), format!("{limit:.0}"), count <= limit),
            Budget::Above(other, limit) => {
                let above = count - of(other);
                (format!("{other}: + {above:.0}"), format!("+ {limit:.0}"), above <= limit)
            }
            Budget::Times(other, limit) => {
                let times = count / of(other);
                (format!("{other}: × {times:.3}"), format!("× {limit:.2}"), times <= limit)
            }
        };
        let verdict = if limit.is_empty() {
            ""
        } else if is_met {
            "met"
        } else {
            "EXCEEDED"
        };
        println!("| {} | {count:.0} | {against} | {limit} | {verdict} |", case.name);
        counts.push((case.name, count));
        all_met &= is_met;
    }
    let [bare, identified, counted] = nanoseconds();
    println!(
        "\nNanoseconds beside {bare:.0} ns bare, fastest of many rounds: `prediction_id` {:.0},",
        identified - bare
    );
    println!("`metrics` {:.0}.", counted - bare);
    Ok(all_met)
}

/// Instructions per call: the count of a program that makes more calls, less that of one that makes
/// fewer.
fn instructions(case: usize) -> Result<f64, Box<dyn Error>> {
    const FEW: u32 = 1_000;
    const MANY: u32 = 3_000;
    let count = |times: u32| -> Result<f64, Box<dyn Error>> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe()?)
            .args([case.to_string(), times.to_string()])
            .output()
            .map_err(|error| format!("valgrind, a Debian package: {error}"))?;
        let report = String::from_utf8_lossy(&output.stderr);
        match report.lines().find_map(|line| line.split_once("Collected :")) {
            Some((_, count)) if output.status.success() => Ok(count.trim().parse()?),
            _ => Err(format!("valgrind has counted nothing: {report}").into()),
        }
    };
    Ok((count(MANY)? - count(FEW)?) / f64::from(MANY - FEW))
}

/// Nanoseconds per prediction, bare, with an id and counted: the fastest of rounds that take turns, so
/// that other load on the machine reaches all of them.
fn nanoseconds() -> [f64; 3] {
    const ROUNDS: u32 = 400;
    const PER_ROUND: u32 = 1_000;
    log_to_nowhere();
    let mut fastest = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        for (fastest, run) in fastest.iter_mut().zip([bare, identified, counted]) {
            let started = Instant::now();
            run(PER_ROUND);
            *fastest = (*fastest).min(started.elapsed());
        }
    }
    fastest.map(|round| round.as_secs_f64() * 1e9 / f64::from(PER_ROUND))
}
