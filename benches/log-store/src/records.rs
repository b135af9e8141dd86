//! The records of a day's predictions, as the demo logs them: two of about 430 bytes each, with two inputs
//! and one output.

use std::collections::VecDeque;
use std::fmt::Write;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The day of the predictions.
pub(crate) const DAY: &str = "2026-11-24";
/// Predictions of a full day.
const OF_DAY: u64 = 10_000_000;
const INSTANCES: u64 = 4;
/// Predictions that are under way at the same time.
const CONCURRENT: usize = 16;
/// Bytes of a chunk.
const CHUNK: usize = 1 << 16;

/// Returns the last days up to today, the oldest first.
pub(crate) fn days_until_today(count: u64) -> crate::Result<Vec<String>> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = |ago: u64| Ok(today.checked_sub(Span::new().try_days(ago as i64)?)?.to_string());
    (0..count).rev().map(day).collect()
}

/// Makes records.
pub(crate) struct Records {
    day: String,
    /// Whether times are in RFC 3339, which the programs of the comparison read as well.
    is_rfc3339: bool,
    /// Number of failures so far.
    pub(crate) errors: u64,
    next: u64,
    end: u64,
    state: u64,
    open: VecDeque<String>,
    /// Number of the prediction whose id is returned.
    chosen: u64,
    id: String,
}

impl Records {
    pub(crate) fn new(day: &str, first: u64, predictions: u64) -> Self {
        let end = first + predictions;
        let (open, id) = (VecDeque::new(), String::new());
        let day = day.to_owned();
        Self {
            day,
            is_rfc3339: false,
            errors: 0,
            next: first,
            end,
            state: first + 1,
            open,
            chosen: (first + end) / 2,
            id,
        }
    }

    /// Makes other ids: those of a number.
    pub(crate) fn with_ids(mut self, number: u64) -> Self {
        self.state = self.state.wrapping_add(number << 40);
        self
    }

    /// Writes times in RFC 3339.
    pub(crate) fn with_rfc3339(mut self) -> Self {
        self.is_rfc3339 = true;
        self
    }

    /// Returns the id of one of the predictions.
    pub(crate) fn some_id(&self) -> &str {
        &self.id
    }

    /// Returns a random number (splitmix64).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Writes a chunk of records. Returns whether there were any.
    pub(crate) fn write(&mut self, chunk: &mut String) -> bool {
        while self.next < self.end && chunk.len() < CHUNK {
            self.write_one(chunk);
            self.next += 1;
        }
        if self.next == self.end {
            self.open.drain(..).for_each(|answer| chunk.push_str(&answer));
        }
        !chunk.is_empty()
    }

    fn write_one(&mut self, chunk: &mut String) {
        let millis = self.next * 86_400_000 / OF_DAY;
        let (second, milli) = (millis / 1000, millis % 1000);
        let clock = format!("{:02}:{:02}:{:02}", second / 3600 % 24, second / 60 % 60, second % 60);
        let day = &self.day;
        let time = match self.is_rfc3339 {
            true => format!("{day}T{clock}.{milli:03}Z"),
            false => format!("{day} {clock},{milli:03}"),
        };
        let [a, b, c, d] = [(); 4].map(|()| self.random());
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            a & 0xffff,
            b & 0xfff,
            (b >> 12) & 0xfff,
            b >> 16
        );
        if self.next == self.chosen {
            self.id.clone_from(&id);
        }
        let (instance, thread) = (c % INSTANCES, c >> 8 & 3);
        let head = |level: &str, message: &str| {
            format!(
                "{{\"asctime\":\"{time}\",\"hostname\":\"insurance-{instance}\",\"process\":{},\"thread\":{thread},\
                 \"name\":\"insurance_charges_model_logger\",\"pathname\":\"examples/insurance-charges/src/model.rs\",\
                 \"lineno\":20,\"levelname\":\"{level}\",\"message\":\"{message}\",\"action\":\"predict\",\
                 \"model_qualified_name\":\"insurance_charges_model\",\"model_version\":\"0.1.0\",\
                 \"prediction_id\":\"{id}\"",
                3100 + instance
            )
        };
        let (age, bmi) = (18 + d % 48, 15.0 + (d >> 8) as f64 % 350.0 / 10.0);
        let _infallible = writeln!(
            chunk,
            "{},\"age\":{age},\"bmi\":{bmi:.1}}}",
            head("INFO", "Prediction requested.")
        );
        let duration = 0.004 + (d >> 20 & 0xff) as f64 * (d >> 28 & 0x1f) as f64 / 20_000.0;
        let answer = if (d >> 40) % 1000 == 0 {
            self.errors += 1;
            format!(
                "{},\"status\":\"error\",\"duration_ms\":{duration:.3},\
                 \"error_info\":\"the model cannot predict for age {age}: tree {} is missing\"}}\n",
                head("ERROR", "Prediction exception."),
                d % 7
            )
        } else {
            let charges = 1000.0 + (d >> 24) as f64 % 6_000_000.0 / 100.0;
            format!(
                "{},\"status\":\"success\",\"duration_ms\":{duration:.3},\"charges\":{charges:.2}}}\n",
                head("INFO", "Prediction created.")
            )
        };
        self.open.push_back(answer);
        if self.open.len() >= CONCURRENT {
            self.open.pop_front().into_iter().for_each(|answer| chunk.push_str(&answer));
        }
    }
}
