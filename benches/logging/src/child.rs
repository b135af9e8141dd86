//! The measured programs, one process per case: rounds, instructions, allocations.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Result;

/// A running case. It waits for the number of records to log.
pub(crate) struct Running {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
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
        let input = process.stdin.take();
        let output = process.stdout.take().ok_or("the program has no output")?;
        let mut running =
            Self { process, input, output: BufReader::new(output), line: String::new() };
        running.line = running.read()?;
        Ok(running)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Logs records from several threads at once and returns the nanoseconds per record.
    pub(crate) fn turn(&mut self, records: u64, threads: u32) -> Result<f64> {
        let input = self.input.as_mut().ok_or("the program has no input")?;
        writeln!(input, "{records} {threads}")?;
        input.flush()?;
        let answer = self.read()?;
        let (nanoseconds, bytes) =
            answer.trim_end().split_once(' ').ok_or("the answer is incomplete")?;
        if !self.line.trim().is_empty() {
            // The number of digits of times, durations and thread ids varies.
            let (bytes, wanted) = (bytes.parse::<f64>()?, self.line.len() as f64 * records as f64);
            if (bytes / wanted - 1.0).abs() > 0.02 {
                return Err(format!("{bytes} bytes were written, {wanted} expected").into());
            }
        }
        Ok(nanoseconds.parse::<f64>()? / records as f64)
    }

    fn read(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the program has ended early".into());
        }
        Ok(line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The program ends at the end of its input.
        self.input = None;
        let _ = self.process.wait();
    }
}

/// Counts the instructions per record: the difference between callgrind's counts of two programs that
/// log different numbers of records.
pub(crate) fn instructions(case: &str) -> Result<f64> {
    const FEW: u64 = 1_000;
    const MANY: u64 = 3_000;
    let count = |records: u64| -> Result<f64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program("log-records")?)
            .args([case, "--records", &records.to_string()])
            .output()
            .map_err(|error| format!("cannot run valgrind (a Debian package): {error}"))?;
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        let count = report.lines().find_map(|line| line.split_once("Collected :"));
        match count {
            Some((_, count)) if output.status.success() => Ok(count.trim().parse()?),
            _ => Err(format!("valgrind reported no count for {case}: {report}").into()),
        }
    };
    Ok((count(MANY)? - count(FEW)?) / (MANY - FEW) as f64)
}

/// Counts the allocations per record.
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
