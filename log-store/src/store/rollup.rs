//! Roll-ups: counts, latencies and values of fields per minute and per hour.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rusqlite::{Connection, OptionalExtension, params};

use super::histogram::Histogram;
use super::names::{LATENCY, Names};
use crate::record::{text, written_members};

/// Width of the narrow roll-ups in seconds.
pub(crate) const MINUTE_S: i64 = 60;
/// Width of the wide roll-ups in seconds.
pub(crate) const HOUR_S: i64 = 3600;

/// Roll-ups of the predictions of one transaction.
#[derive(Default)]
pub(crate) struct Rollups {
    /// By the minute of the day and the series.
    minutes: HashMap<(i64, u32), Rollup, RandomState>,
}

/// Counts of one series in one span of time.
#[derive(Default)]
struct Rollup {
    count: u64,
    weight: f64,
    /// By the number of the field.
    fields: Vec<Histogram>,
}

impl Rollup {
    fn field(&mut self, number: u32) -> &mut Histogram {
        let index = number as usize;
        if index >= self.fields.len() {
            self.fields.resize_with(index + 1, Histogram::default);
        }
        &mut self.fields[index]
    }
}

/// Logged fields of a prediction.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) inputs: &'a str,
    pub(crate) outputs: &'a str,
}

impl Rollups {
    /// Counts an answered prediction. `at` is in microseconds since the start of the day.
    pub(crate) fn count(&mut self, at: i64, series: u32, weight: f64, duration_ns: Option<i64>) {
        let rollup = self.minutes.entry((minute(at), series)).or_default();
        rollup.count += 1;
        rollup.weight += weight;
        let latency = rollup.field(LATENCY);
        if let Some(duration) = duration_ns {
            latency.add_number(duration as f64 / 1e6);
        }
    }

    /// Counts the values of the logged fields of a prediction.
    pub(crate) fn add_fields(
        &mut self,
        at: i64,
        series: u32,
        fields: Fields<'_>,
        names: &mut Names,
    ) {
        let rollup = self.minutes.entry((minute(at), series)).or_default();
        for (object, is_output) in [(fields.inputs, false), (fields.outputs, true)] {
            for (name, value) in written_members(object) {
                let Some(field) = names.field(name, is_output) else { continue };
                match value.as_bytes()[0] {
                    b'n' => rollup.field(field).nulls += 1,
                    b'"' => {
                        let Some(value) = text(value) else { continue };
                        let category = names.category(field, &value);
                        rollup.field(field).add_text(category);
                    }
                    b't' | b'f' => {
                        let category = names.category(field, value);
                        rollup.field(field).add_text(category);
                    }
                    b'{' | b'[' => {}
                    _ => {
                        if let Ok(number) = value.parse() {
                            rollup.field(field).add_number(number);
                        }
                    }
                }
            }
        }
    }

    /// Adds the roll-ups to those of a file.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut hours: HashMap<(i64, u32), Rollup> = HashMap::new();
        for ((minute, series), rollup) in &self.minutes {
            let hour = hours.entry((*minute / HOUR_S * HOUR_S, *series)).or_default();
            hour.count += rollup.count;
            hour.weight += rollup.weight;
            for (number, histogram) in rollup.fields.iter().enumerate() {
                hour.field(number as u32).add_all(histogram);
            }
        }
        let mut find = connection.prepare(
            "SELECT histogram FROM rollups WHERE width = ? AND field = ? AND start = ? AND series = ?",
        )?;
        let mut put = connection.prepare(
            "INSERT INTO rollups (width, field, start, series, count, weight, histogram) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE \
             SET count = count + ?5, weight = weight + ?6, histogram = ?7",
        )?;
        let minutes = self.minutes.iter().map(|(key, rollup)| (MINUTE_S, key, rollup));
        let hours = hours.iter().map(|(key, rollup)| (HOUR_S, key, rollup));
        for (width, (start, series), rollup) in minutes.chain(hours) {
            for (field, histogram) in rollup.fields.iter().enumerate() {
                let field = field as u32;
                if field != LATENCY && *histogram == Histogram::default() {
                    continue;
                }
                let key = params![width, field, start, series];
                let before: Option<Vec<u8>> = find.query_row(key, |row| row.get(0)).optional()?;
                let mut sum = before.as_deref().and_then(Histogram::decode).unwrap_or_default();
                sum.add_all(histogram);
                let (count, weight) = (rollup.count as i64, rollup.weight);
                put.execute(params![width, field, start, series, count, weight, sum.encode()])?;
            }
        }
        Ok(())
    }
}

/// Returns the start of a minute in seconds since the start of the day.
fn minute(at: i64) -> i64 {
    at.div_euclid(1_000_000 * MINUTE_S) * MINUTE_S
}
