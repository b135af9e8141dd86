//! All measurements.

use std::thread::available_parallelism;

use logging_cost::{CONTENDERS, CONTEXT, SIZES};

use crate::Result;
use crate::check::check;
use crate::child::{Running, allocations, instructions};

/// Numbers of rounds and records.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) records: u64,
    pub(crate) thread_rounds: usize,
}

/// Numbers of threads that log at once.
pub(crate) const THREADS: [u32; 4] = [1, 2, 4, 8];

pub(crate) struct Figures {
    pub(crate) plan: Plan,
    pub(crate) cores: usize,
    /// In the order of [`CONTENDERS`].
    pub(crate) contenders: Vec<Cost>,
    /// ml-logging's and tracing-subscriber's, each in the order of [`SIZES`].
    pub(crate) fields: [Vec<Cost>; 2],
    /// Instructions of a message alone, and those that each field of [`CONTEXT`] adds.
    pub(crate) message: f64,
    pub(crate) context: Vec<f64>,
    /// The cases with several threads, the one with the queue first, and the records per second of the
    /// fastest round for each of [`THREADS`].
    pub(crate) threads: Vec<(&'static str, Vec<f64>)>,
}

/// Cost of one record.
pub(crate) struct Cost {
    pub(crate) fastest: f64,
    pub(crate) median: f64,
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
}

impl Figures {
    pub(crate) fn measure(plan: Plan) -> Result<Self> {
        let names: Vec<_> = CONTENDERS.iter().map(|contender| contender.name.to_owned()).collect();
        let contenders = costs(&names, plan, true)?;
        let sizes = |prefix: &str| SIZES.map(|size| format!("fields/{prefix}{size}"));
        let cases: Vec<_> = sizes("").into_iter().chain(sizes("theirs/")).collect();
        let mut ours = costs(&cases, plan, false)?;
        let theirs = ours.split_off(SIZES.len());
        eprintln!("fields of the context");
        let message = instructions("context/")?;
        let context = CONTEXT.map(|name| instructions(&format!("context/{name}")));
        let context = context.into_iter().map(|cost| Ok(cost? - message)).collect::<Result<_>>()?;
        Ok(Self {
            plan,
            cores: available_parallelism()?.get(),
            contenders,
            fields: [ours, theirs],
            message,
            context,
            threads: threads(plan)?,
        })
    }
}

/// Measures all cases. The rounds are interleaved, so that other load on the machine affects all cases alike.
fn costs(cases: &[String], plan: Plan, checked: bool) -> Result<Vec<Cost>> {
    let mut running = Vec::new();
    for case in cases {
        let started = Running::start(case).map_err(|error| format!("{case}: {error}"))?;
        if checked {
            check(&started.line, started.id()).map_err(|error| format!("{case}: {error}"))?;
        }
        running.push(started);
    }
    let mut turns = vec![Vec::new(); cases.len()];
    for round in 0..plan.rounds {
        if round % 10 == 0 {
            eprintln!("round {} of {}", round + 1, plan.rounds);
        }
        for ((case, running), turns) in cases.iter().zip(&mut running).zip(&mut turns) {
            let turn = running.turn(plan.records, 1);
            turns.push(turn.map_err(|error| format!("{case}: {error}"))?);
        }
    }
    drop(running);
    let counted = cases.iter().zip(&mut turns).map(|(case, turns)| {
        eprintln!("instructions and allocations of {case}");
        turns.sort_by(f64::total_cmp);
        Ok(Cost {
            fastest: turns.first().copied().unwrap_or(f64::NAN),
            median: turns.get(turns.len() / 2).copied().unwrap_or(f64::NAN),
            instructions: instructions(case)?,
            allocations: allocations(case)?,
        })
    });
    counted.collect()
}

fn threads(plan: Plan) -> Result<Vec<(&'static str, Vec<f64>)>> {
    const CASES: [(&str, &str); 4] = [
        ("ml-logging, queue and file", "queue"),
        ("ml-logging", "ml-logging"),
        ("slog-json", "slog-json"),
        ("tracing-subscriber", "tracing-subscriber"),
    ];
    let mut running = Vec::new();
    for (_, case) in CASES {
        running.push(Running::start(case)?);
    }
    let mut turns = vec![[const { Vec::new() }; THREADS.len()]; CASES.len()];
    for round in 0..plan.thread_rounds {
        eprintln!("round {} of {} of several threads", round + 1, plan.thread_rounds);
        for (running, turns) in running.iter_mut().zip(&mut turns) {
            for (threads, turns) in THREADS.into_iter().zip(turns) {
                turns.push(running.turn(2 * plan.records, threads)?);
            }
        }
    }
    let fastest = turns.into_iter().map(|turns| {
        let of = |turns: Vec<f64>| 1e9 / turns.into_iter().fold(f64::INFINITY, f64::min);
        turns.into_iter().map(of).collect()
    });
    Ok(CASES.into_iter().map(|(name, _)| name).zip(fastest).collect())
}
