//! Pipes with several handlers or processes as writers.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read, Write as _},
    process::Stdio,
    thread,
};

use crate::support::{command, is_child, with};
use ml_logging::{Configuration, Handler, JsonFormatter, Logger, Policy, Rotation};
use serde_json::json;
use tracing::{info, level_filters::LevelFilter};

/// Reads to the end in small pieces, so that the pipe is full most of the time.
fn read_slowly(mut reader: impl Read) -> Vec<u8> {
    let (mut text, mut piece) = (Vec::new(), [0; 1_000]);
    loop {
        match reader.read(&mut piece).unwrap() {
            0 => return text,
            length => text.extend_from_slice(&piece[..length]),
        }
    }
}

#[test]
fn processes_that_share_a_pipe_do_not_cut_each_others_lines() {
    let test = "pipes::processes_that_share_a_pipe_do_not_cut_each_others_lines";
    const EACH: u64 = 5_000;
    if is_child() {
        let handler = match std::env::var_os("AS_FILE") {
            None => Handler::stdout("h"),
            Some(_) => Handler::file("h", "/dev/stdout"),
        };
        let logging = with(handler).panic_records(true).init().unwrap();
        let process = std::process::id();
        eprintln!("ready");
        io::stdin().read_line(&mut String::new()).unwrap();
        (0..EACH).for_each(|number| info!(process, number, "x"));
        eprintln!("queued");
        return logging.flush().unwrap();
    }
    for is_file in [false, true] {
        let (reader, writer) = io::pipe().unwrap();
        let mut children: Vec<_> = (0..3)
            .map(|_| {
                let mut command = command(test);
                if is_file {
                    command.env("AS_FILE", "1");
                }
                command.stdin(Stdio::piped()).stderr(Stdio::piped());
                command.stdout(writer.try_clone().unwrap()).spawn().unwrap()
            })
            .collect();
        drop(writer);
        // All processes have much to write while the pipe is full.
        let mut outputs: Vec<_> =
            children.iter_mut().map(|child| BufReader::new(child.stderr.take().unwrap())).collect();
        let mut wait_for = |word: &str| {
            for output in &mut outputs {
                let mut line = String::new();
                output.read_line(&mut line).unwrap();
                assert_eq!(line, word);
            }
        };
        wait_for("ready\n");
        for child in &mut children {
            child.stdin.take().unwrap().write_all(b"\n").unwrap();
        }
        wait_for("queued\n");
        let text = read_slowly(reader);
        let mut next = BTreeMap::<u64, u64>::new();
        for record in crate::support::records(&text) {
            let next = next.entry(record["process"].as_u64().unwrap()).or_default();
            assert_eq!(record["number"], json!(*next));
            *next += 1;
        }
        assert!(next.into_values().eq([EACH; 3]));
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
    }
}

#[test]
fn handlers_that_share_a_pipe_write_whole_records() {
    let test = "pipes::handlers_that_share_a_pipe_write_whole_records";
    const EACH: u64 = 150;
    /// Sizes of values. A pipe takes a record of at most 4 KiB as a unit.
    const SIZES: [usize; 3] = [10, 300, 3_000];
    const HANDLERS: [&str; 5] = ["stdout", "stderr", "audit", "file", "rotating"];
    if is_child() {
        let mut configuration = Configuration::new().environment(|_| None);
        for (name, handler) in HANDLERS.into_iter().zip([
            Handler::stdout("stdout"),
            Handler::stderr("stderr"),
            Handler::stdout("audit").policy(Policy::Audit),
            Handler::file("file", "/dev/stdout"),
            Handler::rotating("rotating", "/dev/stderr", Rotation::by_size(100, 1)),
        ]) {
            let format = JsonFormatter::new("%(name)s %(message)s").unwrap();
            configuration = configuration
                .handler(handler.formatter(format))
                .logger(Logger::new(name).level(LevelFilter::INFO).handler(name));
        }
        let logging = configuration.panic_records(true).init().unwrap();
        thread::scope(|scope| {
            for size in SIZES {
                scope.spawn(move || {
                    let text = "x".repeat(size);
                    for number in 0..EACH {
                        info!(target: "stdout", size, number, text);
                        info!(target: "stderr", size, number, text);
                        info!(target: "audit", size, number, text);
                        info!(target: "file", size, number, text);
                        info!(target: "rotating", size, number, text);
                    }
                });
            }
        });
        return logging.flush().unwrap();
    }
    let (reader, writer) = io::pipe().unwrap();
    let mut command = command(test);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = command.spawn().unwrap();
    drop(command);
    let text = read_slowly(reader);
    assert!(child.wait().unwrap().success());
    let mut next = BTreeMap::<(String, u64), u64>::new();
    for record in crate::support::records(&text) {
        let size = record["size"].as_u64().unwrap();
        assert_eq!(record["text"].as_str().unwrap().len() as u64, size);
        let name = record["name"].as_str().unwrap().to_owned();
        let next = next.entry((name, size)).or_default();
        assert_eq!(record["number"], json!(*next));
        *next += 1;
    }
    assert_eq!(next.len(), HANDLERS.len() * SIZES.len());
    assert!(next.into_values().all(|next| next == EACH));
}
