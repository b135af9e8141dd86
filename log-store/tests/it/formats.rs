//! What is a record, and what becomes of it.

use serde_json::{Value, json};

use crate::support::{Folder, Server, failure, id, prediction, text, today};

fn served(lines: &[String], records: u64) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append("app.log", lines);
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    server.wait(|health| {
        let count = |name: &str| health[name].as_u64().unwrap();
        count("records") >= records && count("records") + count("rejected") >= lines.len() as u64
    });
    (folder, server)
}

#[test]
fn the_two_records_of_a_prediction_are_joined() {
    let (_folder, server) = served(&prediction(&id(1), "2026-11-24 18:39:40,689", 65, 49289.02), 2);
    let found = server.get(&format!("/api/predictions/{}", id(1)));
    for (key, expected) in [
        ("prediction_id", json!(id(1))),
        ("model", json!("insurance_charges_model")),
        ("version", json!("0.1.0")),
        ("instance", json!("vm")),
        ("status", json!("success")),
        ("requested_at", json!("2026-11-24T18:39:40.689Z")),
        ("answered_at", json!("2026-11-24T18:39:40.689Z")),
        ("duration_ms", json!(0.25)),
        ("inputs", json!({ "age": 65, "bmi": 50.0 })),
        ("outputs", json!({ "charges": 49289.02 })),
        ("error_info", Value::Null),
    ] {
        assert_eq!(found[key], expected, "{key}");
    }
    let records = found["records"].as_array().unwrap();
    let messages: Vec<_> = records.iter().map(|record| &record["message"]).collect();
    assert_eq!(messages, ["Prediction requested.", "Prediction created."]);
    // Everything that was logged is there, in its order, with the time in RFC 3339.
    let logged = prediction(&id(1), "2026-11-24T18:39:40.689Z", 65, 49289.02);
    for (record, line) in records.iter().zip(logged) {
        assert_eq!(record.to_string(), line);
    }
    let missing = server.json(&format!("/api/predictions/{}", id(2)), 404);
    assert_eq!(missing["type"], "NotFound");
}

#[test]
fn failed_pending_and_orphaned_predictions_stay_visible() {
    let time = today(1);
    let [failed_request, _] = prediction(&id(1), &time, 17, 0.0);
    let [pending, _] = prediction(&id(2), &time, 18, 0.0);
    let [_, orphan] = prediction(&id(3), &time, 19, 3.0);
    let error = failure(&id(1), &time, "no tree: the file is damaged");
    let (_folder, server) = served(&[failed_request, pending, orphan, error], 4);
    let get = |number| server.get(&format!("/api/predictions/{}", id(number)));
    let failed = get(1);
    assert_eq!(failed["status"], "error");
    assert_eq!(failed["error_info"], "no tree: the file is damaged");
    assert_eq!(failed["inputs"], json!({ "age": 17, "bmi": 50.0 }));
    let pending = get(2);
    assert_eq!((&pending["status"], &pending["answered_at"]), (&json!("pending"), &Value::Null));
    let orphan = get(3);
    assert_eq!((&orphan["status"], &orphan["requested_at"]), (&json!("success"), &Value::Null));
    assert_eq!((&orphan["outputs"], &orphan["inputs"]), (&json!({ "charges": 3.0 }), &json!({})));
    let totals = server.get("/api/overview?from=today")["totals"].clone();
    assert_eq!(totals["success"], 1);
    assert_eq!(totals["error"], 1);
    assert_eq!(totals["pending"], 1);
}

#[test]
fn records_are_joined_in_any_order_and_across_transactions() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    let [request, answer] = prediction(&id(1), &today(1), 30, 1.0);
    let [late_request, early_answer] = prediction(&id(2), &today(2), 40, 2.0);
    folder.append("app.log", &[request, early_answer]);
    server.wait_for_records(2);
    folder.append("app.log", &[answer, late_request]);
    server.wait_for_records(4);
    for (number, age) in [(1, 30), (2, 40)] {
        let found = server.get(&format!("/api/predictions/{}", id(number)));
        assert_eq!(found["status"], "success");
        assert_eq!(found["inputs"]["age"], age);
        assert_eq!(found["records"].as_array().unwrap().len(), 2);
    }
    assert_eq!(server.search("").len(), 2);
    assert_eq!(server.get("/api/fields/age?from=today")["count"], 2);
}

#[test]
fn an_answer_after_midnight_belongs_to_its_request() {
    let [request, answer] = prediction(&id(1), "2026-11-24 23:59:59,900", 30, 1.0);
    let answer = answer.replace("2026-11-24 23:59:59,900", "2026-11-25 00:00:00,100");
    let answer = answer.replace("\"duration_ms\":0.25", "\"duration_ms\":200.0");
    let lines =
        [request, answer].into_iter().chain(prediction(&id(2), "2026-11-25 00:00:01,000", 31, 2.0));
    let (_folder, server) = served(&lines.collect::<Vec<_>>(), 4);
    assert_eq!(server.search("").len(), 2);
    let found = server.get(&format!("/api/predictions/{}", id(1)));
    assert_eq!(found["requested_at"], "2026-11-24T23:59:59.9Z");
    assert_eq!(found["answered_at"], "2026-11-25T00:00:00.1Z");
}

