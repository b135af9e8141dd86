//! Counts and latencies over time.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Serialize;

use super::reader::{QueryError, Reader};
use super::row::{templates, timestamp};
use super::series::{Rollup, Scope, Weighted, read_rollups, width};
use super::time_range::TimeRange;
use crate::store::Day;
use crate::store::day_file::ERROR;

/// Maximum number of points of a chart.
const POINTS: i64 = 300;
/// Widths of a point in seconds: minutes and hours that divide a day.
const STEPS: [i64; 16] = [
    60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_419_200,
];
/// Maximum number of instances with counts over time.
const INSTANCES: usize = 50;
/// Maximum number of pending predictions that are counted one by one.
const PENDING: i64 = 100_000;

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Width of a point in seconds.
    pub(crate) step_s: i64,
    pub(crate) totals: Totals,
    pub(crate) points: Vec<Point>,
    pub(crate) models: Vec<Group>,
    pub(crate) instances: Vec<Group>,
}

/// Counts of a span of time or of a group. They stand for all predictions: those of a sampled logger count
/// as many as they stand for.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) success: u64,
    pub(crate) error: u64,
    pub(crate) pending: u64,
    pub(crate) latency_ms: Latency,
}

/// Quantiles of the duration. They are exact to 1/32.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
}

/// A span of time.
#[derive(Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) at: String,
    #[serde(flatten)]
    pub(crate) totals: Totals,
}

/// Predictions of a model and version, or of an instance.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    #[serde(flatten)]
    pub(crate) totals: Totals,
    /// Predictions per point. Models have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) counts: Vec<u64>,
}

#[derive(Clone, Default)]
struct Sum {
    success: f64,
    error: f64,
    pending: u64,
    latency: Weighted,
}

impl Sum {
    fn add(&mut self, rollup: &Rollup<'_>) {
        let count = if rollup.series.status == ERROR { &mut self.error } else { &mut self.success };
        *count += rollup.weight;
        self.latency.add(&rollup.histogram, rollup.weight_of_one());
    }

    fn add_all(&mut self, other: &Self) {
        self.success += other.success;
        self.error += other.error;
        self.pending += other.pending;
        self.latency.add_all(&other.latency);
    }

    fn totals(&self) -> Totals {
        let quantile = |share| self.latency.quantile(share);
        Totals {
            success: self.success.round() as u64,
            error: self.error.round() as u64,
            pending: self.pending,
            latency_ms: Latency { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
        }
    }
}

/// Counts the predictions of a range.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn overview(
    reader: &Reader,
    range: TimeRange,
    scope: &Scope,
) -> Result<Overview, QueryError> {
    let range = clipped(reader, range)?;
    let seconds = (range.to - range.from) / 1_000_000;
    let is_wide_enough = |step: &i64| *step >= width(range) && seconds / step < POINTS;
    let step = STEPS.into_iter().find(is_wide_enough).unwrap_or(STEPS[STEPS.len() - 1]);
    let first = (range.from / 1_000_000).div_euclid(step) * step;
    let points = (((range.to - 1) / 1_000_000 - first) / step + 1).clamp(0, 2 * POINTS) as usize;
    let mut sums = vec![Sum::default(); points];
    let mut instances: BTreeMap<String, (Sum, Vec<f64>)> = BTreeMap::new();
    let mut models: BTreeMap<(String, String), Sum> = BTreeMap::new();
    let index = |start: i64| ((start - first) / step) as usize;
    read_rollups(
        reader,
        range,
        scope,
        |_| Ok(Some(0)),
        |_, rollup| {
            let index = index(rollup.start);
            let Some(sum) = sums.get_mut(index) else { return Ok(()) };
            sum.add(&rollup);
            let series = rollup.series;
            if let Some(sum) = models.get_mut(&(series.model.clone(), series.version.clone())) {
                sum.add(&rollup);
            } else {
                models
                    .entry((series.model.clone(), series.version.clone()))
                    .or_default()
                    .add(&rollup);
            }
            let (sum, counts) = instances
                .entry(series.instance.clone())
                .or_insert_with(|| (Sum::default(), vec![0.0; points]));
            sum.add(&rollup);
            counts[index] += rollup.weight;
            Ok(())
        },
    )?;
    for day in reader.days(range)? {
        let pending = reader.read(day, |connection| pending(connection, day, range, scope))?;
        for (at, model, version, instance) in pending.unwrap_or_default() {
            if let Some(sum) = sums.get_mut(index(at / 1_000_000)) {
                sum.pending += 1;
            }
            models.entry((model, version)).or_default().pending += 1;
            let empty = || (Sum::default(), vec![0.0; points]);
            instances.entry(instance).or_insert_with(empty).0.pending += 1;
        }
    }
    let mut total = Sum::default();
    sums.iter().for_each(|sum| total.add_all(sum));
    let points = sums.iter().enumerate().map(|(index, sum)| Point {
        at: timestamp((first + index as i64 * step) * 1_000_000),
        totals: sum.totals(),
    });
    let mut instances: Vec<_> = instances
        .into_iter()
        .map(|(instance, (sum, counts))| Group {
            model: None,
            version: None,
            instance: Some(instance),
            totals: sum.totals(),
            counts: counts.into_iter().map(|count| count.round() as u64).collect(),
        })
        .collect();
    instances.sort_by_key(|group| std::cmp::Reverse(group.totals.success + group.totals.error));
    instances.truncate(INSTANCES);
    let models = models.into_iter().map(|((model, version), sum)| Group {
        model: Some(model),
        version: Some(version),
        instance: None,
        totals: sum.totals(),
        counts: Vec::new(),
    });
    Ok(Overview {
        from: timestamp(range.from),
        to: timestamp(range.to),
        step_s: step,
        totals: total.totals(),
        points: points.collect(),
        models: models.collect(),
        instances,
    })
}

/// Restricts a range to the days of the store, so that the number of points is bounded.
fn clipped(reader: &Reader, range: TimeRange) -> Result<TimeRange, QueryError> {
    let days = reader.days(range)?;
    let (Some(last), Some(first)) = (days.first(), days.last()) else { return Ok(range) };
    let is_long = range.to - range.from > crate::store::DAY_US * 400;
    Ok(if is_long {
        TimeRange { from: range.from.max(first.start()), to: range.to.min(Day(last.0 + 1).start()) }
    } else {
        range
    })
}

type Pending = (i64, String, String, String);

fn pending(
    connection: &Connection,
    day: Day,
    range: TimeRange,
    scope: &Scope,
) -> rusqlite::Result<Vec<Pending>> {
    let templates = templates(connection)?;
    let sql = "SELECT at, request FROM predictions INDEXED BY open_predictions \
               WHERE (request IS NULL OR answer IS NULL) AND answer IS NULL AND at >= ? AND at < ? LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let start = day.start();
    let mut rows = statement.query(params![range.from - start, range.to - start, PENDING])?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(template) = templates.get(&row.get(1)?) else { continue };
        if scope.has(&template.model, &template.version, &template.instance) {
            let (model, version) = (template.model.clone(), template.version.clone());
            pending.push((
                start + row.get::<_, i64>(0)?,
                model,
                version,
                template.instance.clone(),
            ));
        }
    }
    Ok(pending)
}
