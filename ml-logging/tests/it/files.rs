//! Log files that are renamed, removed or replaced while they are written, and names that are not files.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::net::UnixListener,
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::support::{child, with};
use ml_logging::{Handler, Logging, Period, Policy, Rotation};
use tracing::{Dispatch, info};

/// Every kind of file handler.
fn handlers(path: &Path) -> Vec<Handler> {
    let rotating = |rotation| Handler::rotating("h", path, rotation);
    vec![
        Handler::file("h", path),
        Handler::file("h", path).policy(Policy::Drop),
        Handler::file("h", path).policy(Policy::Audit),
        Handler::file("h", path).overwrite(),
        rotating(Rotation::by_size(0, 0)),
        rotating(Rotation::by_size(1_000, 1)),
        rotating(Rotation::every(1, Period::Days)),
        rotating(Rotation::every(1, Period::Midnight)).policy(Policy::Audit),
    ]
}

fn build(handler: Handler) -> (Dispatch, Logging) {
    let (subscriber, logging) = with(handler).build().unwrap();
    (Dispatch::new(subscriber), logging)
}

fn log(dispatch: &Dispatch, text: &str) {
    tracing::dispatcher::with_default(dispatch, || info!("{text}"));
}

fn lines(letters: &str) -> String {
    letters.chars().map(|letter| format!("{{\"message\":\"{letter}\"}}\n")).collect()
}

#[test]
fn every_file_handler_follows_the_name_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let elsewhere = folder.path().join("elsewhere");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    for handler in handlers(&path) {
        let shown = format!("{handler:?}");
        let (dispatch, logging) = build(handler);
        let log = |text| {
            log(&dispatch, text);
            logging.flush().unwrap();
        };
        log("a");
        fs::rename(&path, &elsewhere).unwrap();
        log("b");
        assert_eq!((read(&elsewhere), read(&path)), (lines("a"), lines("b")), "{shown}");
        fs::remove_file(&path).unwrap();
        log("c");
        assert_eq!(read(&path), lines("c"), "{shown}");
        // Another file gets the name, as by an editor that saves.
        fs::rename(&elsewhere, &path).unwrap();
        log("d");
        assert_eq!(read(&path), lines("ad"), "{shown}");
        let counts = logging.counts().remove(0);
        assert_eq!((counts.written, counts.lost), (4, 0), "{shown}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn files_are_opened_again_on_request_without_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    for handler in handlers(&path) {
        let shown = format!("{handler:?}");
        let (dispatch, logging) = build(handler);
        log(&dispatch, "a");
        logging.flush().unwrap();
        fs::remove_file(&path).unwrap();
        logging.reopen();
        logging.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "", "{shown}");
        log(&dispatch, "b");
        logging.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), lines("b"), "{shown}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn records_that_are_logged_while_files_are_moved_are_in_exactly_one_of_them() {
    const THREADS: usize = 4;
    const EACH: usize = 2_000;
    for kind in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let handler = match kind {
            0 => Handler::file("h", &path),
            1 => Handler::file("h", &path).policy(Policy::Audit),
            2 => Handler::rotating("h", &path, Rotation::by_size(2_000, 100_000)),
            _ => Handler::rotating("h", &path, Rotation::every(1, Period::Days)),
        };
        let (dispatch, logging) = build(handler);
        let moved = thread::scope(|scope| {
            let writers: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let dispatch = &dispatch;
                    scope.spawn(move || {
                        (0..EACH).for_each(|number| log(dispatch, &format!("{thread} {number}")));
                    })
                })
                .collect();
            let mut moved = 0;
            while !writers.iter().all(|writer| writer.is_finished()) {
                moved += 1;
                // The name is missing for a moment after the last rename.
                let _ = fs::rename(&path, folder.path().join(format!("moved{moved}")));
                if moved % 2 == 0 {
                    logging.reopen();
                }
                thread::yield_now();
            }
            moved
        });
        logging.finish().unwrap();
        assert!(moved > 1);
        assert_eq!(logging.counts()[0].written, (THREADS * EACH) as u64);
        let mut found: Vec<String> = Vec::new();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(text.is_empty() || text.ends_with("}\n"));
            found.extend(text.lines().map(str::to_owned));
        }
        found.sort();
        let mut expected: Vec<String> = (0..THREADS)
            .flat_map(|thread| (0..EACH).map(move |number| format!("{thread} {number}")))
            .map(|text| format!("{{\"message\":\"{text}\"}}"))
            .collect();
        expected.sort();
        assert!(found == expected, "{kind}: {} {}", found.len(), expected.len());
    }
}

