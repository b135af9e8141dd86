//! Charts of the results.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::hostile::Hostile;
use crate::results::{Measurement, Results, Table};
use crate::soak::Soak;
use chart::{Content, Curve, Panel, Picture, Scale, number};

type Value = fn(&Measurement) -> f64;

const REQUESTS: (&str, Value) = ("Requests per second", |m| m.requests_per_second);
const P99: (&str, Value) = ("Latency, 99th percentile, ms", |m| m.p99_ms);
const PAUSED_P99: (&str, Value) = ("Latency, 99th percentile, load with pauses, ms", |m| {
    m.with_pauses.as_ref().map_or(f64::NAN, |paused| paused.p99_ms)
});
const CPU: (&str, Value) = ("CPU time per request, µs", |m| m.cpu_us);
const IDLE: (&str, Value) = ("Resident memory, idle, MiB", |m| m.idle_mib);
const LOADED: (&str, Value) = ("Resident memory, under load, MiB", |m| m.loaded_mib);
const READY: (&str, Value) = ("Start until ready, ms", |m| m.ready_ms);

/// Draws a chart for each part of the results.
pub(crate) fn draw(results: &Results, folder: &Path) -> Result<()> {
    let growth = |title, x, scale, panels: &[(&'static str, Value)], table: &Table| {
        let panels = panels.iter().map(|panel| curves(*panel, x, scale, table)).collect();
        Picture { title, summary: summary(table), panels }
    };
    let pictures = [
        ("comparison.svg", results.comparison.as_ref().map(comparison)),
        (
            "connections.svg",
            results.connections.as_ref().map(|table| {
                let panels = [REQUESTS, P99, CPU, LOADED];
                let title = "From one connection to 256";
                growth(title, "connections", Scale::Logarithmic, &panels, table)
            }),
        ),
        (
            "models.svg",
            results.models.as_ref().map(|table| {
                let panels = [REQUESTS, LOADED, IDLE, READY];
                growth("From one hosted model to 50", "models", Scale::Linear, &panels, table)
            }),
        ),
        (
            "fields.svg",
            results.fields.as_ref().map(|table| {
                let title = "From one logged field to 100, of an input of 100";
                growth(title, "logged fields", Scale::Linear, &[REQUESTS, CPU], table)
            }),
        ),
        ("soak.svg", results.soak.as_ref().map(soak)),
        ("hostile.svg", results.hostile.as_ref().map(hostile)),
    ];
    for (file, picture) in pictures {
        if let Some(picture) = picture {
            fs::write(folder.join(file), picture.to_string())?;
        }
    }
    Ok(())
}

fn summary(table: &Table) -> String {
    let plan = table.plan;
    format!(
        "medians of {} interleaved rounds of {} s, {} cores shared with the load",
        plan.rounds, plan.seconds, table.cores
    )
}

/// Draws a bar per server, with its ratio to the first one, the service.
fn comparison(table: &Table) -> Picture {
    let panel = |(name, value): (&'static str, Value)| {
        let ours = table.rows.first().map_or(f64::NAN, |row| value(&row.medians));
        let bars = table.rows.iter().enumerate().map(|(index, row)| {
            let theirs = value(&row.medians);
            let ratio = ours / theirs;
            let decimals = match ratio {
                10.0.. => 0,
                0.1.. => 2,
                _ => 3,
            };
            let label = match index {
                0 => number(theirs),
                _ => format!("{} (ours: × {ratio:.decimals$})", number(theirs)),
            };
            (row.server.clone(), theirs, label)
        });
        Panel { name, content: Content::Bars(bars.collect()) }
    };
    Picture {
        title: "The service, a bare axum handler and the Python service",
        summary: format!("{} connections, {}", table.plan.connections, summary(table)),
        panels: [REQUESTS, P99, PAUSED_P99, CPU, LOADED, READY].map(panel).into(),
    }
}

fn curves(
    (name, value): (&'static str, Value),
    x: &'static str,
    scale: Scale,
    table: &Table,
) -> Panel {
    let mut servers: Vec<&str> = Vec::new();
    for row in &table.rows {
        if !servers.contains(&row.server.as_str()) {
            servers.push(&row.server);
        }
    }
    let curves = servers.into_iter().map(|server| Curve {
        name: server.to_owned(),
        points: table.of(server).map(|row| (f64::from(row.count), value(&row.medians))).collect(),
        has_marks: true,
    });
    Panel { name, content: Content::Curves { x, scale, curves: curves.collect() } }
}

fn soak(soak: &Soak) -> Picture {
    memory("Memory over a long run", "decorated", soak.answered, &soak.memory_mib)
}

fn hostile(hostile: &Hostile) -> Picture {
    memory("Memory under attack", "demo", hostile.good_answered, &hostile.memory_mib)
}

/// Draws the memory in each second.
fn memory(title: &'static str, server: &str, answered: u64, memory_mib: &[f64]) -> Picture {
    let points = memory_mib.iter().enumerate();
    let points = points.map(|(second, mib)| ((second + 1) as f64 / 60.0, *mib));
    let curve = Curve { name: server.to_owned(), points: points.collect(), has_marks: false };
    Picture {
        title,
        summary: format!("{} answered requests", number(answered as f64)),
        panels: vec![Panel {
            name: "Resident memory, MiB",
            content: Content::Curves { x: "minutes", scale: Scale::Linear, curves: vec![curve] },
        }],
    }
}
