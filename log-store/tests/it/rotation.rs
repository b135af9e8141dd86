//! Files are followed through rotation: each record is taken once.

use std::fs;
use std::path::Path;

use crate::support::{Folder, Server, compress, id, prediction, text, today};

/// The records of predictions with these numbers.
fn lines(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers
        .flat_map(|number| prediction(&id(number), &today(number as u32), 30, number as f64))
        .collect()
}

/// Checks that each prediction up to `count` is in the store once, with both records.
fn check(server: &Server, count: u64) {
    let health = server.wait_for_records(2 * count);
    assert_eq!(health["records"], 2 * count);
    let found = server.search("status=success");
    let mut numbers: Vec<_> =
        found.iter().map(|found| found["outputs"]["charges"].as_f64().unwrap() as u64).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
}

fn start(folder: &Folder) -> Server {
    Server::start(folder, &[folder.path("app.log").to_str().unwrap()])
}

#[test]
fn a_renamed_file_is_read_to_its_end() {
    let folder = Folder::new();
    let server = start(&folder);
    folder.append("app.log", &lines(0..10));
    server.wait_for_records(20);
    folder.append("app.log", &lines(10..20));
    fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    folder.append("app.log", &lines(20..30));
    // The writer still has the old file open.
    folder.append("app.log.1", &lines(30..35));
    check(&server, 35);
}

#[test]
fn several_rotations_between_two_looks_lose_nothing() {
    let folder = Folder::new();
    folder.append("app.log", &lines(0..10));
    let server = start(&folder);
    server.wait_for_records(20);
    for round in 1..6 {
        for index in (1..round).rev() {
            let path = |index: u64| folder.path(&format!("app.log.{index}"));
            fs::rename(path(index), path(index + 1)).unwrap();
        }
        fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
        folder.append("app.log", &lines(round * 10..round * 10 + 10));
    }
    check(&server, 60);
}

#[test]
fn a_truncated_file_is_read_to_its_end_from_the_copy() {
    let folder = Folder::new();
    folder.append("app.log", &lines(0..10));
    let server = start(&folder);
    server.wait_for_records(20);
    folder.append("app.log", &lines(10..12));
    fs::copy(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    fs::write(folder.path("app.log"), text(&lines(12..14))).unwrap();
    check(&server, 14);
}

#[test]
fn a_truncated_file_that_has_grown_beyond_its_old_size_is_noticed() {
    let folder = Folder::new();
    folder.append("app.log", &lines(0..2));
    let server = start(&folder);
    server.wait_for_records(4);
    fs::copy(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    fs::write(folder.path("app.log"), text(&lines(2..40))).unwrap();
    check(&server, 40);
}

#[test]
fn compression_changes_nothing() {
    for extension in ["gz", "zst"] {
        let folder = Folder::new();
        folder.append("app.log", &lines(0..10));
        let server = start(&folder);
        server.wait_for_records(20);
        drop(server);
        // While nothing is running: a rotation with compression, and another one.
        compress(&folder.path(&format!("app.log.2.{extension}")), &text(&lines(0..15)));
        compress(&folder.path(&format!("app.log.1.{extension}")), &text(&lines(15..20)));
        fs::write(folder.path("app.log"), text(&lines(20..30))).unwrap();
        check(&start(&folder), 30);
    }
}

#[test]
fn a_compressed_file_can_be_named_itself() {
    let folder = Folder::new();
    let path = folder.path("old.log.gz");
    compress(&path, &text(&lines(0..20)));
    check(&Server::start(&folder, &[path.to_str().unwrap()]), 20);
    check(&Server::start(&folder, &[path.to_str().unwrap()]), 20);
}

#[test]
fn an_incomplete_compressed_file_is_read_when_it_is_complete() {
    let folder = Folder::new();
    let [path, whole] = ["app.log.1.gz", "whole.gz"].map(|name| folder.path(name));
    folder.append("app.log", &lines(0..10));
    let server = start(&folder);
    server.wait_for_records(20);
    compress(&whole, &text(&lines(0..10)));
    let bytes = fs::read(&whole).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(folder.path("app.log"), text(&lines(10..20))).unwrap();
    server.wait_for_records(40);
    fs::write(&path, &bytes).unwrap();
    check(&server, 20);
    drop(server);
    check(&start(&folder), 20);
}

#[test]
fn a_restart_continues_where_reading_ended() {
    let folder = Folder::new();
    for round in 0..5 {
        folder.append("app.log", &lines(round * 10..round * 10 + 10));
        check(&start(&folder), round * 10 + 10);
    }
}

#[test]
fn the_same_file_under_several_names_is_read_once() {
    let folder = Folder::new();
    folder.append("app.log.1", &lines(0..10));
    folder.append("app.log", &lines(10..20));
    let [one, other] = ["app.log", "app.log.1"].map(|name| folder.path(name));
    let names = [&one, &other, &one].map(|path: &std::path::PathBuf| path.to_str().unwrap());
    check(&Server::start(&folder, &names), 20);
}

#[test]
fn a_torn_line_is_completed_later() {
    let folder = Folder::new();
    let server = start(&folder);
    let all = text(&lines(0..10));
    let (first, second) = all.split_at(all.len() - 100);
    write_to(&folder.path("app.log"), first);
    server.wait_for_records(19);
    write_to(&folder.path("app.log"), second);
    check(&server, 10);
}

fn write_to(path: &Path, text: &str) {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
