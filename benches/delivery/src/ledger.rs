//! The records that were read, and their comparison with the expected ones.

use std::{error::Error, fs, path::Path};

use serde_json::Value;

/// The records read.
pub(crate) struct Ledger {
    /// The next expected number of each thread.
    next: Vec<u64>,
    /// Numbers that were skipped.
    missing: u64,
    records: u64,
    reports: u64,
    reported: u64,
    is_record: bool,
}

impl Ledger {
    pub(crate) fn new(threads: usize) -> Self {
        let next = vec![0; threads];
        Self { next, missing: 0, records: 0, reports: 0, reported: 0, is_record: false }
    }

    /// Reads a line: a whole record whose number is higher than all earlier ones of its thread, or a
    /// report of dropped records.
    pub(crate) fn take(&mut self, line: &[u8]) -> Result<(), Box<dyn Error>> {
        let fault = || format!("unexpected line `{}`", String::from_utf8_lossy(line));
        let own = line
            .strip_prefix(b"{\"message\":\"x\",\"thread\":")
            .and_then(|rest| rest.strip_suffix(b"}\n"));
        self.is_record = own.is_some();
        if let Some(own) = own {
            let (thread, number) =
                str::from_utf8(own)?.split_once(",\"number\":").ok_or_else(fault)?;
            let number: u64 = number.parse()?;
            let next = self.next.get_mut(thread.parse::<usize>()?).ok_or_else(fault)?;
            let missing = number.checked_sub(*next);
            self.missing +=
                missing.ok_or_else(|| format!("out of order or duplicate: {}", fault()))?;
            *next = number + 1;
            self.records += 1;
            return Ok(());
        }
        let report: Value = serde_json::from_slice(line).map_err(|_| fault())?;
        if report["message"] != "Log records were dropped." || report["handler"] != "out" {
            return Err(fault().into());
        }
        self.reports += 1;
        self.reported += report["dropped"].as_u64().ok_or_else(fault)?;
        Ok(())
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(crate) fn reported(&self) -> u64 {
        self.reported
    }

    pub(crate) fn is_record(&self) -> bool {
        self.is_record
    }

    /// Returns the highest number of records of a thread so far.
    pub(crate) fn highest(&self) -> u64 {
        self.next.iter().copied().max().unwrap_or(0)
    }

    /// Compares the counts after an orderly end.
    pub(crate) fn check_ended(&self, counts: &Counts, records: u64) -> Result<(), String> {
        equal(
            "records logged, and records read or reported as dropped",
            records,
            self.records + self.reported,
        )?;
        equal("accepted", counts.accepted, records + self.reports)?;
        equal("written", counts.written, self.records + self.reports)?;
        equal("dropped", counts.dropped, self.reported)?;
        equal("lost", counts.lost, 0)?;
        equal("queued", counts.queued, 0)
    }

    /// Compares the counts after a kill and returns the number of records that were lost with the
    /// process. `begun` and `returned` count the calls of each thread that began and that returned.
    pub(crate) fn check_killed(
        &self,
        policy: &str,
        counts: &Counts,
        begun: &[u64],
        returned: &[u64],
    ) -> Result<u64, String> {
        // The counts are up to a millisecond old.
        let sum = counts.written + counts.dropped + counts.lost + counts.queued;
        equal("accepted, and the sum of written, dropped, lost and queued", counts.accepted, sum)?;
        equal("lost", counts.lost, 0)?;
        let read = self.records + self.reports;
        // The last record may have been truncated.
        if read < counts.written {
            return Err(format!("{} written, {read} read", counts.written));
        }
        for (next, begun) in self.next.iter().zip(begun) {
            if next > begun {
                return Err(format!("{next} read, {begun} begun"));
            }
        }
        if policy != "drop" {
            equal("missing", self.missing, 0)?;
        }
        let most_gone = match policy {
            // One record per thread may be in progress.
            "audit" => self.next.len() as u64,
            // The queue and the batch that is being written are full of the shortest records.
            "block" => 2 * 1024 * 1024 / SHORTEST_RECORD,
            _ => u64::MAX,
        };
        if policy == "audit" {
            for (next, returned) in self.next.iter().zip(returned) {
                if next < returned {
                    return Err(format!("{returned} acknowledged, {next} read"));
                }
            }
        }
        let begun: u64 = begun.iter().sum();
        let gone = begun.checked_sub(self.records + self.reported).ok_or_else(|| {
            format!("{begun} begun, {} read, {} reported as dropped", self.records, self.reported)
        })?;
        if gone > most_gone {
            return Err(format!("{gone} lost with the process, at most {most_gone} expected"));
        }
        Ok(gone)
    }
}

/// In bytes.
const SHORTEST_RECORD: u64 = "{\"message\":\"x\",\"thread\":0,\"number\":0}\n".len() as u64;

fn equal(what: &str, left: u64, right: u64) -> Result<(), String> {
    if left == right { Ok(()) } else { Err(format!("{what}: {left} and {right} differ")) }
}

/// The counts that the logging program has written.
pub(crate) struct Counts {
    accepted: u64,
    written: u64,
    dropped: u64,
    lost: u64,
    queued: u64,
}

impl Counts {
    pub(crate) fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let figures = figures(path)?;
        let [accepted, written, dropped, lost, queued] =
            figures.try_into().map_err(|_| "the counts are incomplete")?;
        Ok(Self { accepted, written, dropped, lost, queued })
    }
}

/// Returns for each thread how many calls began and how many returned.
pub(crate) fn handed_in(
    path: &Path,
    threads: usize,
) -> Result<(Vec<u64>, Vec<u64>), Box<dyn Error>> {
    let mut figures = figures(path)?;
    // A thread may not have written its figures yet.
    figures.resize(threads * 2, 0);
    Ok(figures.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip())
}

fn figures(path: &Path) -> Result<Vec<u64>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks().0.iter().map(|figure| u64::from_le_bytes(*figure)).collect())
}
