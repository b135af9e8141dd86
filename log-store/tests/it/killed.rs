//! A program that is killed at any moment neither loses nor doubles a record.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{Folder, Server, id, prediction, text, today};

const PREDICTIONS: u64 = 30_000;
const BATCH: u64 = 250;
/// Predictions per file.
const ROTATION: u64 = 7_000;

#[test]
fn kills_under_load_and_rotation_leave_exact_counts() {
    let folder = Folder::new();
    let log = folder.path("app.log");
    let is_written = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut files = 0;
            for start in (0..PREDICTIONS).step_by(BATCH as usize) {
                let numbers = start..start + BATCH;
                let lines: Vec<_> = numbers
                    .flat_map(|number| {
                        prediction(&id(number), &today(number as u32), 30, number as f64)
                    })
                    .collect();
                if start % ROTATION < BATCH && start > 0 {
                    files += 1;
                    fs::rename(&log, folder.path(&format!("app.log.{files}"))).unwrap();
                }
                folder.append("app.log", &lines);
                // The kills are to be spread over the writing.
                thread::sleep(Duration::from_millis(20));
            }
            is_written.store(true, Ordering::Release);
        });
        let mut kills = 0_u64;
        while !is_written.load(Ordering::Acquire) {
            let server = Server::start(&folder, &[log.to_str().unwrap()]);
            thread::sleep(Duration::from_millis(50 + kills * 37 % 200));
            server.kill();
            kills += 1;
        }
        assert!(kills >= 3, "{kills} kills");
    });
    let server = Server::start(&folder, &[log.to_str().unwrap()]);
    let health = server.wait_for_records(2 * PREDICTIONS);
    assert_eq!(health["records"], 2 * PREDICTIONS);
    assert_eq!(health["rejected"], 0);
    let overview = server.get("/api/overview?from=today&to=today");
    assert_eq!(overview["totals"]["success"], PREDICTIONS);
    assert_eq!(overview["totals"]["pending"], 0);
    assert_eq!(overview["instances"][0]["success"], PREDICTIONS);
    assert_eq!(server.get("/api/fields/charges?from=today&to=today")["count"], PREDICTIONS);
    let mut numbers = Vec::new();
    let mut after = String::new();
    loop {
        let page = server.get(&format!("/api/predictions?limit=10000&after={after}"));
        numbers.extend(page["predictions"].as_array().unwrap().iter().map(|found| {
            assert_eq!(found["status"], "success");
            found["outputs"]["charges"].as_f64().unwrap() as u64
        }));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    numbers.sort_unstable();
    assert!(numbers == (0..PREDICTIONS).collect::<Vec<_>>(), "{} predictions", numbers.len());
}

#[test]
fn a_second_writer_is_refused() {
    let folder = Folder::new();
    folder.append("app.log", &[text(&prediction(&id(1), &today(1), 30, 1.0))]);
    let log = folder.path("app.log");
    let _server = Server::start(&folder, &[log.to_str().unwrap()]);
    let output = crate::support::serve(&folder, &[log.to_str().unwrap()]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("another ml-logs writes into"), "{message}");
}
