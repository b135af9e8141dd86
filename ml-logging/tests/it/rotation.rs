//! Rotation of files: every record is in exactly one file, and whole.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use crate::support::{Record, child, command, is_child};
use ml_configuration::{Document, Problems};
use ml_logging::{
    Configuration, Filters, Handler, JsonFormatter, Logger, Logging, Period, Policy, Rotation,
};
use serde_json::json;
use tracing::{Dispatch, info, level_filters::LevelFilter};

fn build(handler: Handler) -> (Dispatch, Logging) {
    let format = JsonFormatter::new("%(message)s").unwrap();
    let (subscriber, logging) = Configuration::new()
        .environment(|_| None)
        .handler(handler.formatter(format))
        .logger(Logger::root().level(LevelFilter::INFO).handler("h"))
        .build()
        .unwrap();
    (Dispatch::new(subscriber), logging)
}

/// Builds the handler `h` of a text.
fn configured(handler: &str) -> (Dispatch, Logging) {
    let text = format!(
        "version: 1\nformatters: {{f: {{class: JsonFormatter, format: \"%(message)s\"}}}}\n\
         handlers: {{h: {{formatter: f, {handler}}}}}\nroot: {{level: INFO, handlers: [h]}}"
    );
    let document = Document::parse("f", &text).unwrap();
    let mut problems = Problems::new();
    let configuration = Configuration::read(document.root(), &Filters::new(), &mut problems);
    let configuration = problems.into_result(configuration).unwrap().unwrap();
    let (subscriber, logging) = configuration.environment(|_| None).build().unwrap();
    (Dispatch::new(subscriber), logging)
}

/// Logs a record, and waits until it is written.
fn log(dispatch: &Dispatch, logging: &Logging, text: &str) {
    tracing::dispatcher::with_default(dispatch, || info!("{text}"));
    logging.flush().unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn records(path: &Path) -> Vec<Record> {
    let text = fs::read_to_string(path).unwrap();
    text.split_inclusive('\n').map(Record::read).collect()
}

/// Returns the joined messages of a file.
fn text(path: PathBuf) -> String {
    let records = records(&path);
    records.iter().map(|record| record["message"].as_str().unwrap()).collect()
}

/// Checks that the files contain all records of each thread once, and in order from the oldest file on.
fn check(folder: &Path, threads: usize, each: usize, max_bytes: u64) {
    let mut files: Vec<(u32, PathBuf)> = Vec::new();
    for name in names(folder) {
        let number = name.strip_prefix("log").unwrap().strip_prefix('.');
        files.push((number.map_or(0, |number| number.parse().unwrap()), folder.join(name)));
    }
    files.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    assert!(files.len() > 5, "{files:?}");
    let mut next: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, path) in files {
        assert!(path.metadata().unwrap().len() <= max_bytes, "{path:?}");
        for record in records(&path) {
            let next = next.entry(record["thread"].as_u64().unwrap()).or_default();
            assert_eq!(record["number"], json!(*next));
            *next += 1;
        }
    }
    assert_eq!(next.len(), threads);
    assert!(next.values().all(|next| *next == each as u64), "{next:?}");
}

#[test]
fn threads_that_log_while_files_are_rotated_lose_nothing() {
    const THREADS: usize = 4;
    const EACH: usize = 3_000;
    for policy in [Policy::Block, Policy::Audit] {
        let folder = tempfile::tempdir().unwrap();
        let rotation = Rotation::by_size(10_000, 100_000);
        let handler = Handler::rotating("h", folder.path().join("log"), rotation).policy(policy);
        let (dispatch, logging) = build(handler);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let dispatch = dispatch.clone();
                scope.spawn(move || {
                    tracing::dispatcher::with_default(&dispatch, || {
                        (0..EACH).for_each(|number| info!(thread, number, "x"));
                    });
                });
            }
        });
        logging.flush().unwrap();
        assert_eq!(logging.counts()[0].written, (THREADS * EACH) as u64);
        check(folder.path(), THREADS, EACH, 10_000);
    }
}

