//! A long run that ends in a SIGTERM under full load, and then the audit: every request that was
//! taken is answered, every answer is on record with exactly two records, nothing else is, and
//! memory is where it was.
//!
//! A request may be sent over an idle connection in the very moment in which the service closes it.
//! HTTP/1.1 leaves that open; clients send such a request again (RFC 9112, section 9.3.1). The log
//! tells it apart from a lost one: what was never read has no record. These are counted, and are no
//! fault; a request that is on record and got no answer is one.

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

/// How much more memory at the end is still the same memory.
const TOLERANCE: f64 = 1.05;

/// The audit of one run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Soak {
    minutes: f64,
    connections: u32,
    sent: u64,
    pub(crate) answered: u64,
    /// Not all bytes could be sent: the connection was closed by then.
    incomplete: u64,
    /// Sent, not answered, and not on record: never read. To be sent again.
    never_read: u64,
    /// Sent, not answered, but on record. A fault.
    lost: u64,
    refused_connections: u64,
    connections_closed_in_order: u64,
    /// Answered, but not with exactly two records. A fault.
    answered_without_two_records: u64,
    /// On record with anything but two records. A fault.
    incomplete_records: u64,
    /// From the SIGTERM to the end of the process.
    stop_ms: f64,
    early_mib: f64,
    late_mib: f64,
    faults: Vec<String>,
    /// Resident memory at each second.
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
    // Raised first: a client may see the effect of the signal before this thread goes on.
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
        eprintln!("The log is kept: {}", kept.display());
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
        // Removed, so that an id answered twice is missed the second time.
        if !predictions.remove(id).is_some_and(Records::are_complete) {
            answered_without_two_records += 1;
        }
    }
    // What is left was answered by nobody's account.
    let lost = predictions.len() as u64;
    let unanswered = books.unanswered.len() as u64 + books.unanswered_without_id;
    let known = books.unanswered.iter().filter(|id| predictions.contains_key(id)).count() as u64;
    let mut faults = books.faults;
    let anonymous = predictions.keys().filter(|id| id.get_version_num() == 4).count() as u64;
    if known + anonymous != lost {
        faults.push(format!("{lost} predictions are on record that nobody asked for"));
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

/// The medians of the second minute and of the last one; of fifths of a run that is shorter than
/// five minutes.
fn early_and_late(samples: &[f64]) -> (f64, f64) {
    let window = (samples.len() / 5).min(60);
    let early = samples.iter().skip(window).take(window);
    let late = samples.iter().rev().take(window);
    (median(early.copied()), median(late.copied()))
}

impl Soak {
    /// # Errors
    ///
    /// What is wrong with the run.
    pub(crate) fn verdict(&self) -> Result<()> {
        let mut wrong = self.faults.clone();
        let mut expect_none = |count: u64, what: &str| {
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        };
        expect_none(self.lost, "predictions are on record but were not answered");
        expect_none(self.answered_without_two_records, "answers have not exactly two records");
        expect_none(self.incomplete_records, "predictions have not exactly two records");
        expect_none(
            self.sent.abs_diff(self.answered + self.never_read + self.lost),
            "requests are unaccounted for",
        );
        // Written so that missing samples, which are NaN, are no success.
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
            (
                "sent over a connection that was being closed, never read, to be sent again",
                self.never_read,
            ),
            ("not sent to the end: the connection was closed", self.incomplete),
            ("on record, but not answered", self.lost),
            ("answered without exactly two records", self.answered_without_two_records),
            ("on record with anything but two records", self.incomplete_records),
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
    fn a_request_without_an_answer_was_never_read_if_it_is_not_on_record() {
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
    fn a_request_without_an_answer_is_lost_if_it_is_on_record() {
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
    fn an_answer_that_is_not_on_record_or_given_twice_is_a_fault() {
        for answered in [vec![id(1), id(2)], vec![id(1), id(1)]] {
            let books = Books { sent: 2, answered, ..Books::default() };
            let soak = audited(books, records(&[id(1)]));
            assert_eq!(soak.answered_without_two_records, 1);
            assert!(soak.verdict().is_err());
        }
    }

    #[test]
    fn a_prediction_that_nobody_asked_for_is_a_fault() {
        let books = Books { sent: 1, answered: vec![id(1)], ..Books::default() };
        let soak = audited(books, records(&[id(1), id(9)]));
        assert_eq!(soak.faults.len(), 1);
        assert!(soak.verdict().is_err());
    }

    #[test]
    fn memory_that_grows_is_a_fault_and_so_is_memory_unseen() {
        let growing = (0..60).map(|second| 8.0 + f64::from(second) / 10.0).collect();
        for memory in [growing, Vec::new()] {
            let books = Books { sent: 1, answered: vec![id(1)], ..Books::default() };
            let soak = audit(1.0, 32, books, records(&[id(1)]), 1.0, memory);
            assert!(soak.verdict().is_err());
        }
    }
}