#[test]
fn records_for_a_removed_folder_are_counted_as_lost() {
    let test = "files::records_for_a_removed_folder_are_counted_as_lost";
    let output = child(test, &[], || {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("logs");
        for handler in handlers(&folder.join("log")) {
            let shown = format!("{handler:?}");
            fs::create_dir(&folder).unwrap();
            let (dispatch, logging) = build(handler);
            log(&dispatch, "a");
            logging.flush().unwrap();
            fs::remove_dir_all(&folder).unwrap();
            log(&dispatch, "b");
            let error = logging.flush().unwrap_err().to_string();
            assert!(
                error.contains("logs/log was removed and cannot be created again: "),
                "{error}"
            );
            log(&dispatch, "c");
            // The exit status follows this: the sink still fails.
            assert!(logging.finish().unwrap_err().failure().is_some(), "{shown}");

            log(&dispatch, "d");
            logging.flush().unwrap_err();
            fs::create_dir(&folder).unwrap();
            log(&dispatch, "e");
            log(&dispatch, "f");
            logging.finish().unwrap();
            let counts = logging.counts().remove(0);
            assert_eq!((counts.written, counts.lost), (3, 3), "{shown}");
            assert_eq!(fs::read_to_string(folder.join("log")).unwrap(), lines("ef"), "{shown}");
            fs::remove_dir_all(&folder).unwrap();
        }
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    let handlers = handlers(Path::new("")).len();
    assert_eq!(stderr.matches("could not be written by the handler `h`").count(), handlers);
    assert_eq!(stderr.matches("3 log records were lost in all").count(), handlers, "{stderr}");
}

#[test]
fn a_failure_that_is_over_is_an_error_of_flush_but_not_of_finish() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("logs");
    for is_flushed in [true, false] {
        fs::create_dir(&folder).unwrap();
        let handler = Handler::file("h", folder.join("log")).policy(Policy::Audit);
        let (dispatch, logging) = build(handler);
        fs::remove_dir_all(&folder).unwrap();
        log(&dispatch, "lost");
        fs::create_dir(&folder).unwrap();
        log(&dispatch, "written");
        if is_flushed {
            logging.flush().unwrap_err();
        }
        logging.finish().unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_file_in_a_renamed_folder_stays_in_use() {
    let test = "files::a_file_in_a_renamed_folder_stays_in_use";
    let output = child(test, &[], || {
        let root = tempfile::tempdir().unwrap();
        let (folder, aside) = (root.path().join("logs"), root.path().join("aside"));
        fs::create_dir(&folder).unwrap();
        let (dispatch, logging) = build(Handler::file("h", folder.join("log")));
        fs::rename(&folder, &aside).unwrap();
        for text in ["a", "b"] {
            log(&dispatch, text);
            logging.flush().unwrap();
        }
        assert_eq!(fs::read_to_string(aside.join("log")).unwrap(), lines("ab"));
        fs::create_dir(&folder).unwrap();
        log(&dispatch, "c");
        logging.finish().unwrap();
        assert_eq!(fs::read_to_string(folder.join("log")).unwrap(), lines("c"));
        assert_eq!(logging.lost_records(), 0);
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr.matches("records go to the renamed file until it can").count(),
        1,
        "{stderr}"
    );
}

/// Logs until there is a file with another name than `log` and `kept`.
fn rotated(folder: &Path, dispatch: &Dispatch, logging: &Logging) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        assert!(Instant::now() < deadline, "nothing is rotated");
        log(dispatch, "x");
        logging.flush().unwrap();
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names = names.map(|name| name.into_string().unwrap());
        if let Some(name) = names.find(|name| name != "log" && !name.contains(".2199-")) {
            return name;
        }
        thread::yield_now();
    }
}

#[test]
fn a_clock_that_was_ahead_does_not_stop_rotation_or_remove_new_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    // A clock that was in 2199 for a while leaves an old file, and the time of the current one.
    fs::write(folder.path().join("log.2199-01-01_00-00-00"), "old\n").unwrap();
    fs::write(&path, "").unwrap();
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(7_226_582_400)).unwrap();
    drop(file);
    let rotation = Rotation::every(1, Period::Seconds).keep(1);
    let (dispatch, logging) = build(Handler::rotating("h", &path, rotation));
    let old = rotated(folder.path(), &dispatch, &logging);
    assert!(old.starts_with("log.2"), "{old}");
    assert!(!folder.path().join("log.2199-01-01_00-00-00").exists());
}

/// Runs a function that must not block.
fn promptly<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, result) = mpsc::channel();
    thread::spawn(move || sender.send(run()));
    result.recv_timeout(Duration::from_secs(30)).expect("does not block")
}

#[test]
fn only_files_and_streams_with_a_reader_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _listener = UnixListener::bind(&socket).unwrap();
    for path in [&pipe, &socket] {
        for handler in handlers(path) {
            let error = promptly(|| with(handler).build().map(|_| ()).unwrap_err().to_string());
            let expected =
                "it is a pipe that no process reads, or a socket; start the reader first, or log";
            assert!(error.contains(expected), "{error}");
        }
    }

    let reader = {
        let pipe = pipe.clone();
        // Waits for the writer.
        thread::spawn(move || BufReader::new(fs::File::open(pipe).unwrap()))
    };
    let (dispatch, logging) = loop {
        if let Ok((subscriber, logging)) = with(Handler::file("h", &pipe)).build() {
            break (Dispatch::new(subscriber), logging);
        }
        thread::yield_now();
    };
    let mut reader = reader.join().unwrap();
    // More than the pipe holds.
    let number = 2_000;
    let writer = thread::spawn(move || {
        (0..number).for_each(|_| log(&dispatch, &"x".repeat(100)));
        logging.finish()
    });
    let mut line = String::new();
    for _ in 0..number {
        line.clear();
        reader.read_line(&mut line).unwrap();
        assert_eq!(line.len(), 115);
    }
    writer.join().unwrap().unwrap();
}
