//! Delivery of records when the sink fails, stalls or closes, and when the process is killed.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::{Record, command, is_child, with};
use ml_logging::{
    Configuration, Handler, HandlerCounts, JsonFormatter, Logger, Logging, Period, Policy, Rotation,
};
use serde_json::json;
use tracing::{info, level_filters::LevelFilter};

fn counts(logging: &Logging) -> HandlerCounts {
    let [counts] = <[HandlerCounts; 1]>::try_from(logging.counts()).unwrap();
    let sum = counts.written + counts.dropped + counts.lost + counts.queued;
    assert_eq!(counts.accepted, sum, "{counts:?}");
    counts
}

/// Writes the counts of a child as its last line on standard error.
fn report(logging: &Logging) {
    let counts = counts(logging);
    let report = json!({
        "accepted": counts.accepted,
        "written": counts.written,
        "dropped": counts.dropped,
        "lost": counts.lost,
        "queued": counts.queued,
    });
    eprintln!("{report}");
}

/// Reads that line.
fn reported(stderr: &[u8]) -> serde_json::Value {
    let text = std::str::from_utf8(stderr).unwrap();
    let line = text.lines().rfind(|line| line.starts_with("{\"accepted\""));
    line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

const POLICIES: [Policy; 3] = [Policy::Block, Policy::Drop, Policy::Audit];

#[test]
fn standard_output_may_be_closed() {
    let test = "delivery::standard_output_may_be_closed";
    if is_child() {
        let logging = with(Handler::stdout("h")).panic_records(true).init().unwrap();
        (0..100).for_each(|number| info!(number, "x"));
        logging.flush().unwrap();
        return report(&logging);
    }
    let start = command(test);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" >&-"]).arg(start.get_program()).args(start.get_args());
    shell.envs(start.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // Rust opens `/dev/null` in its place.
    let expected = json!({"accepted": 100, "written": 100, "dropped": 0, "lost": 0, "queued": 0});
    assert_eq!(reported(&output.stderr), expected);
}

#[test]
fn the_reader_of_standard_output_may_go_away() {
    let test = "delivery::the_reader_of_standard_output_may_go_away";
    if is_child() {
        let logging = with(Handler::stdout("h")).panic_records(true).init().unwrap();
        info!("before");
        logging.flush().unwrap();
        let mut line = String::new();
        io::stdin().read_line(&mut line).unwrap();
        for number in 0..1_000 {
            info!(number, "after");
        }
        assert_eq!(logging.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        return report(&logging);
    }
    let mut child = command(test)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.ends_with("{\"message\":\"before\"}\n") {
        assert!(stdout.read_line(&mut line).unwrap() > 0, "{line}");
    }
    drop(stdout);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut stderr = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    // The test harness of the child fails because it cannot write its own lines.
    child.wait().unwrap();
    let expected =
        json!({"accepted": 1_001, "written": 1, "dropped": 0, "lost": 1_000, "queued": 0});
    assert_eq!(reported(&stderr), expected);
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(text.matches("could not be written by the handler `h`").count(), 1, "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_by_the_count() {
    for policy in POLICIES {
        let handler = Handler::file("h", "/dev/full").policy(policy).queue_bytes(100_000);
        let (subscriber, logging) =
            with(handler).flush_limit(Duration::from_millis(1)).build().unwrap();
        let dispatch = tracing::Dispatch::new(subscriber);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    tracing::dispatcher::with_default(&dispatch, || {
                        (0..100).for_each(|number| info!(number, "x"));
                    });
                });
            }
        });
        let error = logging.flush_within(Duration::from_secs(30)).unwrap_err();
        let counts = counts(&logging);
        assert_eq!((counts.written, counts.queued, counts.lost), (0, 0, 400));
        assert_eq!(error.failure().unwrap().kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn dropped_records_of_a_full_pipe_are_counted() {
    let test = "delivery::dropped_records_of_a_full_pipe_are_counted";
    const THREADS: u64 = 2;
    if is_child() {
        let handler = Handler::stdout("h").policy(Policy::Drop).queue_bytes(10_000);
        let logging = with(handler).flush_limit(Duration::ZERO).panic_records(true).init().unwrap();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let logging = &logging;
                scope.spawn(move || {
                    let mut number = 0;
                    while number < 1_000 || counts(logging).dropped < 1_000 {
                        info!(thread, number, "x");
                        number += 1;
                    }
                });
            }
        });
        // Without a reader the pipe fills up and blocks.
        loop {
            (0..100).for_each(|number| info!(thread = THREADS, number, "x"));
            let Err(error) = logging.flush_within(Duration::from_millis(1)) else { continue };
            let unwritten: Vec<_> = error.unwritten().collect();
            if unwritten == [("h", counts(&logging).queued)] {
                break;
            }
        }
        eprintln!("stalled");
        logging.flush().unwrap();
        return report(&logging);
    }
    let mut child = command(test).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = String::new();
    while !lines.ends_with("stalled\n") {
        assert!(stderr.read_line(&mut lines).unwrap() > 0, "{lines}");
    }
    let mut stdout = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    let mut rest = Vec::new();
    stderr.read_to_end(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{lines}{}", String::from_utf8_lossy(&rest));

    let report = reported(&rest);
    let records = crate::support::records(&stdout);
    let figure = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(records.len() as u64, figure("written"));
    assert_eq!((figure("lost"), figure("queued")), (0, 0));
    let (mut own, mut reported_drops) = (0, 0);
    for record in &records {
        if record["message"] == json!("Log records were dropped.") {
            assert_eq!(record["handler"], json!("h"));
            assert_eq!(record.keys(), ["message", "dropped", "handler"]);
            reported_drops += record["dropped"].as_u64().unwrap();
        } else {
            own += 1;
        }
    }
    assert!(reported_drops >= 1_000);
    assert_eq!(reported_drops, figure("dropped"));
    // The records that report dropped ones are accepted records themselves.
    assert_eq!(figure("accepted"), own + reported_drops + (records.len() as u64 - own));
}

