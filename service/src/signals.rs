//! Signals of the program.
//!
//! | signal | effect |
//! |---|---|
//! | SIGTERM, SIGINT | the service stops within its [limits](ShutdownLimits); a second one ends the process at once |
//! | SIGHUP | log files are opened again and key files are read again |
//! | SIGXFSZ | ignored: a write beyond the size limit of a file fails, and the log reports it |
//!
//! They are handled on a thread of their own, so that neither a stalled log nor a model can delay the end of
//! the process.

use std::io;
use std::process;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ml_logging::Logging;
use tokio::sync::watch;
use tokio::time::sleep_until;

/// Limits of the steps of a shutdown, which together limit the time from the first signal to the end of the
/// process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShutdownLimits {
    pub(crate) readiness_delay: Duration,
    pub(crate) drain: Duration,
    pub(crate) flush: Duration,
}

impl ShutdownLimits {
    /// Returns the time at which all requests are answered or abandoned.
    pub(crate) fn drained(&self, begun: Instant) -> Instant {
        after(begun, self.readiness_delay.saturating_add(self.drain))
    }

    /// Returns the time at which the log is flushed or abandoned. It leaves a part of the limit for the
    /// report of unwritten records.
    fn flushed(&self, begun: Instant) -> Instant {
        after(self.drained(begun), self.flush - self.flush / 10)
    }

    /// Returns the time at which the process ends.
    fn ended(&self, begun: Instant) -> Instant {
        after(self.drained(begun), self.flush)
    }
}

fn after(time: Instant, wait: Duration) -> Instant {
    // The configuration may name any number of seconds.
    const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    time + wait.min(LONGEST)
}

/// The time of the first signal that stops the service, once there is one.
pub(crate) type Stop = watch::Receiver<Option<Instant>>;

/// Handles signals from now on. `reload` reads files again.
///
/// # Errors
///
/// Fails if the system does not permit it.
pub(crate) fn handle(
    logging: Arc<Logging>,
    limits: ShutdownLimits,
    reload: impl Fn() + Clone + Send + 'static,
) -> io::Result<Stop> {
    let (begin, stop) = watch::channel(None);
    let (send_ready, ready) = mpsc::channel();
    let run = move || {
        let caught = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(
            |runtime| {
                let _context = runtime.enter();
                let signals = Signals::catch()?;
                drop(_context);
                Ok((runtime, signals))
            },
        );
        match caught {
            Ok((runtime, mut signals)) => {
                // The other side waits for it.
                let _received = send_ready.send(Ok(()));
                runtime.block_on(end_of_process(&mut signals, &logging, limits, reload, begin));
            }
            Err(error) => drop(send_ready.send(Err(error))),
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(run)?;
    ready
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the thread for signals has panicked")))?;
    Ok(stop)
}

/// Waits for signals, and ends the process if it does not end in time after the first one that stops it.
async fn end_of_process(
    signals: &mut Signals,
    logging: &Arc<Logging>,
    limits: ShutdownLimits,
    reload: impl Fn() + Clone + Send + 'static,
    begin: watch::Sender<Option<Instant>>,
) {
    signals.stop(&reload).await;
    let begun = Instant::now();
    logging.end_by(limits.flushed(begun));
    begin.send_replace(Some(begun));
    let reason = tokio::select! {
        () = signals.stop(&reload) => "a second signal ends the service at once",
        () = sleep_until(limits.ended(begun).into()) => "the service has not stopped within its limits",
    };
    end(reason, logging.clone());
}

/// Ends the process without waiting for anything but the report on standard error, which may stall as well.
fn end(reason: &'static str, logging: Arc<Logging>) -> ! {
    const REPORT_LIMIT: Duration = Duration::from_millis(200);
    /// Time for the last records of a log that does not stall.
    const FLUSH_LIMIT: Duration = Duration::from_millis(100);
    let (send_done, done) = mpsc::channel();
    let report = move || {
        // The counts have what an error has.
        let _flushed = logging.flush_within(FLUSH_LIMIT);
        let counts = logging.counts();
        let unwritten: u64 = counts.iter().map(|counts| counts.queued + counts.lost).sum();
        eprintln!("error: {reason}; {unwritten} log records are not written");
        // The other side may have given up.
        let _waiting = send_done.send(());
    };
    if thread::Builder::new().spawn(report).is_ok() {
        // The process ends even if the report is not written in time.
        let _reported = done.recv_timeout(REPORT_LIMIT);
    }
    process::exit(1)
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // A signal that is caught once no longer has its default effect.
        let _ignored = signal(SignalKind::from_raw(libc::SIGXFSZ))?;
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal that stops the service. On others, reads files again.
    async fn stop(&mut self, reload: &(impl Fn() + Clone + Send + 'static)) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    // On another thread, because its records may wait for the log.
                    let reload = reload.clone();
                    if let Err(error) = thread::Builder::new().name("reload".to_owned()).spawn(reload) {
                        eprintln!("error: no file is read again: {error}");
                    }
                }
            }
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    async fn stop(&mut self, _reload: &(impl Fn() + Clone + Send + 'static)) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
