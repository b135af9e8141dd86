//! Values of a logged field, and their drift against the span of time before.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::reader::{QueryError, Reader};
use super::row::timestamp;
use super::series::{Scope, Weighted, read_rollups, rounded};
use super::time_range::TimeRange;
use crate::store::histogram::bounds;

/// Number of bars of a distribution.
const BARS: usize = 30;
/// Number of texts of a distribution. Further ones are shown together.
const TEXTS: usize = 30;
/// Least share of a bin in the population stability index: an empty bin has no logarithm.
const LEAST_SHARE: f64 = 1e-4;
const OTHER: &str = "(other)";

/// A field that the store has seen.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FieldName {
    pub(crate) name: String,
    /// `input` or `output`.
    pub(crate) side: &'static str,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) side: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Start of the span that the values are compared with. It ends at `from`.
    pub(crate) before_from: String,
    pub(crate) count: u64,
    pub(crate) before_count: u64,
    pub(crate) nulls: u64,
    pub(crate) before_nulls: u64,
    /// Of numbers.
    pub(crate) quantiles: Option<Quantiles>,
    pub(crate) before_quantiles: Option<Quantiles>,
    pub(crate) distribution: Vec<Bar>,
    /// Population stability index; `null` if one of the spans has no values.
    pub(crate) psi: Option<f64>,
}

/// Quantiles of the numbers of a field. They are exact to 1/32.
#[derive(Debug, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) min: f64,
    pub(crate) p05: f64,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) max: f64,
}

/// One bar of a distribution: numbers from `low` to `high`, or a text.
#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    pub(crate) count: u64,
    pub(crate) before_count: u64,
}

#[derive(Default)]
struct Values {
    numbers: Weighted,
    texts: BTreeMap<String, f64>,
}

impl Values {
    fn total(&self) -> f64 {
        self.numbers.total() + self.numbers.nulls + self.texts.values().sum::<f64>()
    }

    fn quantiles(&self) -> Option<Quantiles> {
        let quantile = |share| self.numbers.quantile(share);
        Some(Quantiles {
            min: rounded(bounds(*self.numbers.numbers.first_key_value()?.0).0),
            p05: quantile(0.05)?,
            p50: quantile(0.5)?,
            p95: quantile(0.95)?,
            max: rounded(bounds(*self.numbers.numbers.last_key_value()?.0).1),
        })
    }
}

