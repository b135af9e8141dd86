//! Measures the cost of one more model: compile time and size of a crate with a hundred annotated models,
//! beside a crate with the same behaviour by hand. Prints the figures beside their budgets, and fails if
//! one is above its limit.
//!
//! `cargo run --release -p model-cost`; the first run builds the dependencies.

#![cfg(unix)]

mod compiler;
mod generate;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::{Command, ExitCode};

use indicatif::ProgressBar;

use compiler::Workspace;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Times that each crate is compiled. The shortest time counts.
const ROUNDS: usize = 3;

/// How the models of a crate are observed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Annotated,
    ByHand,
}

/// A generated crate.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) models: usize,
}

const MANY: usize = 100;
const FEW: usize = 10;

const PACKAGES: [Package; 4] = [
    Package { name: "annotated", kind: Kind::Annotated, models: MANY },
    Package { name: "by-hand", kind: Kind::ByHand, models: MANY },
    Package { name: "few-annotated", kind: Kind::Annotated, models: FEW },
    Package { name: "few-by-hand", kind: Kind::ByHand, models: FEW },
];

fn main() -> ExitCode {
    let result = compiler::run_as_wrapper()
        .and_then(|is_wrapper| if is_wrapper { Ok(true) } else { report() });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the figures. Returns whether all are within their limits.
fn report() -> Result<bool> {
    let target = compiler::target()?.join("models");
    let workspace = Workspace { folder: target.join("crates"), target };
    generate::write(&workspace.folder, &PACKAGES)?;
    let steps: Vec<_> = (0..ROUNDS).flat_map(round).collect();
    let progress = ProgressBar::new(steps.len() as u64);
    let mut seconds = BTreeMap::new();
    for (command, package) in steps {
        if progress.is_hidden() {
            eprintln!("cargo {} of {package}", command.join(" "));
        }
        let measured = workspace.cpu_seconds(command, package)?;
        let fastest = seconds.entry((command, package)).or_insert(f64::MAX);
        *fastest = measured.min(*fastest);
        progress.inc(1);
    }
    progress.finish_and_clear();
    compare_output(&workspace)?;

    println!("| {MANY} models of 20 fields | annotated | by hand | ratio | limit | |");
    println!("|---|---|---|---|---|---|");
    let mut all_met = true;
    let mut row = |what: &str, [annotated, by_hand]: [f64; 2], decimals, limit: Option<f64>| {
        let ratio = annotated / by_hand;
        let (limit, verdict) = match limit {
            Some(limit) if ratio <= limit => (format!("× {limit}"), "met"),
            Some(limit) => {
                all_met = false;
                (format!("× {limit}"), "EXCEEDED")
            }
            None => (String::new(), ""),
        };
        println!(
            "| {what} | {annotated:.decimals$} | {by_hand:.decimals$} | × {ratio:.2} | {limit} | {verdict} |"
        );
    };
    let of = |command| ["annotated", "by-hand"].map(|package| seconds[&(command, package)]);
    row("`cargo check`, CPU seconds", of(CHECK), 2, Some(0.8));
    row("`cargo build --release`, CPU seconds", of(BUILD), 2, Some(1.25));
    let sizes = |prefix: &str| -> Result<[f64; 2]> {
        let size = |name: &str| workspace.size(&format!("{prefix}{name}"));
        Ok([size("annotated")?, size("by-hand")?])
    };
    let (many, few) = (sizes("")?, sizes("few-")?);
    row("program, bytes", many, 0, Some(1.25));
    let per_model = |index: usize| (many[index] - few[index]) / (MANY - FEW) as f64;
    row("each further model, bytes", [per_model(0), per_model(1)], 0, None);
    Ok(all_met)
}

const CHECK: &[&str] = &["check"];
const BUILD: &[&str] = &["build", "--release"];

/// Returns the commands of a round. The crates take turns, so that other load reaches all of them. Those with a
/// few models are built once, for their size.
fn round(number: usize) -> Vec<(&'static [&'static str], &'static str)> {
    let many = || PACKAGES.iter().filter(|package| package.models == MANY);
    let few = PACKAGES.iter().filter(|package| package.models != MANY && number == 0);
    let checks = many().map(|package| (CHECK, package.name));
    checks.chain(few.chain(many()).map(|package| (BUILD, package.name))).collect()
}

/// Fails if the two programs do not print the same.
fn compare_output(workspace: &Workspace) -> Result<()> {
    let [annotated, by_hand] = ["annotated", "by-hand"].map(|package| -> Result<Vec<String>> {
        let output = Command::new(workspace.program(package)).output()?;
        let text = String::from_utf8(output.stdout)?;
        if !output.status.success() || text.is_empty() {
            return Err(format!("{package} has failed: {}", output.status).into());
        }
        Ok(text.lines().map(without_chance).collect())
    });
    let (annotated, by_hand) = (annotated?, by_hand?);
    let mut pairs = annotated.iter().zip(&by_hand);
    if let Some((annotated, by_hand)) = pairs.find(|(annotated, by_hand)| annotated != by_hand) {
        let message = format!("the programs differ:\nannotated: {annotated}\nby hand: {by_hand}");
        return Err(message.into());
    }
    if annotated.len() != by_hand.len() {
        return Err("one of the programs prints more than the other".into());
    }
    Ok(())
}

/// Replaces what differs between two runs of one program: random ids and durations.
fn without_chance(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let (key, value) = word.split_once('=').map_or(("", word), |(key, value)| (key, value));
        let is_uuid = value.len() == 36 && value.matches('-').count() == 4;
        if is_uuid || key == "duration_ms" { format!("{key}=*") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}
