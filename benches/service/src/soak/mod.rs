//! A long run that ends with a SIGTERM under full load, followed by an audit. The audit checks that every
//! request that was read got an answer, that every answer has exactly two log records, that the log has no
//! other records, and that the memory did not grow.
//!
//! A client may send a request over an idle connection at the moment when the service closes it. HTTP/1.1
//! allows that, and clients send such a request again (RFC 9112, section 9.3.1). The service has never read
//! it, so it has no log record. Such requests are counted but are not faults. A request with a log record
//! and without an answer is a fault.

mod client;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log::{self, Records};
use crate::measure::{median, rounded};
use crate::progress::Progress;
use crate::server::{Server, Spec};
use crate::{Result, target};
use client::Books;

/// Largest accepted growth of the memory.
const TOLERANCE: f64 = 1.05;

/// The audit of one run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Soak {
    minutes: f64,
    connections: u32,
    sent: u64,
    pub(crate) answered: u64,
    /// Requests that were not sent completely because the connection was closed.
    incomplete: u64,
    /// Requests that were sent but neither answered nor logged: the service has not read them.
    never_read: u64,
    /// Requests that were logged but not answered. A fault.
    lost: u64,
    refused_connections: u64,
    connections_closed_in_order: u64,
    /// Answers without exactly two records. A fault.
    answered_without_two_records: u64,
    /// Logged predictions without exactly two records. A fault.
    incomplete_records: u64,
    /// Milliseconds from the SIGTERM to the end of the process.
    stop_ms: f64,
    early_mib: f64,
    late_mib: f64,
    faults: Vec<String>,
    /// Resident memory in each second.
    pub(crate) memory_mib: Vec<f64>,
}

pub(crate) fn run(minutes: f64, connections: u32) -> Result<Soak> {
    let duration = Duration::from_secs_f64(minutes * 60.0);
    let server = Server::start(&Spec::decorated())?;
    let (address, log_file) = (server.address, server.log.clone());
    let watch = server.memory().watch(Duration::from_secs(1));
    let is_stopping = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let clients: Vec<_> = (0..u64::from(connections))
        .map(|number| {
            let is_stopping = is_stopping.clone();
            spawn(move || client::run(address, number, &is_stopping))
        })
        .collect();

    let progress = Progress::new(duration.as_secs());
    let end = duration.saturating_sub(Duration::from_millis(500));
    while started.elapsed() + Duration::from_secs(1) < end {
        if clients.iter().any(|client| client.is_finished()) {
            break;
        }
        progress.step("under load");
        sleep(Duration::from_secs(1));
        progress.done();
    }
    sleep(end.saturating_sub(started.elapsed()));
    let memory_mib = watch.stop()?.into_iter().map(rounded).collect();
    // Set first, because a client may see the effect of the signal before this thread continues.
    is_stopping.store(true, Ordering::SeqCst);
    let asked = Instant::now();
    server.terminate()?;
    let status = server.wait()?;
    let stop_ms = rounded(asked.elapsed().as_secs_f64() * 1e3);
    drop(progress);

    let mut all = Books::default();
    for client in clients {
        let books = client.join().map_err(|_panic| "a client panicked")?;
        all.sent += books.sent;
        all.answered.extend(books.answered);
        all.unanswered.extend(books.unanswered);
        all.unanswered_without_id += books.unanswered_without_id;
        all.incomplete += books.incomplete;
        all.refused += books.refused;
        all.closed += books.closed;
        all.faults.extend(books.faults);
    }
    if !status.success() {
        all.faults.push(format!("the service ended with {status}"));
    }
    eprintln!("Checking the log of {} predictions.", all.answered.len());
    let predictions = log::predictions(&log_file)?;
    let soak = audit(minutes, connections, all, predictions, stop_ms, memory_mib);
    if soak.verdict().is_ok() {
        fs::remove_file(&log_file)?;
    } else {
        let kept = target()?.join("service-load/soak.log");
        fs::rename(&log_file, &kept)?;
        eprintln!("The log is in {}.", kept.display());
    }
    Ok(soak)
}

fn audit(
    minutes: f64,
    connections: u32,
    books: Books,
    mut predictions: HashMap<Uuid, Records>,
    stop_ms: f64,
    memory_mib: Vec<f64>,
) -> Soak {
    let incomplete_records =
        predictions.values().filter(|records| !records.are_complete()).count() as u64;
    let mut answered_without_two_records = 0;
    let answered = books.answered.len() as u64;
    for id in &books.answered {
        // Removed, so that a second answer with the same id is a fault.
        if !predictions.remove(id).is_some_and(Records::are_complete) {
            answered_without_two_records += 1;
        }
    }
    // The remaining predictions were not answered.
    let lost = predictions.len() as u64;
    let unanswered = books.unanswered.len() as u64 + books.unanswered_without_id;
    let known = books.unanswered.iter().filter(|id| predictions.contains_key(id)).count() as u64;
    let mut faults = books.faults;
    let anonymous = predictions.keys().filter(|id| id.get_version_num() == 4).count() as u64;
    if known + anonymous != lost {
        faults.push(format!(
            "some of the {lost} unanswered predictions in the log were not requested"
        ));
    }
    let (early_mib, late_mib) = early_and_late(&memory_mib);
    Soak {
        minutes,
        connections,
        sent: books.sent,
        answered,
        incomplete: books.incomplete,
        never_read: unanswered.saturating_sub(lost),
        lost,
        refused_connections: books.refused,
        connections_closed_in_order: books.closed,
        answered_without_two_records,
        incomplete_records,
        stop_ms,
        early_mib,
        late_mib,
        faults,
        memory_mib,
    }
}

