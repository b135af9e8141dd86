//! The program that is measured.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use crate::Result;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Builds `ml-logs` as a deployment does.
pub(crate) fn build() -> Result<()> {
    let build = ["build", "--profile", "production", "--locked", "-p", "ml-log-store"];
    match Command::new(env!("CARGO")).args(build).current_dir(root()).status()?.success() {
        true => Ok(()),
        false => Err("ml-logs cannot be built".into()),
    }
}

/// A running `ml-logs serve`. Killed when dropped.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts the program, which [`build`] has built.
    pub(crate) fn start(source: &Path, store: &Path, options: &[&str]) -> Result<Self> {
        let mut process = Command::new(root().join("target/production/ml-logs"))
            .args(["serve", "--address", "127.0.0.1:0", "--time-zone", "UTC"])
            .arg(source)
            .arg("--store")
            .arg(store)
            .args(options)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut errors = BufReader::new(process.stderr.take().ok_or("no standard error")?);
        let mut line = String::new();
        errors.read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
        let address = address.ok_or_else(|| format!("ml-logs did not start: {line}"))?.to_owned();
        thread::spawn(move || std::io::copy(&mut errors, &mut std::io::stderr()));
        Ok(Self { process, address })
    }

    /// Returns the CPU time of the process.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        const TICKS: f64 = 100.0;
        let text = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, fields) = text.rsplit_once(')').ok_or("no name")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<std::result::Result<f64, _>>()? / TICKS)
    }

    /// Returns the largest resident memory so far.
    pub(crate) fn peak_memory_mib(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = text.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}