#[cfg(unix)]
#[test]
fn processes_that_share_a_file_lose_nothing() {
    let test = "rotation::processes_that_share_a_file_lose_nothing";
    const PROCESSES: usize = 3;
    const EACH: usize = 3_000;
    if is_child() {
        let variable = |name: &str| std::env::var(name).unwrap();
        let rotation = Rotation::by_size(20_000, 100_000);
        let (dispatch, logging) = build(Handler::rotating("h", variable("LOG_FILE"), rotation));
        let thread: usize = variable("LOG_THREAD").parse().unwrap();
        tracing::dispatcher::with_default(&dispatch, || {
            (0..EACH).for_each(|number| info!(thread, number, "x"));
        });
        assert_eq!(logging.counts()[0].failed_rotations, 0);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..PROCESSES)
        .map(|thread| {
            let mut command = command(test);
            command.env("LOG_FILE", folder.path().join("log"));
            command.env("LOG_THREAD", thread.to_string()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    // Several processes may use the same free space.
    check(folder.path(), PROCESSES, EACH, 20_000 * PROCESSES as u64);
}

#[cfg(unix)]
#[test]
fn processes_that_share_a_file_remove_old_ones_without_failing() {
    let test = "rotation::processes_that_share_a_file_remove_old_ones_without_failing";
    const PROCESSES: usize = 4;
    let since_epoch = || SystemTime::UNIX_EPOCH.elapsed().unwrap();
    if is_child() {
        let variable = |name: &str| std::env::var(name).unwrap();
        let until = Duration::from_millis(variable("LOG_UNTIL").parse().unwrap());
        let rotation = Rotation::every(1, Period::Seconds).keep(1);
        let handler = Handler::rotating("h", variable("LOG_FILE"), rotation);
        let (dispatch, logging) = build(handler.policy(Policy::Audit));
        tracing::dispatcher::with_default(&dispatch, || {
            info!("x");
            while since_epoch() < until {
                info!("x");
            }
        });
        let counts = logging.counts().remove(0);
        assert_eq!((counts.failed_rotations, counts.lost), (0, 0));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    // Removing so many files takes long enough for all processes to overlap.
    for number in 0..2_000 {
        fs::write(folder.path().join(format!("log.2021-03-04_05-06-07.{number}")), "").unwrap();
    }
    fs::write(&path, "").unwrap();
    let until = since_epoch() + Duration::from_millis(2_500);
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut command = command(test);
            command.env("LOG_FILE", &path).env("LOG_UNTIL", until.as_millis().to_string());
            command.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let names = names(folder.path());
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[1].as_str() > "log.2021-03-04_05-06-07.", "{names:?}");
}

#[test]
fn backups_are_numbered_and_the_oldest_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, "{\"message\":\"a\"}\n").unwrap();
    // Two records of 16 bytes.
    let handler = format!(
        "class: logging.handlers.RotatingFileHandler, filename: {path:?}, maxBytes: 32, \
         backupCount: 2, mode: w, encoding: utf-8"
    );
    let (dispatch, logging) = configured(&handler);
    for (letter, expected) in [
        ("b", ["ab", "", ""]),
        ("c", ["c", "ab", ""]),
        ("d", ["cd", "ab", ""]),
        ("e", ["e", "cd", "ab"]),
        ("f", ["ef", "cd", "ab"]),
        ("g", ["g", "ef", "cd"]),
        // Larger than any file.
        (
            "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
            ["hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", "g", "ef"],
        ),
        ("i", ["i", "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", "g"]),
    ] {
        log(&dispatch, &logging, letter);
        let files = ["log", "log.1", "log.2"].map(|name| folder.path().join(name));
        let texts = files.map(|path| if path.exists() { text(path) } else { String::new() });
        assert_eq!(texts, expected);
    }
    assert_eq!(names(folder.path()), ["log", "log.1", "log.2"]);
}

#[test]
fn without_a_size_or_backups_nothing_is_rotated() {
    for keys in ["maxBytes: 20", "backupCount: 3", "maxBytes: 20, backupCount: 0"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (dispatch, logging) =
            configured(&format!("class: RotatingFileHandler, filename: {path:?}, {keys}"));
        for letter in ["a", "b", "c"] {
            log(&dispatch, &logging, letter);
        }
        assert_eq!(names(folder.path()), ["log"]);
        assert_eq!(text(path), "abc");
    }
}

/// Sets the time of the last change of a file.
fn set_modified(path: &Path, seconds: u64) {
    fs::write(path, "{\"message\":\"old\"}\n").unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_file_of_yesterday_is_rotated_first() {
    // 2021-03-04 05:06:07, a Thursday.
    const THEN: u64 = 1_614_834_367;
    for (keys, suffix) in [
        ("", "2021-03-04_05"),
        ("when: h, interval: 2", "2021-03-04_05"),
        ("when: S", "2021-03-04_05-06-07"),
        ("when: M", "2021-03-04_05-06"),
        ("when: D", "2021-03-04"),
        ("when: MIDNIGHT, encoding: utf-8", "2021-03-04"),
        ("when: midnight, atTime: \"05:00\"", "2021-03-04"),
        ("when: midnight, atTime: \"05:30:00\"", "2021-03-03"),
        ("when: W3", "2021-02-26"),
        ("when: W0", "2021-03-02"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        set_modified(&path, THEN);
        fs::write(folder.path().join(format!("app.log.{suffix}")), "kept\n").unwrap();
        let handler =
            format!("class: TimedRotatingFileHandler, filename: {path:?}, utc: true, {keys}");
        let (dispatch, logging) = configured(handler.trim_end_matches(", "));
        // Nothing happens before the first record.
        assert_eq!(text(path.clone()), "old");
        log(&dispatch, &logging, "new");
        log(&dispatch, &logging, "newer");
        // Nothing is overwritten.
        let old = format!("app.log.{suffix}.1");
        assert_eq!(text(folder.path().join(&old)), "old", "{keys}");
        if !keys.contains("when: S") {
            assert_eq!(names(folder.path()), ["app.log", &format!("app.log.{suffix}"), &old]);
            assert_eq!(text(path), "newnewer");
        }
    }
}

#[test]
fn local_time_is_the_time_of_the_machine() {
    // 2021-03-04 05:06:07 UTC, where it is 14:06:07.
    const THEN: u64 = 1_614_834_367;
    child("rotation::local_time_is_the_time_of_the_machine", &[("TZ", "Asia/Tokyo")], || {
        for (keys, suffix) in [
            ("when: H", "2021-03-04_14"),
            ("when: H, utc: false", "2021-03-04_14"),
            ("when: H, utc: true", "2021-03-04_05"),
            ("when: midnight, atTime: \"14:30\"", "2021-03-03"),
            ("when: midnight, atTime: \"14:00\"", "2021-03-04"),
            ("when: midnight, atTime: \"14:00\", utc: true", "2021-03-03"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            set_modified(&path, THEN);
            let (dispatch, logging) =
                configured(&format!("class: TimedRotatingFileHandler, filename: {path:?}, {keys}"));
            log(&dispatch, &logging, "new");
            assert_eq!(names(folder.path()), ["log", &format!("log.{suffix}")], "{keys}");
        }
    });
}

/// 2020-10-25 02:30 in summer time, half an hour before clocks in Berlin are set back to 02:00.
const SUMMER: u64 = 1_603_585_800;

#[test]
fn no_file_of_an_hour_that_occurs_twice_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    for began in [SUMMER, SUMMER + 3_600, SUMMER + 7_200] {
        set_modified(&path, began);
        let rotation =
            Rotation::every(1, Period::Hours).time_zone("Europe/Berlin".parse().unwrap());
        let (dispatch, logging) = build(Handler::rotating("h", &path, rotation.keep(3)));
        log(&dispatch, &logging, "new");
    }
    let old = ["log.2020-10-25_02", "log.2020-10-25_02.1", "log.2020-10-25_03"];
    assert_eq!(names(folder.path()), [&["log"], &old[..]].concat());
    let began = old.map(|name| folder.path().join(name).metadata().unwrap().modified().unwrap());
    assert!(began.is_sorted());
}

#[test]
fn the_last_files_of_an_hour_that_occurs_twice_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    set_modified(&file("log.2020-10-25_02-30"), SUMMER);
    set_modified(&file("log.2020-10-25_02-31"), SUMMER + 60);
    // 02:10, in winter time.
    set_modified(&file("log"), SUMMER + 2_400);
    let rotation = Rotation::every(1, Period::Minutes).time_zone("Europe/Berlin".parse().unwrap());
    let (dispatch, logging) = build(Handler::rotating("h", file("log"), rotation.keep(2)));
    log(&dispatch, &logging, "new");
    assert_eq!(names(folder.path()), ["log", "log.2020-10-25_02-10", "log.2020-10-25_02-31"]);
}

#[test]
fn old_files_are_removed_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    for name in ["log.2021-03-01", "log.2021-03-02", "log.2021-03-02.2", "log.2021-03-02.10"] {
        fs::write(file(name), "").unwrap();
    }
    let others = ["log.2021-03-01_12", "log.gz", "log.2021-03-01.gz", "other.2021-03-01"];
    for name in others {
        fs::write(file(name), "").unwrap();
    }
    set_modified(&file("log"), 1_614_834_367);
    let rotation = Rotation::every(1, Period::Midnight).keep(2);
    let (dispatch, logging) = build(Handler::rotating("h", file("log"), rotation));
    log(&dispatch, &logging, "new");
    let mut expected = others.map(str::to_owned).to_vec();
    expected.extend(["log", "log.2021-03-02.10", "log.2021-03-04"].map(str::to_owned));
    expected.sort();
    assert_eq!(names(folder.path()), expected);
}

#[test]
fn a_renamed_or_removed_file_is_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let rotation = Rotation::by_size(1_000, 1);
    let (dispatch, logging) = build(Handler::rotating("h", &path, rotation));
    log(&dispatch, &logging, "a");
    fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    log(&dispatch, &logging, "b");
    assert_eq!(text(folder.path().join("elsewhere")), "a");
    assert_eq!(text(path.clone()), "b");
    fs::remove_file(&path).unwrap();
    log(&dispatch, &logging, "c");
    assert_eq!(text(path), "c");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_rotated_stays_in_use() {
    let test = "rotation::a_file_that_cannot_be_rotated_stays_in_use";
    let output = child(test, &[], || {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("logs"), folder.path().join("aside"));
        fs::create_dir(&path).unwrap();
        let rotation = Rotation::by_size(64, 1);
        let (dispatch, logging) = build(Handler::rotating("h", path.join("log"), rotation));
        log(&dispatch, &logging, "a");
        // A folder that is not empty has the name of the backup, so that not even root can rename.
        fs::create_dir_all(path.join("log.1").join("x")).unwrap();
        for _ in 0..8 {
            log(&dispatch, &logging, "b");
        }
        let counts = logging.counts().remove(0);
        assert_eq!((counts.written, counts.lost), (9, 0));
        assert!(counts.failed_rotations > 0);
        assert_eq!(text(path.join("log")), "abbbbbbbb");

        // The folder disappears.
        fs::rename(&path, &aside).unwrap();
        log(&dispatch, &logging, "c");
        log(&dispatch, &logging, "d");
        assert_eq!(logging.counts()[0].lost, 0);
        assert_eq!(text(aside.join("log")), "abbbbbbbbcd");
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.matches("could not be rotated").count(), 1, "{stderr}");
    assert!(stderr.contains("the file stays in use, and the rotation is retried"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_device_is_never_rotated() {
    let (dispatch, logging) = build(Handler::rotating("h", "/dev/null", Rotation::by_size(10, 1)));
    (0..10).for_each(|_| log(&dispatch, &logging, "x"));
    let counts = logging.counts().remove(0);
    assert_eq!((counts.written, counts.failed_rotations), (10, 0));
}

#[cfg(unix)]
#[test]
fn a_lock_is_not_awaited_forever() {
    let test = "rotation::a_lock_is_not_awaited_forever";
    let output = child(test, &[], || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (dispatch, logging) = build(Handler::rotating("h", &path, Rotation::by_size(20, 1)));
        log(&dispatch, &logging, "a");
        // Like a process that is suspended while it rotates.
        let held = fs::File::open(&path).unwrap();
        held.lock().unwrap();
        log(&dispatch, &logging, "b");
        let counts = logging.counts().remove(0);
        assert_eq!((counts.written, counts.lost, counts.failed_rotations), (2, 0, 1));
        assert_eq!(text(path), "ab");
    });
    let Some(output) = output else { return };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("could not be rotated: another process has locked it"), "{stderr}");
}
