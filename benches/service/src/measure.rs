//! Interleaved rounds and their medians. Interleaving spreads other load on the machine over all servers.

use std::fs;
use std::thread::available_parallelism;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::progress::Progress;
use crate::results::{Measurement, Paused, Row, Table};
use crate::server::{Server, Spec};
use crate::wrk::{self, Load};
use crate::{Result, log};

/// Pauses of [`Measurement::with_pauses`]. At 32 connections they leave two cores idle more than half of
/// the time.
const PAUSE_MS: u32 = 1;

/// Numbers of rounds, seconds and connections.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
    pub(crate) connections: u32,
}

/// One server under one load.
struct Run {
    server: &'static str,
    count: u32,
    spec: Spec,
    load: Load,
    connections: u32,
    /// Whether the latency with pauses is measured too.
    with_pauses: bool,
}

/// Measures the trivial model on each server.
pub(crate) fn compare(specs: Vec<Spec>, plan: Plan) -> Result<Table> {
    let runs = specs.into_iter().map(|spec| Run {
        server: spec.name,
        count: 1,
        spec,
        load: Load::trivial(),
        connections: plan.connections,
        with_pauses: true,
    });
    measure(&runs.collect::<Vec<_>>(), plan)
}

/// Measures growing numbers of connections.
pub(crate) fn connections(plan: Plan) -> Result<Table> {
    let counts = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    let runs = counts.into_iter().flat_map(|count| {
        [Spec::decorated(), Spec::bare()].map(|spec| Run {
            server: spec.name,
            count,
            spec,
            load: Load::trivial(),
            connections: count,
            with_pauses: false,
        })
    });
    measure(&runs.collect::<Vec<_>>(), plan)
}

/// Measures growing numbers of models; the requests rotate over the models.
pub(crate) fn models(plan: Plan) -> Result<Table> {
    let runs = [1, 2, 5, 10, 20, 30, 40, 50].map(|count| {
        let paths = (0..count).map(|model| format!("/api/models/model{model:02}/prediction"));
        Run {
            server: "decorated",
            count,
            spec: Spec::many_models(count),
            load: Load { paths: paths.collect(), ..Load::trivial() },
            connections: plan.connections,
            with_pauses: false,
        }
    });
    measure(&runs, plan)
}

/// Measures growing numbers of logged fields of the same input.
pub(crate) fn fields(plan: Plan) -> Result<Table> {
    let members: Vec<_> = (0..100).map(|field| format!("\"f{field:02}\":{field}.5")).collect();
    let runs = [1, 10, 50, 100].map(|count| Run {
        server: "decorated",
        count,
        spec: Spec::many_fields(count),
        load: Load {
            body: format!("{{{}}}", members.join(",")),
            paths: vec!["/api/models/fields_model/prediction".to_owned()],
            pause_ms: None,
        },
        connections: plan.connections,
        with_pauses: false,
    });
    measure(&runs, plan)
}

fn measure(runs: &[Run], plan: Plan) -> Result<Table> {
    let progress = Progress::new(u64::from(plan.rounds) * runs.len() as u64);
    let mut measurements = vec![Vec::new(); runs.len()];
    for _round in 0..plan.rounds {
        for (run, measurements) in runs.iter().zip(&mut measurements) {
            progress.step(&format!("{} of {}", run.server, run.count));
            let measurement = turn(run, plan.seconds);
            let measurement = measurement.map_err(|error| format!("{}: {error}", run.server))?;
            measurements.push(measurement);
            progress.done();
        }
    }
    let rows = runs.iter().zip(&measurements).map(|(run, measurements)| Row {
        server: run.server.to_owned(),
        count: run.count,
        medians: medians(measurements),
    });
    Ok(Table { plan, cores: available_parallelism()?.get(), rows: rows.collect() })
}

/// Runs one server under one load and checks its log.
fn turn(run: &Run, seconds: u32) -> Result<Measurement> {
    let server = Server::start(&run.spec)?;
    let (log, ready_after) = (server.log.clone(), server.ready_after);
    let idle_mib = server.memory().resident()?;
    let warm_up = wrk::run(server.address, &run.load, run.connections, 1)?;
    let watch = server.memory().watch(Duration::from_millis(200));
    let cpu_before = server.cpu_time()?;
    let outcome = wrk::run(server.address, &run.load, run.connections, seconds)?;
    let cpu = server.cpu_time()? - cpu_before;
    let samples = watch.stop()?;
    let mut runs = vec![warm_up.requests, outcome.requests];
    let with_pauses = match run.with_pauses {
        true => {
            let load = Load { pause_ms: Some(PAUSE_MS), ..run.load.clone() };
            let outcome = wrk::run(server.address, &load, run.connections, seconds)?;
            runs.push(outcome.requests);
            Some(Paused {
                requests_per_second: outcome.requests_per_second(),
                p50_ms: outcome.p50_ms(),
                p99_ms: outcome.p99_ms(),
            })
        }
        false => None,
    };
    server.stop()?;
    if run.spec.logs {
        // At the end of each load every connection may have one abandoned request.
        let abandoned = runs.len() as u64 * u64::from(run.connections);
        log::check(&log, runs.iter().sum(), abandoned)?;
    }
    fs::remove_file(log)?;
    Ok(Measurement {
        requests_per_second: outcome.requests_per_second(),
        p50_ms: outcome.p50_ms(),
        p99_ms: outcome.p99_ms(),
        cpu_us: cpu.as_secs_f64() * 1e6 / outcome.requests as f64,
        idle_mib,
        loaded_mib: samples.into_iter().fold(idle_mib, f64::max),
        ready_ms: ready_after.as_secs_f64() * 1e3,
        with_pauses,
    })
}

fn medians(measurements: &[Measurement]) -> Measurement {
    let of = |value: fn(&Measurement) -> f64| rounded(median(measurements.iter().map(value)));
    Measurement {
        requests_per_second: of(|m| m.requests_per_second),
        p50_ms: of(|m| m.p50_ms),
        p99_ms: of(|m| m.p99_ms),
        cpu_us: of(|m| m.cpu_us),
        idle_mib: of(|m| m.idle_mib),
        loaded_mib: of(|m| m.loaded_mib),
        ready_ms: of(|m| m.ready_ms),
        with_pauses: measurements.iter().all(|m| m.with_pauses.is_some()).then(|| {
            let of = |value: fn(&Paused) -> f64| {
                let paused = measurements.iter().filter_map(|m| m.with_pauses.as_ref());
                rounded(median(paused.map(value)))
            };
            Paused {
                requests_per_second: of(|m| m.requests_per_second),
                p50_ms: of(|m| m.p50_ms),
                p99_ms: of(|m| m.p99_ms),
            }
        }),
    }
}

/// Rounds to three decimals.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Returns the median; NaN without values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 0 => f64::midpoint(values[length / 2 - 1], values[length / 2]),
        length => values[length / 2],
    }
}
