//! The service beside `ml-logs`, which follows the file that the service logs to.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::measure::{Plan, median};
use crate::progress::Progress;
use crate::server::{Server, Spec};
use crate::wrk::{self, Load};
use crate::{Result, log, target};

/// Least ratio of requests per CPU second, with `ml-logs` to without it.
const BUDGET: f64 = 0.97;
/// Time limit for `ml-logs` to take all records after the load.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Rounds with and without `ml-logs`.
pub(crate) struct Beside {
    alone: Vec<Turn>,
    beside: Vec<Turn>,
}

struct Turn {
    requests_per_second: f64,
    /// Per second of the service's CPU time.
    requests_per_cpu_second: f64,
}

/// Measures alternately.
pub(crate) fn run(plan: &Plan) -> Result<Beside> {
    let program = build()?;
    let progress = Progress::new(2 * u64::from(plan.rounds));
    let mut all = Beside { alone: Vec::new(), beside: Vec::new() };
    for round in 0..plan.rounds {
        // Each is the first in half of the rounds.
        for is_beside in [round % 2 == 1, round % 2 == 0] {
            progress.step(if is_beside { "beside ml-logs" } else { "alone" });
            let measured = turn(plan, is_beside.then_some(&*program))?;
            if is_beside { &mut all.beside } else { &mut all.alone }.push(measured);
            progress.done();
        }
    }
    Ok(all)
}

fn turn(plan: &Plan, program: Option<&Path>) -> Result<Turn> {
    let server = Server::start(&Spec::decorated())?;
    let log = server.log.clone();
    let follower = program.map(|program| Follower::start(program, &log)).transpose()?;
    let warm_up = wrk::run(server.address, &Load::trivial(), plan.connections, 1)?;
    let before = server.cpu_time()?;
    let outcome = wrk::run(server.address, &Load::trivial(), plan.connections, plan.seconds)?;
    let cpu = server.cpu_time()? - before;
    server.stop()?;
    let abandoned = 2 * u64::from(plan.connections);
    log::check(&log, warm_up.requests + outcome.requests, abandoned)?;
    if let Some(follower) = follower {
        let bytes = fs::metadata(&log)?.len();
        follower.wait(bytes)?;
    }
    fs::remove_file(log)?;
    Ok(Turn {
        requests_per_second: outcome.requests_per_second(),
        requests_per_cpu_second: outcome.requests as f64 / cpu.as_secs_f64(),
    })
}

/// Builds `ml-logs` and returns its program.
fn build() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let build = ["build", "--profile", "production", "--locked", "--package", "ml-log-store"];
    let status = Command::new(env!("CARGO")).args(build).current_dir(&root).status()?;
    match status.success() {
        true => Ok(root.join("target/production/ml-logs")),
        false => Err("ml-logs cannot be built".into()),
    }
}

/// A running `ml-logs serve`. Killed when dropped.
struct Follower {
    process: Child,
    address: String,
    store: PathBuf,
}

impl Follower {
    fn start(program: &Path, log: &Path) -> Result<Self> {
        let store = target()?.join("service-load/store");
        let _earlier = fs::remove_dir_all(&store);
        let process = Command::new(program)
            .arg("serve")
            .arg(log)
            .args(["--address", "127.0.0.1:0", "--store"])
            .arg(&store)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut follower = Self { process, address: String::new(), store };
        let errors = follower.process.stderr.take().ok_or("no standard error")?;
        let mut errors = BufReader::new(errors);
        let mut line = String::new();
        errors.read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
        follower.address = address.ok_or(format!("ml-logs did not start: {line}"))?.to_owned();
        spawn(move || std::io::copy(&mut errors, &mut std::io::stderr()));
        Ok(follower)
    }

    /// Waits until the whole log has been taken.
    fn wait(&self, bytes: u64) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < TIMEOUT {
            if self.health()?["sources"][0]["position"] == bytes {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(format!("ml-logs has not taken {bytes} bytes: {}", self.health()?).into())
    }

    fn health(&self) -> Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        let host = &self.address;
        write!(stream, "GET /api/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
        let _removed = fs::remove_dir_all(&self.store);
    }
}

impl Beside {
    fn ratio(&self) -> f64 {
        let of = |turns: &[Turn]| median(turns.iter().map(|turn| turn.requests_per_cpu_second));
        of(&self.beside) / of(&self.alone)
    }

    /// Fails if the budget is exceeded.
    pub(crate) fn verdict(&self) -> Result<()> {
        let ratio = self.ratio();
        if ratio >= BUDGET { Ok(()) } else { Err(format!("{ratio:.3} is below {BUDGET}").into()) }
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | requests per CPU second of the service | requests/s |\n|---|---|---|")?;
        for (name, turns) in [("alone", &self.alone), ("beside `ml-logs`", &self.beside)] {
            let of = |value: fn(&Turn) -> f64| median(turns.iter().map(value));
            let (cpu, wall) = (of(|t| t.requests_per_cpu_second), of(|t| t.requests_per_second));
            writeln!(f, "| {name} | {cpu:.0} | {wall:.0} |")?;
        }
        write!(f, "ratio {:.3}, at least {BUDGET}", self.ratio())
    }
}