/// Same as `benches/delivery` with fewer records.
#[test]
fn records_in_equal_records_out_and_records_dropped() {
    let test = "delivery::records_in_equal_records_out_and_records_dropped";
    const THREADS: usize = 3;
    const EACH: u64 = 3_000;
    if is_child() {
        let policy = POLICIES[std::env::var("POLICY").unwrap().parse::<usize>().unwrap()];
        let logging = with(Handler::stdout("h").policy(policy).queue_bytes(20_000))
            .panic_records(true)
            .init()
            .unwrap();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || (0..EACH).for_each(|number| info!(thread, number, "x")));
            }
            while counts(&logging).accepted < 500 {
                thread::yield_now();
            }
            // No record has been read so far.
            eprintln!("begun");
        });
        logging.flush().unwrap();
        if std::env::var_os("IS_KILLED").is_some() {
            // Waits until the process is killed, or its parent ends.
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        return report(&logging);
    }
    for policy in 0..POLICIES.len() {
        for is_killed in [false, true] {
            let mut command = command(test);
            if is_killed {
                command.env("IS_KILLED", "");
            }
            let mut child = command
                .env("POLICY", policy.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            let mut lines = String::new();
            while !lines.ends_with("begun\n") {
                assert!(stderr.read_line(&mut lines).unwrap() > 0, "{lines}");
            }
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            let (mut next, mut missing, mut own, mut notices, mut dropped) =
                ([0; THREADS], 0, 0, 0, 0);
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).unwrap() > 0 {
                let is_whole = line.last() == Some(&b'\n');
                assert!(is_whole || is_killed);
                let records = if is_whole { crate::support::records(&line) } else { Vec::new() };
                line.clear();
                for record in records {
                    if let Some(count) = record.get("dropped") {
                        dropped += count.as_u64().unwrap();
                        notices += 1;
                        continue;
                    }
                    let next = &mut next[record["thread"].as_u64().unwrap() as usize];
                    let number = record["number"].as_u64().unwrap();
                    missing += number.checked_sub(*next).expect("in order, and each once");
                    *next = number + 1;
                    own += 1;
                }
                if is_killed && own == 400 {
                    child.kill().unwrap();
                }
            }
            let mut rest = Vec::new();
            stderr.read_to_end(&mut rest).unwrap();
            assert_eq!(child.wait().unwrap().success(), !is_killed);
            if policy != 1 {
                assert_eq!((missing, dropped), (0, 0));
            }
            if is_killed {
                assert!(own >= 400 && own + dropped <= THREADS as u64 * EACH);
                continue;
            }
            let report = reported(&rest);
            assert_eq!(own + dropped, THREADS as u64 * EACH);
            let expected = json!({
                "accepted": own + dropped + notices,
                "written": own + notices,
                "dropped": dropped,
                "lost": 0,
                "queued": 0,
            });
            assert_eq!(report, expected);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_audit_record_outlives_a_kill() {
    let test = "delivery::an_audit_record_outlives_a_kill";
    const THREADS: usize = 4;
    if is_child() {
        let path = std::env::var_os("AUDIT_FILE").unwrap();
        let configuration = Configuration::new()
            .environment(|_| None)
            .handler(
                Handler::file("audit", path)
                    .policy(Policy::Audit)
                    .formatter(JsonFormatter::new("%(message)s").unwrap()),
            )
            .logger(Logger::root().level(LevelFilter::INFO))
            .logger(Logger::new("audit").handler("audit"));
        let _logging = configuration.panic_records(true).init().unwrap();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for number in 0_u64.. {
                        info!(target: "audit", thread, number, "decided");
                        info!("elsewhere");
                        // One write, so that nothing stays in the buffer.
                        println!("\n{thread} {number}");
                    }
                });
            }
        });
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut child = command(test)
        .env("AUDIT_FILE", &path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = [None; THREADS];
    let mut read = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((thread, number)) = line.split_once(' ')
            && let (Ok(thread), Ok(number)) = (thread.parse::<usize>(), number.parse::<u64>())
        {
            // The last line may be cut off, so that its number is too small.
            acknowledged[thread] = acknowledged[thread].max(Some(number));
            read += 1;
            if read == 4_000 {
                child.kill().unwrap();
            }
        }
    }
    assert!(!child.wait().unwrap().success());
    let mut next = [0; THREADS];
    let text = fs::read_to_string(&path).unwrap();
    // A record that was not acknowledged may be cut off.
    let whole = &text[..text.rfind('\n').unwrap() + 1];
    for record in whole.split_inclusive('\n').map(Record::read) {
        let thread = record["thread"].as_u64().unwrap() as usize;
        assert_eq!(record["number"], json!(next[thread]));
        next[thread] += 1;
    }
    assert!(read >= 4_000);
    for (acknowledged, next) in acknowledged.iter().zip(next) {
        assert!(acknowledged.is_none_or(|number| number < next), "{acknowledged:?} {next}");
    }
}

