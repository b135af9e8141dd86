//! Counts and failures of a run.

use std::fmt;
use std::time::Duration;

/// Number of failures that a summary lists. All of them are in the results.
const LISTED: usize = 20;

/// A row without a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Number of its line, from 1 for the header.
    pub line: u64,
    pub reason: String,
}

/// Counts of a run, and its first failures.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub rows: u64,
    pub failed: u64,
    pub failures: Vec<Failure>,
    pub duration: Duration,
}

impl Summary {
    pub(crate) fn add(&mut self, rows: u64, failures: Vec<Failure>) {
        self.rows += rows;
        self.failed += failures.len() as u64;
        let room = LISTED.saturating_sub(self.failures.len());
        self.failures.extend(failures.into_iter().take(room));
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Failure { line, reason } in &self.failures {
            writeln!(f, "line {line}: {reason}")?;
        }
        let more = self.failed - self.failures.len() as u64;
        if more > 0 {
            writeln!(f, "and {more} more, in the column `error` of the results")?;
        }
        let seconds = self.duration.as_secs_f64();
        let Self { rows, failed, .. } = self;
        let rate = *rows as f64 / seconds.max(1e-9);
        write!(f, "{rows} rows, {failed} failed, {seconds:.1} s, {rate:.0} rows/s")
    }
}
