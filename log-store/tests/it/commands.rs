//! Questions on the terminal.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{Folder, PROGRAM, Server, failure, id, prediction, run, today};

fn store() -> Folder {
    let folder = Folder::new();
    let lines: Vec<_> = (0..5)
        .flat_map(|number| {
            prediction(
                &id(number),
                &format!("2026-11-24 12:00:0{number},000"),
                60 + number as u32,
                1.5,
            )
        })
        .chain([failure(&id(9), "2026-11-24 12:00:09,000", "no \\u001b[31mtree")])
        .collect();
    folder.append("app.log", &lines);
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    server.wait_for_records(11);
    folder
}

fn output(folder: &Folder, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn query_prints_a_table_json_or_csv() {
    let folder = store();
    let table = output(&folder, &["query", "age>62", "status=success", "--store", "store"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("requested_at"), "{table}");
    assert!(
        lines[1].starts_with("2026-11-24T12:00:04Z") && lines[1].ends_with("64   50.0  1.5"),
        "{table}"
    );
    let json = output(&folder, &["query", "age=60..61", "--store", "store", "--format", "json"]);
    let found: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found[1]["prediction_id"], id(0));
    let csv = output(&folder, &["query", "--store", "store", "--format", "csv", "--limit", "2"]);
    assert_eq!(csv.lines().count(), 3);
    // The notice of an incomplete output is not part of the data.
    let errors = |arguments: &[&str]| {
        let all = [&["query", "--store", "store", "--format", "csv"], arguments].concat();
        String::from_utf8(run(&folder, &all).stderr).unwrap()
    };
    let message = "ml-logs: printed the newest 2, there may be more; raise --limit\n";
    assert_eq!(errors(&["--limit", "2"]), message);
    assert_eq!(errors(&["--limit", "7"]), "");
    // Text of a record does not control the terminal.
    let table = output(&folder, &["query", "status=error", "--store", "store"]);
    assert!(table.contains("no \\u{1b}[31mtree"), "{table}");
    let from = [
        "query",
        "--store",
        "store",
        "--from",
        "2026-11-24 12:00:03",
        "--to",
        "2026-11-24T12:00:04Z",
    ];
    assert_eq!(output(&folder, &from).lines().count(), 2);
}

#[test]
fn mistakes_are_shown_at_their_place() {
    let folder = store();
    let error = |arguments: &[&str]| {
        let output = run(&folder, arguments);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        error(&["query", "agee>62", "--store", "store"]),
        "ml-logs: mistake in the filter: unknown field `agee`; did you mean `age`?\n  agee>62\n  ^^^^\n"
    );
    let message = error(&["query", "--store", "store", "--from", "soon"]);
    assert!(message.starts_with("ml-logs: --from: `soon` is no time: write"), "{message}");
    let message = error(&["query", "--store", "elsewhere"]);
    assert_eq!(message, "ml-logs: there is no store at elsewhere; name its folder with --store\n");
}

#[test]
fn a_closed_output_ends_the_program_without_a_message() {
    let folder = store();
    for name in ["query", "stats"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(PROGRAM);
        command.args([name, "--store"]).arg(folder.store());
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn stats_prints_counts() {
    let folder = store();
    let stats = output(
        &folder,
        &["stats", "--store", "store", "--from", "2026-11-24", "--to", "2026-11-24"],
    );
    let all: Vec<_> =
        stats.lines().find(|line| line.starts_with("all")).unwrap().split_whitespace().collect();
    assert_eq!(all[1..4], ["5", "1", "0"], "{stats}");
    assert!(
        stats.contains("insurance_charges_model 0.1.0") && stats.contains("the store has"),
        "{stats}"
    );
}

#[test]
fn tail_prints_predictions_when_they_are_answered() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    folder.append("app.log", &prediction(&id(1), &today(1), 30, 1.0));
    server.wait_for_records(2);
    let mut tail = Command::new(PROGRAM)
        .args(["tail", "age<50", "--store"])
        .arg(folder.store())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(
        first.contains(&id(1)) && first.contains("{\"age\":30,\"bmi\":50.0} -> {\"charges\":1.0}"),
        "{first}"
    );
    let now = jiff::Timestamp::now().to_string().replace('T', " ").replace('Z', "");
    let now = &now[..19];
    folder.append("app.log", &prediction(&id(2), now, 60, 2.0));
    folder.append("app.log", &prediction(&id(3), now, 40, 3.0));
    let second = lines.next().unwrap().unwrap();
    assert!(second.contains(&id(3)), "{second}");
    tail.kill().unwrap();
    tail.wait().unwrap();
}
