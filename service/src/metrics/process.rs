//! Figures of this process, read from `/proc`.

use std::fs;

use super::text::{Kind, Text};

/// Ticks per second in `/proc`, equal on all Linux platforms of Rust.
const TICKS: f64 = 100.0;

/// Writes the figures that the system provides; none on systems other than Linux.
pub(super) fn write(text: &mut Text) {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (stat, status) = (read("/proc/self/stat"), read("/proc/self/status"));
    let start = start_time(&stat, &read("/proc/stat"));
    // Reading the folder opens one descriptor.
    let open_fds = fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count().saturating_sub(1));

    let mut figure = |name, kind, help, value: Option<f64>| {
        if let Some(value) = value {
            text.number(name, kind, help, value);
        }
    };
    figure(
        "process_cpu_seconds_total",
        Kind::Counter,
        "Total user and system CPU time spent in seconds.",
        cpu_seconds(&stat),
    );
    figure(
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Resident memory size in bytes.",
        kilobytes(&status, "VmRSS:"),
    );
    figure(
        "process_virtual_memory_bytes",
        Kind::Gauge,
        "Virtual memory size in bytes.",
        kilobytes(&status, "VmSize:"),
    );
    figure(
        "process_open_fds",
        Kind::Gauge,
        "Number of open file descriptors.",
        open_fds.map(|fds| fds as f64),
    );
    figure(
        "process_max_fds",
        Kind::Gauge,
        "Maximum number of open file descriptors.",
        max_open_files(),
    );
    figure(
        "process_start_time_seconds",
        Kind::Gauge,
        "Start time of the process since unix epoch in seconds.",
        start,
    );
    figure(
        "process_threads",
        Kind::Gauge,
        "Number of threads.",
        word_after(&status, "Threads:").and_then(|threads| threads.parse().ok()),
    );
}

/// Returns a field of `/proc/self/stat`, counted from 1 as in its manual. The second field is the name of the
/// program in parentheses, which may contain spaces and parentheses.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_name, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(number - 3)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS)
}

fn start_time(stat: &str, system: &str) -> Option<f64> {
    let boot: f64 = word_after(system, "btime ")?.parse().ok()?;
    Some(boot + field(stat, 22)? / TICKS)
}

fn kilobytes(status: &str, key: &str) -> Option<f64> {
    Some(word_after(status, key)?.parse::<f64>().ok()? * 1024.0)
}

/// Returns the maximum number of open file descriptors, `None` on systems other than Linux.
pub(crate) fn max_open_files() -> Option<f64> {
    max_fds(&fs::read_to_string("/proc/self/limits").ok()?)
}

fn max_fds(limits: &str) -> Option<f64> {
    match word_after(limits, "Max open files")? {
        "unlimited" => Some(u64::MAX as f64),
        soft => soft.parse().ok(),
    }
}

/// Returns the word after `key` at the beginning of a line.
fn word_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a) b (c)) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 9 9 20 0 8 0 1200 9 9";

    #[test]
    fn figures_are_read_whatever_the_program_is_called() {
        assert_eq!(cpu_seconds(STAT), Some(3.0));
        assert_eq!(start_time(STAT, "cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_012.0));
    }

    #[test]
    fn sizes_and_limits_are_read() {
        let status = "Name:\tx\nVmSize:\t    2048 kB\nVmRSS:\t       3 kB\nThreads:\t4\n";
        assert_eq!(kilobytes(status, "VmSize:"), Some(2_097_152.0));
        assert_eq!(kilobytes(status, "VmRSS:"), Some(3_072.0));
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n";
        assert_eq!(max_fds(limits), Some(1024.0));
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(cpu_seconds(""), None);
        assert_eq!(start_time(STAT, ""), None);
        assert_eq!(max_fds("Max open files"), None);
    }
}