#[test]
fn nested_decorators_and_models_with_one_id_are_kept_apart() {
    let other = |line: &String| line.replace("insurance_charges_model", "inner_model");
    let [request, answer] = prediction(&id(1), &today(1), 30, 1.0);
    let (inner_request, inner_answer) = (other(&request), other(&answer));
    let lines = [request, inner_request, inner_answer, answer];
    let (_folder, server) = served(&lines, 4);
    let found = server.get(&format!("/api/predictions/{}", id(1)));
    assert_eq!(found["model"], "insurance_charges_model");
    assert_eq!(found["others"][0]["model"], "inner_model");
    assert_eq!(found["others"][0]["status"], "success");
}

#[test]
fn the_elastic_common_schema_is_read() {
    let flat = [
        r#"{"@timestamp":"2026-11-24T18:09:45.971Z","log.level":"info","message":"Prediction requested.","ecs.version":"1.6.0","log.logger":"m_logger","process.pid":7,"host.name":"host","service.name":"insurance","action":"predict","model_qualified_name":"m","model_version":"1","prediction_id":"flat","age":65}"#,
        r#"{"@timestamp":"2026-11-24T18:09:45.972Z","log.level":"error","message":"Prediction exception.","ecs.version":"1.6.0","log.logger":"m_logger","process.pid":7,"host.name":"host","service.name":"insurance","action":"predict","model_qualified_name":"m","model_version":"1","prediction_id":"flat","status":"error","event.duration":42100,"error.message":"no tree","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
    ];
    // As Elastic's library for Python writes it.
    let nested = [
        r#"{"@timestamp":"2026-11-24T18:09:45.971Z","log.level":"info","message":"Prediction requested.","action":"predict","age":65,"ecs":{"version":"1.6.0"},"host":{"name":"host"},"log":{"logger":"m_logger","origin":{"file":{"line":3,"name":"m.py"},"function":"predict"},"original":"Prediction requested."},"model_qualified_name":"m","model_version":"1","prediction_id":"nested","process":{"pid":7,"thread":{"id":1,"name":"Main"}}}"#,
        r#"{"@timestamp":"2026-11-24T18:09:45.972Z","log.level":"info","message":"Prediction created.","action":"predict","charges":2.5,"ecs":{"version":"1.6.0"},"host":{"name":"host"},"log":{"logger":"m_logger","origin":{"file":{"line":3,"name":"m.py"},"function":"predict"},"original":"Prediction created."},"model_qualified_name":"m","model_version":"1","prediction_id":"nested","process":{"pid":7,"thread":{"id":1,"name":"Main"}},"status":"success"}"#,
    ];
    let lines: Vec<_> = flat.into_iter().chain(nested).map(str::to_owned).collect();
    let (_folder, server) = served(&lines, 4);
    let flat = server.get("/api/predictions/flat");
    assert_eq!((&flat["status"], &flat["duration_ms"]), (&json!("error"), &json!(0.0421)));
    assert_eq!((&flat["error_info"], &flat["instance"]), (&json!("no tree"), &json!("host")));
    assert_eq!(flat["inputs"], json!({ "age": 65 }));
    assert_eq!(flat["records"][1]["event.duration"], 42100);
    assert_eq!(flat["records"][1]["trace.id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let nested = server.get("/api/predictions/nested");
    assert_eq!((&nested["status"], &nested["instance"]), (&json!("success"), &json!("host")));
    assert_eq!(
        (&nested["inputs"], &nested["outputs"]),
        (&json!({ "age": 65 }), &json!({ "charges": 2.5 }))
    );
}

#[test]
fn python_services_without_ids_are_joined_by_their_thread() {
    let head = |thread: u64, message: &str| {
        format!(
            r#"{{"asctime": "{}", "hostname": "host", "pod_name": "N/A", "process": 11317, "thread": {thread}, "pathname": "/app/decorator.py", "lineno": 102, "levelname": "INFO", "message": "{message}", "action": "predict", "model_qualified_name": "insurance_charges_model", "model_version": "0.1.0""#,
            today(5)
        )
    };
    // The published decorator logs the id that it makes in the second record only.
    let lines = [
        format!("{}, \"prediction_id\": null, \"age\": 25}}", head(1, "Prediction requested.")),
        format!("{}, \"age\": 65}}", head(2, "Prediction requested.")),
        format!(
            "{}, \"status\": \"success\", \"charges\": 46277.67}}",
            head(2, "Prediction created.")
        ),
        format!(
            "{}, \"status\": \"success\", \"charges\": 2696.69, \"prediction_id\": \"p-1\"}}",
            head(1, "Prediction created.")
        ),
    ];
    let (_folder, server) = served(&lines, 4);
    let found = server.get("/api/predictions/p-1");
    assert_eq!(
        (&found["inputs"], &found["outputs"]),
        (&json!({ "age": 25 }), &json!({ "charges": 2696.69 }))
    );
    let all = server.search("");
    assert_eq!(all.len(), 2);
    let nameless = all.iter().find(|found| found["prediction_id"].is_null()).unwrap();
    assert_eq!(
        (&nameless["inputs"]["age"], &nameless["outputs"]["charges"]),
        (&json!(65), &json!(46277.67))
    );
    let key = nameless["key"].as_str().unwrap();
    assert_eq!(server.get(&format!("/api/predictions/{key}"))["inputs"]["age"], 65);
}

#[test]
fn container_log_files_are_unwrapped() {
    let [request, answer] = prediction(&id(1), &today(1), 30, 1.0);
    let (first, second) = answer.split_at(100);
    let cri = [
        format!("2026-11-28T10:00:00.123456789Z stdout F {request}"),
        format!("2026-11-28T10:00:00.123456789Z stdout P {first}"),
        "2026-11-28T10:00:00.123456789Z stderr F not a record".to_owned(),
        format!("2026-11-28T10:00:00.123456789Z stdout F {second}"),
    ];
    let [request, answer] = prediction(&id(2), &today(2), 40, 2.0);
    let docker = [format!("{request}\n"), answer[..99].to_owned(), format!("{}\n", &answer[99..])];
    let docker = docker.map(|log| {
        json!({ "log": log, "stream": "stdout", "time": "2026-11-28T10:00:00.1Z" }).to_string()
    });
    let lines: Vec<_> = cri.into_iter().chain(docker).collect();
    let folder = Folder::new();
    folder.append("app.log", &lines);
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    let health = server.wait_for_records(4);
    assert_eq!(health["rejected"], 1);
    for (number, age) in [(1, 30), (2, 40)] {
        let found = server.get(&format!("/api/predictions/{}", id(number)));
        assert_eq!((&found["status"], &found["inputs"]["age"]), (&json!("success"), &json!(age)));
    }
}

#[test]
fn lines_that_are_no_records_are_counted_and_kept() {
    let lines = [
        "INFO:     Started server",
        "[1,2]",
        "{\"no\":\"message\"}",
        "{\"message\":\"torn",
        "\u{1b}[31mred",
    ];
    let lines: Vec<_> = lines.into_iter().map(str::to_owned).collect();
    let (folder, server) = served(&lines, 0);
    assert_eq!(server.get("/api/health")["rejected"], 5);
    let rejected = server.get("/api/rejected");
    let kept: Vec<_> =
        rejected["lines"].as_array().unwrap().iter().rev().map(|line| &line["line"]).collect();
    assert_eq!(json!(kept), json!(lines));
    assert_eq!(rejected["is_complete"], true);
    assert_eq!(server.get("/api/rejected?limit=4")["is_complete"], false);
    assert_eq!(rejected["lines"][0]["source"], folder.path("app.log").to_str().unwrap());
}

#[test]
fn other_records_are_found_by_their_words_and_by_the_id() {
    let [request, answer] = prediction(&id(1), &today(1), 30, 1.0);
    let event = format!(
        "{{\"asctime\":\"{}\",\"levelname\":\"WARNING\",\"name\":\"trees\",\"message\":\"A tree is unbalanced.\",\"prediction_id\":\"{}\",\"depth\":17}}",
        today(1),
        id(1)
    );
    let (_folder, server) = served(&[request, event, answer], 3);
    let found = server.get(&format!("/api/predictions/{}", id(1)));
    assert_eq!(found["log"][0]["depth"], 17);
    let records = server.get("/api/records?search=unbalanced+tree");
    assert_eq!(
        (&records["records"][0]["logger"], &records["is_complete"]),
        (&json!("trees"), &json!(true))
    );
    assert_eq!(server.get("/api/records?search=balanced")["records"], json!([]));
    assert_eq!(server.get("/api/records?search=%22%20OR%20*")["records"], json!([]));
}

#[test]
fn standard_input_is_read_to_its_end() {
    use std::io::Write;
    let folder = Folder::new();
    let mut server = Server::start(&folder, &["-"]);
    let mut input = server.stdin();
    let [request, answer] = prediction(&id(1), &today(1), 30, 1.0);
    // The last line has no line break.
    write!(input, "{}{answer}", text(&[request])).unwrap();
    drop(input);
    server.wait_for_records(2);
    assert_eq!(server.search("age=30").len(), 1);
}

#[test]
fn sampled_predictions_count_as_many_as_they_stand_for() {
    let sampled =
        |line: String| line.replace("\"prediction_id\"", "\"sample_rate\":0.1,\"prediction_id\"");
    let certain =
        |line: String| line.replace("\"prediction_id\"", "\"sample_rate\":1.0,\"prediction_id\"");
    let mut lines: Vec<_> =
        (0..3).flat_map(|i| prediction(&id(i), &today(1), 30, 1.0)).map(sampled).collect();
    // Failures are always logged.
    lines.push(certain(failure(&id(9), &today(1), "no tree")));
    let (_folder, server) = served(&lines, 7);
    let totals = server.get("/api/overview?from=today")["totals"].clone();
    assert_eq!((&totals["success"], &totals["error"]), (&json!(30), &json!(1)));
}
