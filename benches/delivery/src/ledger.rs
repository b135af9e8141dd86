//! What has come out, and whether it is what has to come.

use std::{error::Error, fs, path::Path};

use serde_json::Value;

/// The records read.
pub(crate) struct Ledger {
    /// The next number of each thread.
    next: Vec<u64>,
    /// Numbers that did not come before later ones of the same thread.
    missing: u64,
    records: u64,
    notices: u64,
    told: u64,
    is_record: bool,
}

impl Ledger {
    pub(crate) fn new(threads: usize) -> Self {
        let next = vec![0; threads];
        Self { next, missing: 0, records: 0, notices: 0, told: 0, is_record: false }
    }

    /// Takes a line, which must be a whole record, later than all of its thread before it.
    pub(crate) fn take(&mut self, line: &[u8]) -> Result<(), Box<dyn Error>> {
        let fault = || format!("what is `{}`?", String::from_utf8_lossy(line));
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
            self.missing += missing.ok_or_else(|| format!("out of order or twice: {}", fault()))?;
            *next = number + 1;
            self.records += 1;
            return Ok(());
        }
        let notice: Value = serde_json::from_slice(line).map_err(|_| fault())?;
        if notice["message"] != "Log records were dropped." || notice["handler"] != "out" {
            return Err(fault().into());
        }
        self.notices += 1;
        self.told += notice["dropped"].as_u64().ok_or_else(fault)?;
        Ok(())
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(crate) fn told(&self) -> u64 {
        self.told
    }

    pub(crate) fn is_record(&self) -> bool {
        self.is_record
    }

    /// How many records the threads have handed in at least, by the one that is the furthest.
    pub(crate) fn highest(&self) -> u64 {
        self.next.iter().copied().max().unwrap_or(0)
    }

    /// After an orderly end.
    pub(crate) fn check_ended(&self, counts: &Counts, records: u64) -> Result<(), String> {
        equal("handed in, and read or told to be dropped", records, self.records + self.told)?;
        equal("accepted", counts.accepted, records + self.notices)?;
        equal("written", counts.written, self.records + self.notices)?;
        equal("dropped", counts.dropped, self.told)?;
        equal("lost", counts.lost, 0)?;
        equal("queued", counts.queued, 0)
    }

    /// After a kill; how many records have gone with the process. `begun` and `returned` are the
    /// records that each thread has begun to log, and of which it was told that they are logged.
    pub(crate) fn check_killed(
        &self,
        policy: &str,
        counts: &Counts,
        begun: &[u64],
        returned: &[u64],
    ) -> Result<u64, String> {
        // What it said last, up to a millisecond before.
        let sum = counts.written + counts.dropped + counts.lost + counts.queued;
        equal("accepted, and the sum of what has become of them", counts.accepted, sum)?;
        equal("lost", counts.lost, 0)?;
        let read = self.records + self.notices;
        // The last one may have been cut short.
        if read < counts.written {
            return Err(format!("{} were written, {read} read", counts.written));
        }
        for (next, begun) in self.next.iter().zip(begun) {
            if next > begun {
                return Err(format!("{next} were read of {begun}"));
            }
        }
        if policy != "drop" {
            equal("missing", self.missing, 0)?;
        }
        let most_gone = match policy {
            // What each thread was just logging.
            "audit" => self.next.len() as u64,
            // What is queued, and what is being written; no record is shorter.
            "block" => 2 * 1024 * 1024 / SHORTEST_RECORD,
            _ => u64::MAX,
        };
        if policy == "audit" {
            for (next, returned) in self.next.iter().zip(returned) {
                if next < returned {
                    return Err(format!("{returned} were acknowledged, {next} read"));
                }
            }
        }
        let begun: u64 = begun.iter().sum();
        let gone = begun.checked_sub(self.records + self.told).ok_or_else(|| {
            format!("{begun} were begun, {} read, {} told to be dropped", self.records, self.told)
        })?;
        if gone > most_gone {
            return Err(format!(
                "{gone} have gone with the process, more than the {most_gone} in it"
            ));
        }
        Ok(gone)
    }
}

/// In bytes.
const SHORTEST_RECORD: u64 = "{\"message\":\"x\",\"thread\":0,\"number\":0}\n".len() as u64;

fn equal(what: &str, left: u64, right: u64) -> Result<(), String> {
    if left == right { Ok(()) } else { Err(format!("{what}: {left} is not {right}")) }
}

/// What the logging program has said of its records.
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
            figures.try_into().map_err(|_| "the counts are not complete")?;
        Ok(Self { accepted, written, dropped, lost, queued })
    }
}

/// What each thread has begun to log, and what it was told is logged.
pub(crate) fn handed_in(
    path: &Path,
    threads: usize,
) -> Result<(Vec<u64>, Vec<u64>), Box<dyn Error>> {
    let mut figures = figures(path)?;
    // Of a thread that has not come to its second figure.
    figures.resize(threads * 2, 0);
    Ok(figures.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip())
}

fn figures(path: &Path) -> Result<Vec<u64>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks().0.iter().map(|figure| u64::from_le_bytes(*figure)).collect())
}
