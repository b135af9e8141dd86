//! Load by `wrk`, and its outcome.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::{Result, target};

/// The API key of every request, whether or not a server asks for it.
pub(crate) const KEY: &str = "a-key-for-the-service-load-benchmark";

/// A load: one body, sent to each of the paths in turn.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) body: String,
    pub(crate) paths: Vec<String>,
    /// Average pause of a connection before its next request. Without pauses the load saturates the
    /// machine, and the latencies depend on its scheduler.
    pub(crate) pause_ms: Option<u32>,
}

impl Load {
    /// Predictions of the trivial model.
    pub(crate) fn trivial() -> Self {
        Self {
            body: r#"{"age":25,"bmi":21.5}"#.to_owned(),
            paths: vec!["/api/models/trivial_model/prediction".to_owned()],
            pause_ms: None,
        }
    }

    /// Returns the script for `wrk`. Functions that are not needed are left out: without them `wrk` builds
    /// the request once, which keeps the load cheap.
    fn script(&self) -> String {
        let mut script = include_str!("predict.lua").to_owned();
        if self.paths.len() > 1 {
            script.push_str(include_str!("turns.lua"));
        }
        if let Some(pause) = self.pause_ms {
            script.push_str(&format!(
                "\nfunction delay() return math.random(0, {}) end\n",
                2 * pause
            ));
        }
        script
    }
}

/// Outcome of a load whose answers were all 200.
#[derive(Deserialize)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    duration_us: f64,
    p50_us: f64,
    p99_us: f64,
    not_ok: u64,
    connect: u64,
    read: u64,
    write: u64,
    timeout: u64,
}

impl Outcome {
    pub(crate) fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.duration_us * 1e6
    }

    pub(crate) fn p50_ms(&self) -> f64 {
        self.p50_us / 1e3
    }

    pub(crate) fn p99_ms(&self) -> f64 {
        self.p99_us / 1e3
    }
}

/// Sends `load` over several connections.
pub(crate) fn run(
    address: SocketAddr,
    load: &Load,
    connections: u32,
    seconds: u32,
) -> Result<Outcome> {
    let script = target()?.join("service-load/predict.lua");
    fs::write(&script, load.script())?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--latency"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")])
        .arg("--script")
        .arg(&script)
        .args(["--header", &format!("x-api-key: {KEY}")])
        .arg(format!("http://{address}"))
        .arg("--")
        .arg(&load.body)
        .args(&load.paths)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run wrk (a Debian package): {error}"))?;
    let text = String::from_utf8(output.stdout)?;
    let summary = text.lines().find(|line| line.starts_with('{'));
    let summary = summary.ok_or_else(|| format!("wrk did not finish: {text}"))?;
    let outcome: Outcome = serde_json::from_str(summary)?;
    let Outcome { requests, not_ok, connect, read, write, timeout, .. } = outcome;
    if requests == 0 || not_ok + connect + read + write + timeout > 0 {
        return Err(format!("not all predictions were answered with 200: {summary}").into());
    }
    Ok(outcome)
}
