//! Old days are deleted, and the disk is not filled.

use std::fs;

use crate::support::{Folder, Server, id, prediction, today};

/// Records of the last days, the newest day first.
fn lines_of_days(folder: &Folder, days: i32, predictions: u64) -> Vec<String> {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut dates = Vec::new();
    for day in (0..days).rev() {
        let date = now.checked_sub(jiff::Span::new().days(day)).unwrap();
        let lines: Vec<_> = (0..predictions)
            .flat_map(|number| prediction(&id(number), &format!("{date} 00:00:00,000"), 30, 1.0))
            .collect();
        folder.append("app.log", &lines);
        dates.insert(0, date.to_string());
    }
    dates
}

fn files(folder: &Folder) -> Vec<String> {
    let names = fs::read_dir(folder.store()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut days: Vec<_> = names
        .filter_map(|name| name.to_str()?.strip_suffix(".sqlite").map(str::to_owned))
        .collect();
    days.sort();
    days.reverse();
    days
}

#[test]
fn days_are_deleted_by_age_and_do_not_come_back() {
    let folder = Folder::new();
    let dates = lines_of_days(&folder, 5, 10);
    let log = folder.path("app.log");
    let server = Server::start(&folder, &[log.to_str().unwrap()]);
    server.wait_for_records(100);
    assert_eq!(files(&folder), dates);
    drop(server);
    let server = Server::start(&folder, &[log.to_str().unwrap(), "--retention-days", "2"]);
    server.wait(|_| files(&folder) == dates[..3]);
    assert_eq!(server.search("").len(), 30);
    drop(server);
    // A copy of the log with a line in front is another file. Its old records are not kept.
    fs::write(folder.path("app.log.1"), format!("first\n{}", fs::read_to_string(&log).unwrap()))
        .unwrap();
    let server = Server::start(&folder, &[log.to_str().unwrap(), "--retention-days", "2"]);
    server.wait(|health| health["expired"] == 40);
    assert_eq!(files(&folder), dates[..3]);
}

#[test]
fn days_are_deleted_by_size_the_oldest_first() {
    let folder = Folder::new();
    let dates = lines_of_days(&folder, 4, 2000);
    let log = folder.path("app.log");
    let server = Server::start(&folder, &[log.to_str().unwrap()]);
    server.wait_for_records(16_000);
    drop(server);
    let server = Server::start(&folder, &[log.to_str().unwrap(), "--max-size", "1200KB"]);
    server.wait(|_| files(&folder).len() < 4);
    let left = files(&folder);
    assert!(!left.is_empty() && left == dates[..left.len()], "{left:?}");
}

#[test]
fn nothing_is_taken_while_the_disk_is_full() {
    let folder = Folder::new();
    folder.append("app.log", &prediction(&id(1), &today(1), 30, 1.0));
    let log = folder.path("app.log");
    // More than any disk has.
    let server = Server::start(&folder, &[log.to_str().unwrap(), "--min-free", "900000TB"]);
    let health = server.wait(|health| health["health_status"] == "NOT_TAKING_RECORDS");
    assert!(health["error"].as_str().unwrap().contains("are to stay free: make room"), "{health}");
    assert_eq!(server.search("").len(), 0);
    drop(server);
    // Nothing was lost.
    let server = Server::start(&folder, &[log.to_str().unwrap()]);
    server.wait_for_records(2);
    assert_eq!(server.search("").len(), 1);
}