/// Returns the medians of the second and of the last minute, or of the second and the last fifth of a run
/// shorter than five minutes.
pub(crate) fn early_and_late(samples: &[f64]) -> (f64, f64) {
    let window = (samples.len() / 5).min(60);
    let early = samples.iter().skip(window).take(window);
    let late = samples.iter().rev().take(window);
    (median(early.copied()), median(late.copied()))
}

impl Soak {
    /// Returns whether the run has no faults.
    ///
    /// # Errors
    ///
    /// Returns the faults.
    pub(crate) fn verdict(&self) -> Result<()> {
        let mut wrong = self.faults.clone();
        let mut expect_none = |count: u64, what: &str| {
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        };
        expect_none(self.lost, "predictions were logged but not answered");
        expect_none(self.answered_without_two_records, "answers do not have exactly two records");
        expect_none(self.incomplete_records, "predictions do not have exactly two records");
        expect_none(
            self.sent.abs_diff(self.answered + self.never_read + self.lost),
            "requests are unaccounted for",
        );
        // Missing samples are NaN and must fail this check.
        let is_flat = self.late_mib <= self.early_mib * TOLERANCE;
        if !is_flat {
            wrong.push(format!(
                "memory grew from {:.1} to {:.1} MiB",
                self.early_mib, self.late_mib
            ));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
    }
}

impl fmt::Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.answered as f64 / (self.minutes * 60.0);
        writeln!(f, "\n{} minutes, {} connections:\n", self.minutes, self.connections)?;
        writeln!(f, "| what | count |\n|---|---|")?;
        for (what, count) in [
            ("requests sent", self.sent),
            ("answered with 200", self.answered),
            ("sent over a closing connection and not read by the service", self.never_read),
            ("not sent completely: the connection was closed", self.incomplete),
            ("logged but not answered", self.lost),
            ("answered without exactly two records", self.answered_without_two_records),
            ("logged without exactly two records", self.incomplete_records),
            ("connections closed in order", self.connections_closed_in_order),
            ("connections refused after the SIGTERM", self.refused_connections),
            ("other faults", self.faults.len() as u64),
        ] {
            writeln!(f, "| {what} | {count} |")?;
        }
        writeln!(
            f,
            "\n{rate:.0} answers/s, stopped {:.0} ms after the SIGTERM, resident memory {:.2} MiB \
             early, {:.2} MiB late (× {:.3})",
            self.stop_ms,
            self.early_mib,
            self.late_mib,
            self.late_mib / self.early_mib
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn records(ids: &[Uuid]) -> HashMap<Uuid, Records> {
        ids.iter().map(|id| (*id, Records::complete())).collect()
    }

    fn audited(books: Books, predictions: HashMap<Uuid, Records>) -> Soak {
        audit(1.0, 32, books, predictions, 1.0, vec![8.0; 60])
    }

    #[test]
    fn an_unanswered_request_without_a_record_was_not_read() {
        let books = Books {
            sent: 4,
            answered: vec![id(1), id(2)],
            unanswered: vec![id(3)],
            unanswered_without_id: 1,
            ..Books::default()
        };
        let soak = audited(books, records(&[id(1), id(2)]));
        assert_eq!((soak.never_read, soak.lost), (2, 0));
        assert!(soak.verdict().is_ok());
    }

    #[test]
    fn an_unanswered_request_with_a_record_is_lost() {
        let books = Books {
            sent: 3,
            answered: vec![id(1)],
            unanswered: vec![id(3)],
            unanswered_without_id: 1,
            ..Books::default()
        };
        let soak = audited(books, records(&[id(1), id(3), Uuid::new_v4()]));
        assert_eq!((soak.never_read, soak.lost, soak.faults.len()), (0, 2, 0));
        assert!(soak.verdict().is_err());
    }

    #[test]
    fn an_answer_without_a_record_or_given_twice_is_a_fault() {
        for answered in [vec![id(1), id(2)], vec![id(1), id(1)]] {
            let books = Books { sent: 2, answered, ..Books::default() };
            let soak = audited(books, records(&[id(1)]));
            assert_eq!(soak.answered_without_two_records, 1);
            assert!(soak.verdict().is_err());
        }
    }

    #[test]
    fn a_prediction_that_was_not_requested_is_a_fault() {
        let books = Books { sent: 1, answered: vec![id(1)], ..Books::default() };
        let soak = audited(books, records(&[id(1), id(9)]));
        assert_eq!(soak.faults.len(), 1);
        assert!(soak.verdict().is_err());
    }

    #[test]
    fn growing_or_unknown_memory_is_a_fault() {
        let growing = (0..60).map(|second| 8.0 + f64::from(second) / 10.0).collect();
        for memory in [growing, Vec::new()] {
            let books = Books { sent: 1, answered: vec![id(1)], ..Books::default() };
            let soak = audit(1.0, 32, books, records(&[id(1)]), 1.0, memory);
            assert!(soak.verdict().is_err());
        }
    }
}
