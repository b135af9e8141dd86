//! Roll-ups of a range, restricted to a model, a version or an instance.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, params};

use super::reader::{QueryError, Reader};
use super::time_range::TimeRange;
use crate::store::Day;
use crate::store::histogram::{Histogram, bounds};
use crate::store::rollup::{HOUR_S, MINUTE_S};

/// Restriction to a part of the predictions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) model: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) instance: Option<String>,
}

impl Scope {
    pub(super) fn has(&self, model: &str, version: &str, instance: &str) -> bool {
        let has = |wanted: &Option<String>, own: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == own)
        };
        has(&self.model, model) && has(&self.version, version) && has(&self.instance, instance)
    }
}

/// Predictions with the same model, version, instance and status.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) model: String,
    pub(super) version: String,
    pub(super) instance: String,
    pub(super) status: i64,
}

/// A roll-up of one series.
pub(super) struct Rollup<'a> {
    pub(super) series: &'a Series,
    /// Start in seconds since 1970.
    pub(super) start: i64,
    pub(super) count: u64,
    pub(super) weight: f64,
    pub(super) histogram: Histogram,
}

/// Returns the width of the roll-ups that answer questions about a range, in seconds.
pub(super) fn width(range: TimeRange) -> i64 {
    const LONGEST_OF_MINUTES_US: i64 = 49 * HOUR_S * 1_000_000;
    if range.to.saturating_sub(range.from) > LONGEST_OF_MINUTES_US { HOUR_S } else { MINUTE_S }
}

/// Reads the roll-ups of a field in a range; `number` finds the field's number in a file.
pub(super) fn read_rollups(
    reader: &Reader,
    range: TimeRange,
    scope: &Scope,
    number: impl Fn(&Connection) -> rusqlite::Result<Option<u32>>,
    mut take: impl FnMut(&Connection, Rollup<'_>) -> rusqlite::Result<()>,
) -> Result<(), QueryError> {
    let width = width(range);
    for day in reader.days(range)? {
        reader.read(day, |connection| {
            let Some(number) = number(connection)? else { return Ok(()) };
            let series = series(connection, scope)?;
            let (from, to) = seconds_of_day(day, range, width);
            let sql = "SELECT start, series, count, weight, histogram FROM rollups \
                       WHERE width = ? AND field = ? AND start >= ? AND start < ?";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query(params![width, number, from, to])?;
            while let Some(row) = rows.next()? {
                let Some(series) = series.get(&row.get(1)?) else { continue };
                let start = day.start() / 1_000_000 + row.get::<_, i64>(0)?;
                let count: i64 = row.get(2)?;
                let histogram = row.get_ref(4)?.as_blob().ok().and_then(Histogram::decode);
                take(
                    connection,
                    Rollup {
                        series,
                        start,
                        count: count as u64,
                        weight: row.get(3)?,
                        histogram: histogram.unwrap_or_default(),
                    },
                )?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn series(connection: &Connection, scope: &Scope) -> rusqlite::Result<HashMap<i64, Series>> {
    let mut statement =
        connection.prepare("SELECT id, model, version, instance, status FROM series")?;
    let rows = statement.query_map([], |row| {
        let [model, version, instance] = [row.get(1)?, row.get(2)?, row.get(3)?];
        Ok((row.get(0)?, Series { model, version, instance, status: row.get(4)? }))
    })?;
    let in_scope = rows.filter(|row| {
        row.as_ref().is_ok_and(|(_, Series { model, version, instance, .. })| {
            scope.has(model, version, instance)
        })
    });
    in_scope.collect()
}

/// Returns the part of a range that lies in a day, in seconds since its start, from the start of a
/// roll-up.
fn seconds_of_day(day: Day, range: TimeRange, width: i64) -> (i64, i64) {
    let from = (range.from.max(day.start()) - day.start()) / 1_000_000;
    let to = (range.to - day.start()).min(crate::store::DAY_US);
    (from / width * width, to.div_euclid(1_000_000) + 1)
}

/// Counts that stand for all predictions, the ones that a logger has left out included.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighted {
    pub(super) numbers: BTreeMap<i32, f64>,
    pub(super) nulls: f64,
}

impl Weighted {
    /// Adds the counts of a histogram, each multiplied with a weight.
    pub(super) fn add(&mut self, histogram: &Histogram, weight: f64) {
        for (bucket, count) in &histogram.numbers {
            *self.numbers.entry(*bucket).or_default() += *count as f64 * weight;
        }
        self.nulls += histogram.nulls as f64 * weight;
    }

    /// Adds other counts.
    pub(super) fn add_all(&mut self, other: &Self) {
        for (bucket, weight) in &other.numbers {
            *self.numbers.entry(*bucket).or_default() += weight;
        }
        self.nulls += other.nulls;
    }

    /// Returns the number of numbers.
    pub(super) fn total(&self) -> f64 {
        self.numbers.values().sum()
    }

    /// Returns the number below which a share of the numbers lies; `None` if there are none. It is the
    /// integer or the middle of a bucket.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = self.total() * share;
        let mut sum = 0.0;
        for (bucket, weight) in &self.numbers {
            sum += weight;
            if sum >= wanted {
                let (low, high) = bounds(*bucket);
                let is_integer = low.fract() == 0.0 && high - low <= 1.0;
                return Some(rounded(if is_integer { low } else { (low + high) / 2.0 }));
            }
        }
        None
    }
}

impl Rollup<'_> {
    /// Returns how many predictions each counted one stands for.
    pub(super) fn weight_of_one(&self) -> f64 {
        if self.count == 0 { 1.0 } else { self.weight / self.count as f64 }
    }
}

/// Rounds to four digits, which is more than a bucket knows.
pub(super) fn rounded(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let scale = 10_f64.powi(3 - number.abs().log10().floor() as i32);
    if scale.is_finite() && scale > 0.0 { (number * scale).round() / scale } else { number }
}
