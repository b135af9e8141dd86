//! The configuration file, and mistakes on the command line.

use std::fs;

use crate::support::{Folder, PROGRAM, Server, id, prediction, run, today};

#[test]
fn a_file_configures_the_program() {
    let folder = Folder::new();
    folder.append("app.log", &prediction(&id(1), &today(1), 30, 1.0));
    let [log, store] = ["app.log", "store"].map(|name| folder.path(name).display().to_string());
    fs::write(
        folder.path("ml-logs.yaml"),
        format!(
            "files: [{log}]\nstore: {store}\naddress: 127.0.0.1:0\nretention_days: 30\nmax_size: 1GB\n\
             min_free: 1MB\ntime_zone: UTC\n"
        ),
    )
    .unwrap();
    let mut command = std::process::Command::new(PROGRAM);
    command.args(["serve", "--config"]).arg(folder.path("ml-logs.yaml"));
    let server = Server::start_command(command);
    server.wait_for_records(2);
    assert!(folder.store().join("lock").exists());
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_their_lines() {
    let folder = Folder::new();
    fs::write(
        folder.path("ml-logs.yaml"),
        "files: [a.log]\nstroe: x\naddress: localhost\nmax_size: big\ntime_zone: Berlin\ntoken: secret\n",
    )
    .unwrap();
    let output = run(&folder, &["serve", "--config", "ml-logs.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "ml-logs: ml-logs.yaml:2: unknown key `stroe`; did you mean `store`?\n\
         ml-logs.yaml:3: address: expected an IP address and a port, as in `127.0.0.1:8001`\n\
         ml-logs.yaml:4: max_size: expected a size such as `500MB`, `10GB` or `2GiB`, found `big`\n\
         ml-logs.yaml:5: time_zone: unknown time zone `Berlin`; write a name such as `Europe/Berlin` or `UTC`\n\
         ml-logs.yaml:6: token: expected `file:` with the path of a file that has the token; the token itself \
         does not belong in this file\n"
    );
}

#[test]
fn an_open_page_without_a_token_is_refused() {
    let folder = Folder::new();
    let error = |arguments: &[&str]| {
        let output = run(&folder, arguments);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let message = error(&["serve", "-", "--address", "0.0.0.0:0"]);
    assert!(
        message.contains("0.0.0.0:0 can be reached from other machines: give a token"),
        "{message}"
    );
    assert!(
        error(&["serve"]).contains("nothing to read: name log files, or `-` for standard input")
    );
    fs::write(folder.path("token"), "short").unwrap();
    let message = error(&["serve", "-", "--token-file", "token"]);
    assert!(message.contains("must have at least 16 letters"), "{message}");
}

#[test]
fn times_without_an_offset_are_in_the_configured_zone() {
    let folder = Folder::new();
    folder.append("app.log", &prediction(&id(1), "2026-07-01 14:00:00,000", 30, 1.0));
    let log = folder.path("app.log");
    let arguments = [log.to_str().unwrap(), "--time-zone", "Europe/Berlin"];
    let server = Server::start(&folder, &arguments);
    server.wait_for_records(2);
    assert_eq!(server.search("")[0]["requested_at"], "2026-07-01T12:00:00Z");
}
