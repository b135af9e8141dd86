//! The compared servers: start, memory, stop.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};
use service_load::{BLOCKING, COUNT, KEY};

use crate::{PRODUCTION, Result, target};

/// Time limit for the start and for the stop of a server.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Command of one server.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Whether the server logs its predictions.
    pub(crate) logs: bool,
}

impl Spec {
    fn ours(name: &'static str, logs: bool) -> Self {
        Self::program(name, name, logs)
    }

    fn program(name: &'static str, program: &str, logs: bool) -> Self {
        // An unknown folder makes the start fail.
        let folder = target().unwrap_or_default().join(PRODUCTION);
        Self {
            name,
            program: folder.join(program),
            arguments: Vec::new(),
            environment: vec![("ML_SERVICE_ADDRESS", "127.0.0.1:0".to_owned())],
            logs,
        }
    }

    pub(crate) fn decorated() -> Self {
        Self::ours("decorated", true)
    }

    /// The demo of the project, as it is.
    pub(crate) fn demo(program: PathBuf) -> Self {
        Self { program, ..Self::ours("hostile", true) }
    }

    /// The decorated service with API keys, metrics and a concurrency limit.
    pub(crate) fn guarded() -> Self {
        let mut spec = Self::program("guarded", "decorated", true).configured("guarded");
        spec.environment.push((KEY, crate::wrk::KEY.to_owned()));
        spec
    }

    /// The decorated service with the model on the blocking pool.
    pub(crate) fn blocking() -> Self {
        Self::program("blocking", "decorated", true).configured("blocking")
    }

    pub(crate) fn bare() -> Self {
        Self::ours("bare", false)
    }

    /// The bare handler with the model on the blocking pool.
    pub(crate) fn bare_blocking() -> Self {
        let mut spec = Self::program("bare-blocking", "bare", false);
        spec.environment.push((BLOCKING, "1".to_owned()));
        spec
    }

    fn configured(mut self, file: &str) -> Self {
        let file = format!("{}/configurations/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        self.environment.push(("REST_CONFIG", file));
        self
    }

    pub(crate) fn many_models(count: u32) -> Self {
        Self::ours("many-models", true).counting(count)
    }

    pub(crate) fn many_fields(count: u32) -> Self {
        Self::ours("many-fields", true).counting(count)
    }

    fn counting(mut self, count: u32) -> Self {
        self.environment.push((COUNT, count.to_string()));
        self
    }
}

/// A server that is ready.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) log: PathBuf,
    /// Time from the start to the first successful readiness check.
    pub(crate) ready_after: Duration,
    child: Child,
}

impl Server {
    /// Starts a server whose standard output is a log file.
    pub(crate) fn start(spec: &Spec) -> Result<Self> {
        let folder = target()?.join("service-load");
        fs::create_dir_all(&folder)?;
        let log = folder.join(format!("{}.log", spec.name));
        let errors = folder.join(format!("{}.err", spec.name));
        let (log_file, error_file) = (File::create(&log)?, File::create(&errors)?);

        let started = Instant::now();
        let child = Command::new(&spec.program)
            .args(&spec.arguments)
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("RUST_LOG")
            .stdout(log_file)
            .stderr(error_file)
            .spawn()
            .map_err(|error| format!("{}: {error}", spec.program.display()))?;
        // From here on `Drop` stops the server.
        let mut server =
            Self { address: ([127, 0, 0, 1], 0).into(), log, ready_after: Duration::ZERO, child };
        while started.elapsed() < TIMEOUT {
            if server.child.try_wait()?.is_some() {
                break;
            }
            if server.address.port() == 0
                && let Some(address) =
                    [&server.log, &errors].into_iter().find_map(|log| address(log))
            {
                server.address = address;
            }
            if server.address.port() != 0 && is_ready(server.address) {
                server.ready_after = started.elapsed();
                return Ok(server);
            }
            sleep(Duration::from_micros(200));
        }
        Err(format!("{} did not become ready; see {}", spec.name, errors.display()).into())
    }

    /// Returns the CPU time so far, in user and kernel mode.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The program name, in parentheses, may contain spaces. The times are the words 14 and 15.
        let words = text.rsplit_once(") ").map(|(_, words)| words.split(' ').skip(11).take(2));
        let ticks: Option<u64> =
            words.and_then(|words| words.map(|word| word.parse::<u64>().ok()).sum());
        let ticks = ticks.ok_or("the CPU time is not available")?;
        Ok(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory { pid: self.child.id() }
    }

    /// Asks the server to stop.
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.ok_or("the server has no process id")?, Signal::TERM)?)
    }

    /// Waits for the server to stop.
    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        let asked = Instant::now();
        while asked.elapsed() < TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(1));
        }
        Err(format!("the server of {} did not stop", self.log.display()).into())
    }

    pub(crate) fn stop(self) -> Result<ExitStatus> {
        self.terminate()?;
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server has ended already, except after an error.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Finds the address of a server in its log.
fn address(log: &Path) -> Option<SocketAddr> {
    const HOST: &str = "127.0.0.1:";
    let text = fs::read_to_string(log).ok()?;
    let start = text.find(HOST)?;
    let port = &text[start + HOST.len()..];
    // Without a character after the digits, the line may be incomplete.
    let end = port.find(|character: char| !character.is_ascii_digit())?;
    text[start..start + HOST.len() + end].parse().ok()
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        let head = "GET /api/health/ready HTTP/1.1\r\nhost: load\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200 "))
    };
    ask().unwrap_or(false)
}

/// The memory of a process.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pid: u32,
}

impl Memory {
    /// Resident memory in MiB.
    pub(crate) fn resident(self) -> Result<f64> {
        // `smaps_rollup` is exact, unlike `status`.
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")).map(str::trim);
        let kib: f64 = kib.ok_or("the resident memory is not available")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// Starts to sample the memory at each interval.
    pub(crate) fn watch(self, interval: Duration) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut samples = Vec::new();
            let mut next = Instant::now() + interval;
            while !stopped.load(Ordering::Relaxed) {
                // Short sleeps, so that the watch stops quickly.
                sleep(interval.min(Duration::from_millis(20)));
                if Instant::now() >= next {
                    next += interval;
                    // The process may have ended.
                    samples.extend(self.resident().ok());
                }
            }
            samples
        });
        Watch { stop, thread }
    }
}

/// Sampling of the memory; made by [`Memory::watch`].
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Watch {
    /// Stops and returns the samples in MiB.
    pub(crate) fn stop(self) -> Result<Vec<f64>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_panic| "reading the memory panicked".into())
    }
}