/// Returns the fields that the store has seen in a range.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn known_fields(
    reader: &Reader,
    range: TimeRange,
) -> Result<BTreeSet<FieldName>, QueryError> {
    let mut fields = BTreeSet::new();
    for day in reader.days(range)? {
        let of_day = reader.read(day, |connection| {
            let mut statement = connection.prepare("SELECT name, is_output FROM fields")?;
            let rows = statement.query_map([], |row| {
                Ok(FieldName { name: row.get(0)?, side: side(row.get(1)?) })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        fields.extend(of_day.unwrap_or_default());
    }
    Ok(fields)
}

fn side(is_output: bool) -> &'static str {
    if is_output { "output" } else { "input" }
}

/// Describes the values of a field; `None` if the store has not seen it. A name that is an input and an
/// output means the input.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn field(
    reader: &Reader,
    name: &str,
    wanted_side: Option<&str>,
    range: TimeRange,
    scope: &Scope,
) -> Result<Option<Field>, QueryError> {
    let known = known_fields(reader, TimeRange::ALL)?;
    let is_wanted = |field: &&FieldName| {
        field.name == name && wanted_side.is_none_or(|side| side == field.side)
    };
    let Some(FieldName { side, .. }) = known.iter().find(is_wanted) else { return Ok(None) };
    let before_range = range.before();
    let now = values(reader, name, side, range, scope)?;
    let before = values(reader, name, side, before_range, scope)?;
    Ok(Some(Field {
        name: name.to_owned(),
        side,
        from: timestamp(range.from),
        to: timestamp(range.to),
        before_from: timestamp(before_range.from),
        count: now.total().round() as u64,
        before_count: before.total().round() as u64,
        nulls: now.numbers.nulls.round() as u64,
        before_nulls: before.numbers.nulls.round() as u64,
        quantiles: now.quantiles(),
        before_quantiles: before.quantiles(),
        distribution: bars(&now, &before),
        psi: stability(&now, &before).map(|psi| (psi * 1e4).round() / 1e4),
    }))
}

fn values(
    reader: &Reader,
    name: &str,
    side: &str,
    range: TimeRange,
    scope: &Scope,
) -> Result<Values, QueryError> {
    let mut values = Values::default();
    let mut categories = HashMap::new();
    let number = |connection: &Connection| {
        let sql = "SELECT id FROM fields WHERE name = ? AND is_output = ?";
        connection.query_row(sql, params![name, side == "output"], |row| row.get(0)).optional()
    };
    read_rollups(reader, range, scope, number, |connection, rollup| {
        let weight = rollup.weight_of_one();
        values.numbers.add(&rollup.histogram, weight);
        for (category, count) in &rollup.histogram.texts {
            // Numbers of categories are those of a file, which has one day.
            let key = (rollup.start / 86_400, *category);
            let text = match categories.entry(key) {
                Entry::Occupied(text) => text.into_mut(),
                Entry::Vacant(vacant) => {
                    let sql = "SELECT value FROM categories WHERE id = ?";
                    let text: Option<String> =
                        connection.query_row(sql, [category], |row| row.get(0)).optional()?;
                    vacant.insert(text.unwrap_or_else(|| OTHER.to_owned()))
                }
            };
            *values.texts.entry(text.clone()).or_default() += *count as f64 * weight;
        }
        Ok(())
    })?;
    Ok(values)
}

fn bars(now: &Values, before: &Values) -> Vec<Bar> {
    let mut bars = number_bars(&now.numbers, &before.numbers);
    let names: BTreeSet<_> = now.texts.keys().chain(before.texts.keys()).collect();
    let count = |values: &Values, name: &str| values.texts.get(name).copied().unwrap_or_default();
    let mut texts: Vec<_> = names
        .into_iter()
        .map(|name| (name.clone(), count(now, name), count(before, name)))
        .collect();
    texts.sort_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)));
    if texts.len() > TEXTS {
        let rest = texts.split_off(TEXTS - 1);
        let sum = |part: fn(&(String, f64, f64)) -> f64| rest.iter().map(part).sum();
        texts.push((OTHER.to_owned(), sum(|text| text.1), sum(|text| text.2)));
    }
    bars.extend(texts.into_iter().map(|(text, now, before)| Bar {
        low: None,
        high: None,
        value: Some(text),
        count: now.round() as u64,
        before_count: before.round() as u64,
    }));
    bars
}

/// Makes bars of equal width. The numbers beyond the outer hundredths are in the first and the last bar.
fn number_bars(now: &Weighted, before: &Weighted) -> Vec<Bar> {
    let mut all = now.clone();
    all.add_all(before);
    let (Some(low), Some(high)) = (all.quantile(0.005), all.quantile(0.995)) else {
        return Vec::new();
    };
    let width = nice_width((high - low) / BARS as f64);
    let start = (low / width).floor() * width;
    let count = (((high - start) / width).floor() as usize + 1).min(2 * BARS);
    let spread = |numbers: &Weighted| {
        let mut bars = vec![0.0; count];
        for (bucket, weight) in &numbers.numbers {
            let (low, high) = bounds(*bucket);
            let index =
                |number: f64| (((number - start) / width).floor().max(0.0) as usize).min(count - 1);
            let (first, last) = (index(low), index(high));
            // A bucket that crosses bars is divided among them.
            for (bar, sum) in bars.iter_mut().enumerate().take(last + 1).skip(first) {
                let left = if bar == first { low } else { start + bar as f64 * width };
                let right = if bar == last { high } else { start + (bar + 1) as f64 * width };
                let share = if first == last { 1.0 } else { (right - left) / (high - low) };
                *sum += weight * share;
            }
        }
        bars
    };
    let bars = spread(now).into_iter().zip(spread(before)).enumerate();
    let bars = bars.map(|(index, (now, before))| Bar {
        low: Some(tidy(start + index as f64 * width, width)),
        high: Some(tidy(start + (index + 1) as f64 * width, width)),
        value: None,
        count: now.round() as u64,
        before_count: before.round() as u64,
    });
    bars.collect()
}

