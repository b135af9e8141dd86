//! A program per case: rounds in turn, instructions, allocations.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Result;

/// A case that waits to be told how many records to log.
pub(crate) struct Running {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The line of one record; empty if the case writes to a file.
    pub(crate) line: String,
}

impl Running {
    pub(crate) fn start(case: &str) -> Result<Self> {
        let mut process = Command::new(program("log-records")?)
            .arg(case)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = process.stdin.take();
        let answers = process.stdout.take().ok_or("the program has no output")?;
        let mut running =
            Self { process, orders, answers: BufReader::new(answers), line: String::new() };
        running.line = running.read()?;
        Ok(running)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Nanoseconds per record of that many, logged by so many threads at once.
    pub(crate) fn turn(&mut self, records: u64, threads: u32) -> Result<f64> {
        let orders = self.orders.as_mut().ok_or("the program takes no orders")?;
        writeln!(orders, "{records} {threads}")?;
        orders.flush()?;
        let answer = self.read()?;
        let (nanoseconds, bytes) = answer.trim_end().split_once(' ').ok_or("no answer")?;
        if !self.line.trim().is_empty() {
            // Times, durations and threads have more digits at times than at others.
            let (bytes, wanted) = (bytes.parse::<f64>()?, self.line.len() as f64 * records as f64);
            if (bytes / wanted - 1.0).abs() > 0.02 {
                return Err(format!("{bytes} bytes were written, {wanted} expected").into());
            }
        }
        Ok(nanoseconds.parse::<f64>()? / records as f64)
    }

    fn read(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the program has ended early".into());
        }
        Ok(line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of its input is the program's, too.
        self.orders = None;
        let _ = self.process.wait();
    }
}

/// Instructions per record: callgrind's count of a program that logs more of them, less the count of
/// one that logs fewer.
pub(crate) fn instructions(case: &str) -> Result<f64> {
    const FEW: u64 = 1_000;
    const MANY: u64 = 3_000;
    let count = |records: u64| -> Result<f64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program("log-records")?)
            .args([case, "--records", &records.to_string()])
            .output()
            .map_err(|error| format!("valgrind, a Debian package: {error}"))?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let count = told.lines().find_map(|line| line.split_once("Collected :"));
        match count {
            Some((_, count)) if output.status.success() => Ok(count.trim().parse()?),
            _ => Err(format!("valgrind has counted nothing for {case}: {told}").into()),
        }
    };
    Ok((count(MANY)? - count(FEW)?) / (MANY - FEW) as f64)
}

/// Allocations per record.
pub(crate) fn allocations(case: &str) -> Result<f64> {
    let output = Command::new(program("count-allocations")?).arg(case).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().ok_or("this program is in no folder")?.join(name))
}
