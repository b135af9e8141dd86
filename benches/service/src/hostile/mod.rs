//! The demo under hostile and good traffic at the same time.
//!
//! Hostile clients send slow and huge heads, slow and malicious bodies, and compression bombs. They do not
//! read answers, flood the service with connections, and abort requests. The run fails if a good request is
//! not answered, if a probe takes longer than [`SLOWEST_PROBE`], if the memory grows, or if a hostile request
//! has an answer other than the expected ones.

mod attacks;
mod client;
mod good;

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::measure::rounded;
use crate::progress::Progress;
use crate::server::{Server, Spec};
use crate::soak::early_and_late;
use attacks::ATTACKS;
use good::{Good, Probes};

/// Longest accepted time of a probe.
const SLOWEST_PROBE: Duration = Duration::from_millis(100);

/// Largest accepted growth of the memory.
const TOLERANCE: f64 = 1.1;

/// Number of good clients, which predict over connections that stay open.
const GOOD_CLIENTS: usize = 4;

/// The outcome of one run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Hostile {
    minutes: f64,
    good_sent: u64,
    pub(crate) good_answered: u64,
    /// Good requests that were sent again because the service had closed the unused connection.
    good_sent_again: u64,
    probes: u64,
    probe_p99_ms: f64,
    slowest_probe_ms: f64,
    /// Number of attacks by kind.
    attacks: Vec<(String, u64)>,
    stop_ms: f64,
    early_mib: f64,
    late_mib: f64,
    pub(crate) memory_mib: Vec<f64>,
    faults: Vec<String>,
}

/// What the clients share.
pub(crate) struct Field {
    address: SocketAddr,
    /// Passed by all clients and by the main thread when all have prepared what they send.
    start: Barrier,
    is_over: AtomicBool,
}

impl Field {
    /// Waits until all clients are ready.
    fn begin(&self) {
        self.start.wait();
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Sleeps, and returns whether the run continues.
    fn pause(&self, milliseconds: u64) -> bool {
        sleep(Duration::from_millis(milliseconds));
        !self.is_over()
    }
}

/// Runs the attacks on a server, and good clients and probes beside them.
pub(crate) fn run(spec: &Spec, minutes: f64) -> Result<Hostile> {
    let server = Server::start(spec)?;
    // Beside the attacks and the good clients there are the probes and this thread.
    let start = Barrier::new(ATTACKS.len() + GOOD_CLIENTS + 2);
    let field = Arc::new(Field { address: server.address, start, is_over: AtomicBool::new(false) });
    let attacks: Vec<_> = ATTACKS
        .into_iter()
        .map(|(name, attack)| {
            let field = field.clone();
            (name, spawn(move || attack(&field)))
        })
        .collect();
    let good: Vec<_> = (0..GOOD_CLIENTS)
        .map(|_| {
            let field = field.clone();
            spawn(move || good::predict(&field))
        })
        .collect();
    let probes = {
        let field = field.clone();
        spawn(move || good::probe(&field))
    };
    field.begin();
    let watch = server.memory().watch(Duration::from_secs(1));

    let seconds = (minutes * 60.0).round() as u64;
    let progress = Progress::new(seconds);
    let started = Instant::now();
    for second in 1..=seconds {
        progress.step("under attack");
        sleep(Duration::from_secs(second).saturating_sub(started.elapsed()));
        progress.done();
    }
    let memory_mib: Vec<f64> = watch.stop()?.into_iter().map(rounded).collect();
    field.is_over.store(true, Ordering::Relaxed);
    let mut faults = Vec::new();
    let mut all = Good::default();
    for client in good {
        let client = client.join().map_err(|_panic| "a good client panicked")?;
        all.sent += client.sent;
        all.answered += client.answered;
        all.sent_again += client.sent_again;
        faults.extend(client.fault);
    }
    let Probes { mut times, fault } = probes.join().map_err(|_panic| "the probes panicked")?;
    faults.extend(fault);
    let mut counts = Vec::new();
    for (name, attack) in attacks {
        let attack = attack.join().map_err(|_panic| format!("{name} panicked"))?;
        faults.extend(attack.fault.map(|fault| format!("{name}: {fault}")));
        counts.push((name.to_owned(), attack.count));
    }
    let asked = Instant::now();
    let log = server.log.clone();
    let status = server.stop()?;
    let stop_ms = rounded(asked.elapsed().as_secs_f64() * 1e3);
    if !status.success() {
        faults.push(format!("the service ended with {status}"));
    }
    fs::remove_file(log)?;
    drop(progress);

    times.sort_unstable();
    let milliseconds =
        |time: Option<&Duration>| time.map_or(f64::NAN, |time| rounded(time.as_secs_f64() * 1e3));
    let (early_mib, late_mib) = early_and_late(&memory_mib);
    Ok(Hostile {
        minutes,
        good_sent: all.sent,
        good_answered: all.answered,
        good_sent_again: all.sent_again,
        probes: times.len() as u64,
        probe_p99_ms: milliseconds(times.get(times.len() * 99 / 100)),
        slowest_probe_ms: milliseconds(times.last()),
        attacks: counts,
        stop_ms,
        early_mib,
        late_mib,
        memory_mib,
        faults,
    })
}

impl Hostile {
    /// Returns whether the run has passed.
    ///
    /// # Errors
    ///
    /// Returns the faults.
    pub(crate) fn verdict(&self) -> Result<()> {
        let mut wrong = self.faults.clone();
        if self.good_sent == 0 || self.good_answered != self.good_sent {
            let (answered, sent) = (self.good_answered, self.good_sent);
            wrong.push(format!("{answered} of {sent} good requests were answered"));
        }
        // Missing values are NaN and must fail these checks.
        let is_quick = self.slowest_probe_ms <= SLOWEST_PROBE.as_secs_f64() * 1e3;
        if !is_quick {
            wrong.push(format!("the slowest probe took {} ms", self.slowest_probe_ms));
        }
        let is_flat = self.late_mib <= self.early_mib * TOLERANCE;
        if !is_flat {
            let (early, late) = (self.early_mib, self.late_mib);
            wrong.push(format!("memory grew from {early:.1} to {late:.1} MiB"));
        }
        let idle = self.attacks.iter().filter(|(_, count)| *count == 0);
        wrong.extend(idle.map(|(name, _)| format!("no attack of the kind: {name}")));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{} minutes:\n", self.minutes)?;
        writeln!(f, "| what | count |\n|---|---|")?;
        for (what, count) in [
            ("good requests sent", self.good_sent),
            ("answered with 200", self.good_answered),
            ("sent again after the service closed the unused connection", self.good_sent_again),
            ("probes", self.probes),
        ] {
            writeln!(f, "| {what} | {count} |")?;
        }
        for (what, count) in &self.attacks {
            writeln!(f, "| attacks: {what} | {count} |")?;
        }
        let highest = self.memory_mib.iter().copied().fold(f64::NAN, f64::max);
        writeln!(
            f,
            "\nprobes: 99 % within {:.1} ms, the slowest {:.1} ms; stopped {:.0} ms after the SIGTERM; \
             resident memory {:.1} MiB early, {:.1} MiB late, at most {highest:.1} MiB",
            self.probe_p99_ms, self.slowest_probe_ms, self.stop_ms, self.early_mib, self.late_mib
        )
    }
}