/// A whole record, and one that a killed process has left incomplete.
const TORN: &str = "{\"message\":\"old\"}\n{\"message\":\"to";

#[test]
fn a_torn_record_of_a_killed_process_is_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let file = || Handler::file("h", &path);
    let rotating = |rotation| Handler::rotating("h", &path, rotation);
    let new = "{\"message\":\"new\"}\n";
    for (before, handler, after) in [
        (TORN, file(), format!("{TORN}\n{new}{new}")),
        (TORN, file().policy(Policy::Audit), format!("{TORN}\n{new}{new}")),
        (TORN, file().overwrite(), format!("{new}{new}")),
        (TORN, rotating(Rotation::by_size(0, 0)), format!("{TORN}\n{new}{new}")),
        (TORN, rotating(Rotation::by_size(1_000, 1)), format!("{TORN}\n{new}{new}")),
        (TORN, rotating(Rotation::every(1, Period::Days)), format!("{TORN}\n{new}{new}")),
        // Rotated before the first record.
        (TORN, rotating(Rotation::by_size(45, 1)), format!("{new}{new}")),
        // Whole records.
        (new, file(), format!("{new}{new}{new}")),
        ("", file(), format!("{new}{new}")),
    ] {
        fs::write(&path, before).unwrap();
        let shown = format!("{handler:?}");
        let (subscriber, logging) = with(handler).build().unwrap();
        tracing::subscriber::with_default(subscriber, || {
            info!("new");
            info!("new");
        });
        logging.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), after, "{shown}");
        assert_eq!(counts(&logging).written, 2);
    }
}

#[test]
fn a_torn_record_is_ended_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, TORN).unwrap();
    let format = || JsonFormatter::new("%(message)s").unwrap();
    let (subscriber, _logging) = Configuration::new()
        .environment(|_| None)
        .handler(Handler::file("a", &path).policy(Policy::Audit).formatter(format()))
        .handler(Handler::file("b", &path).policy(Policy::Audit).formatter(format()))
        .logger(Logger::root().level(LevelFilter::INFO).handler("a").handler("b"))
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || info!("new"));
    let new = "{\"message\":\"new\"}\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{TORN}\n{new}{new}"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_torn_record_in_the_file_of_standard_error_is_not_continued() {
    let test = "delivery::a_torn_record_in_the_file_of_standard_error_is_not_continued";
    if is_child() {
        let logging = with(Handler::stderr("h")).init().unwrap();
        info!("new");
        return logging.flush().unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, TORN).unwrap();
    let file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    assert!(command(test).stdout(Stdio::null()).stderr(file).status().unwrap().success());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{TORN}\n{{\"message\":\"new\"}}\n"));
}