/// Returns the next larger width of the form 1, 2 or 5 times a power of ten.
fn nice_width(width: f64) -> f64 {
    if width <= 0.0 || !width.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(width.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= width * 0.999);
    factor.unwrap_or(10.0) * power
}

/// Removes the last digits, which are those of the arithmetic.
fn tidy(number: f64, width: f64) -> f64 {
    let scale = 10_f64.powi((2.0 - width.log10()).ceil().clamp(-300.0, 300.0) as i32);
    let scaled = (number * scale).round() / scale;
    if scaled.is_finite() { scaled } else { number }
}

/// Calculates the population stability index: the sum of (a − b) · ln(a / b) over bins, where a is the
/// share of the bin now and b its share before. The bins of numbers are the tenths of the numbers before;
/// each text, and null, is a bin.
fn stability(now: &Values, before: &Values) -> Option<f64> {
    let (now_total, before_total) = (now.total(), before.total());
    if now_total == 0.0 || before_total == 0.0 {
        return None;
    }
    let mut bins = vec![(now.numbers.nulls, before.numbers.nulls)];
    let names: BTreeSet<_> = now.texts.keys().chain(before.texts.keys()).collect();
    let count = |values: &Values, name: &str| values.texts.get(name).copied().unwrap_or_default();
    bins.extend(names.into_iter().map(|name| (count(now, name), count(before, name))));
    let tenth = before.numbers.total() / 10.0;
    let buckets: BTreeSet<_> =
        now.numbers.numbers.keys().chain(before.numbers.numbers.keys()).collect();
    let mut bin = (0.0, 0.0);
    for bucket in buckets {
        let count =
            |values: &Values| values.numbers.numbers.get(bucket).copied().unwrap_or_default();
        bin.0 += count(now);
        bin.1 += count(before);
        if bin.1 >= tenth && tenth > 0.0 {
            bins.push(std::mem::take(&mut bin));
        }
    }
    // Numbers above all of those before belong to the last tenth.
    match bins.last_mut().filter(|_| tenth > 0.0) {
        Some(last) => *last = (last.0 + bin.0, last.1 + bin.1),
        None => bins.push(bin),
    }
    let share = |count: f64, total: f64| (count / total).max(LEAST_SHARE);
    let terms = bins.into_iter().filter(|(now, before)| now + before > 0.0).map(|(now, before)| {
        let (now, before) = (share(now, now_total), share(before, before_total));
        (now - before) * (now / before).ln()
    });
    Some(terms.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::histogram::Histogram;

    fn values(numbers: impl Iterator<Item = f64>) -> Values {
        let mut histogram = Histogram::default();
        numbers.for_each(|number| histogram.add_number(number));
        let mut values = Values::default();
        values.numbers.add(&histogram, 1.0);
        values
    }

    #[test]
    fn equal_values_are_stable_and_others_are_not() {
        let now = values((0..1000).map(|i| f64::from(i % 50)));
        assert_eq!(stability(&now, &now), Some(0.0));
        let shifted = values((0..1000).map(|i| f64::from(i % 50) + 20.0));
        assert!(stability(&shifted, &now).unwrap() > 0.5);
        assert_eq!(stability(&now, &Values::default()), None);
    }

    #[test]
    fn the_index_is_that_of_the_formula() {
        let texts = |a: f64, b: f64| Values {
            texts: [("a".to_owned(), a), ("b".to_owned(), b)].into(),
            ..Values::default()
        };
        let expected = (0.7 - 0.5) * (0.7_f64 / 0.5).ln() + (0.3 - 0.5) * (0.3_f64 / 0.5).ln();
        let psi = stability(&texts(70.0, 30.0), &texts(50.0, 50.0)).unwrap();
        assert!((psi - expected).abs() < 1e-12);
    }

    #[test]
    fn bars_hold_all_numbers() {
        let now = values((18..66).map(f64::from));
        let bars = number_bars(&now.numbers, &Weighted::default());
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 48);
        assert_eq!(bars[0].low, Some(18.0));
    }
}
