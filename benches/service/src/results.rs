//! The results file, `service.json`. Each task replaces its own part of it.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::hostile::Hostile;
use crate::measure::Plan;
use crate::soak::Soak;

const FILE: &str = "service.json";

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) comparison: Option<Table>,
    pub(crate) connections: Option<Table>,
    pub(crate) models: Option<Table>,
    pub(crate) fields: Option<Table>,
    pub(crate) soak: Option<Soak>,
    pub(crate) hostile: Option<Hostile>,
}

impl Results {
    /// Reads the results file of a folder; empty if the file does not exist.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(FILE);
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&file)?;
        Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(fs::write(folder.join(FILE), text)?)
    }
}

/// Measurements of one run. They are comparable with each other only.
#[derive(Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) plan: Plan,
    pub(crate) cores: usize,
    pub(crate) rows: Vec<Row>,
}

/// Medians of one server at one point of a curve.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) server: String,
    /// Number of connections, models or logged fields.
    pub(crate) count: u32,
    #[serde(flatten)]
    pub(crate) medians: Measurement,
}

/// Measurement of one server under one load.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// CPU time of the server per request, in microseconds. On a shared machine it varies less than the
    /// other values.
    pub(crate) cpu_us: f64,
    /// Resident memory before the first request.
    pub(crate) idle_mib: f64,
    /// Maximum resident memory under load.
    pub(crate) loaded_mib: f64,
    /// Time from the start of the program to its first successful readiness check.
    pub(crate) ready_ms: f64,
    /// The same load with pauses, if measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) with_pauses: Option<Paused>,
}

/// Measurement with pauses between requests. Servers that keep up get the same rate, so the latency is that
/// of the server rather than of the scheduler.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Each service, and the peer that it is compared with.
const PEERS: [(&str, &str); 4] = [
    ("decorated", "bare"),
    ("guarded", "bare"),
    ("blocking", "bare-blocking"),
    ("decorated", "python"),
];

impl Table {
    pub(crate) fn of<'t>(&'t self, server: &'t str) -> impl Iterator<Item = &'t Row> {
        self.rows.iter().filter(move |row| row.server == server)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { rounds, seconds, connections } = self.plan;
        writeln!(
            f,
            "\nMedians of {rounds} rounds of {seconds} s, {connections} connections unless they \
             vary, {} cores shared with the load:\n",
            self.cores
        )?;
        writeln!(
            f,
            "| server | of | requests/s | p50, ms | p99, ms | CPU, µs/request | idle, MiB | loaded, MiB | ready, ms | with pauses: requests/s | p50, ms | p99, ms |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|---|")?;
        for Row { server, count, medians: m } in &self.rows {
            write!(
                f,
                "| {server} | {count} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} | {:.1} |",
                m.requests_per_second,
                m.p50_ms,
                m.p99_ms,
                m.cpu_us,
                m.idle_mib,
                m.loaded_mib,
                m.ready_ms
            )?;
            match &m.with_pauses {
                Some(p) => writeln!(
                    f,
                    " {:.0} | {:.2} | {:.2} |",
                    p.requests_per_second, p.p50_ms, p.p99_ms
                )?,
                None => writeln!(f, " | | |")?,
            }
        }
        let mut ratios = Vec::new();
        for (ours, other) in PEERS {
            for ours in self.of(ours) {
                let others = self.of(other).filter(|other| other.count == ours.count);
                ratios.extend(others.map(|other| (ours, other)));
            }
        }
        if ratios.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n| ratio | of | requests/s | p50 | p99 | CPU | idle | loaded | ready | with pauses: p50 | p99 |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|")?;
        for (ours, other) in ratios {
            let (a, b) = (&ours.medians, &other.medians);
            write!(
                f,
                "| {} / {} | {} | {:.3} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
                ours.server,
                other.server,
                ours.count,
                a.requests_per_second / b.requests_per_second,
                a.p50_ms / b.p50_ms,
                a.p99_ms / b.p99_ms,
                a.cpu_us / b.cpu_us,
                a.idle_mib / b.idle_mib,
                a.loaded_mib / b.loaded_mib,
                a.ready_ms / b.ready_ms
            )?;
            match (&a.with_pauses, &b.with_pauses) {
                (Some(a), Some(b)) => {
                    writeln!(f, " {:.2} | {:.2} |", a.p50_ms / b.p50_ms, a.p99_ms / b.p99_ms)?;
                }
                _ => writeln!(f, " | |")?,
            }
        }
        Ok(())
    }
}
