//! The API: search, paging, mistakes, roll-ups, access.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Folder, Server, failure, id, prediction, today};

/// A server with predictions of ages from 20 to 69, every tenth of which has failed.
fn fifty() -> (Folder, Server) {
    let folder = Folder::new();
    let lines: Vec<_> = (0..50)
        .flat_map(|number| {
            let time = today(number);
            let [request, answer] =
                prediction(&id(number.into()), &time, 20 + number, f64::from(number) * 100.0);
            let answer = match number % 10 {
                9 => failure(&id(number.into()), &time, &format!("no tree for {number}")),
                _ => answer,
            };
            [request, answer]
        })
        .collect();
    folder.append("app.log", &lines);
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    server.wait_for_records(100);
    (folder, server)
}

fn ages(predictions: &[Value]) -> Vec<u64> {
    predictions.iter().map(|found| found["inputs"]["age"].as_u64().unwrap()).collect()
}

#[test]
fn a_search_finds_by_any_condition_the_newest_first() {
    let (_folder, server) = fifty();
    for (filter, expected) in [
        ("age>67", vec![68]),
        ("age>=67 status=success", vec![68, 67]),
        ("charges=1000..1200", vec![32, 31, 30]),
        ("status=error age<40", vec![39, 29]),
        ("error=*tree* age<30", vec![29]),
        ("\"NO TREE FOR 9\"", vec![29]),
        ("age=21,23 bmi=50", vec![23, 21]),
        ("instance=v* model=insurance* duration_ms<1 age=21", vec![21]),
        ("duration_ms=0.5 age<30", vec![29]),
        ("age!=21 age<23", vec![22, 20]),
        ("instance=other", vec![]),
    ] {
        let found = server.search(filter);
        // A failed prediction has no charges; the newest is 69, which has failed.
        let found: Vec<_> = ages(&found).into_iter().filter(|age| *age != 69).collect();
        assert_eq!(found, expected, "{filter}");
    }
    let found = server.search(&id(7));
    assert_eq!(ages(&found), [27]);
    assert_eq!(server.search(&format!("id={}", id(7))), found);
}

#[test]
fn pages_hold_every_prediction_once() {
    let (_folder, server) = fifty();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let answer = server.get(&format!("/api/predictions?limit=7&after={after}"));
        let page = answer["predictions"].as_array().unwrap();
        assert!(page.len() <= 7);
        seen.extend(ages(page));
        match answer["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(seen, (20..70).rev().collect::<Vec<_>>());
    let from = today(10).replace(' ', "T").replace(",000", "Z");
    let to = today(12).replace(' ', "T").replace(",000", "Z");
    let answer = server.get(&format!("/api/predictions?from={from}&to={to}"));
    assert_eq!(ages(answer["predictions"].as_array().unwrap()), [31, 30]);
    assert_eq!(answer["next"], Value::Null);
}

#[test]
fn mistakes_are_answered_at_their_place() {
    let (_folder, server) = fifty();
    let error = server.json("/api/predictions?filter=status%3Derror+agee%3E60", 400);
    let expected = json!({
        "type": "FilterError",
        "messages": ["unknown field `agee`; did you mean `age`?"],
        "place": { "start": 13, "length": 4 },
    });
    assert_eq!(error, expected);
    for (path, status, message) in [
        ("/api/predictions?fitler=age", 400, "unknown parameter `fitler`; did you mean `filter`?"),
        ("/api/predictions?limit=0", 400, "limit: expected a number from 1 to 10000, found `0`"),
        ("/api/predictions?after=x", 400, "after: `x` is not the `next` of an answer"),
        ("/api/overview?from=2d&to=3d", 400, "from: the time must be before `to`"),
        ("/api/fields/agee", 404, "the store has seen no field `agee`; did you mean `age`?"),
        ("/api/fields/age?side=in", 400, "side: expected `input` or `output`, found `in`"),
        (
            "/api/nothing",
            404,
            "there is nothing at /api/nothing; /openapi.json describes what there is",
        ),
    ] {
        assert_eq!(server.json(path, status)["messages"], json!([message]), "{path}");
    }
    let error = server.json("/api/overview?from=soon", 400);
    assert!(error["messages"][0].as_str().unwrap().starts_with("from: `soon` is no time: write"));
}

#[test]
fn the_overview_counts_by_time_status_model_and_instance() {
    let (_folder, server) = fifty();
    let overview = server.get("/api/overview?from=today&to=today");
    let totals = &overview["totals"];
    assert_eq!(
        (&totals["success"], &totals["error"], &totals["pending"]),
        (&json!(45), &json!(5), &json!(0))
    );
    assert_eq!(totals["latency_ms"]["p50"], 0.2539, "the middle of the bucket from 0.25 to 0.2578");
    let points = overview["points"].as_array().unwrap();
    // Empty time is shown as empty.
    assert_eq!(overview["step_s"].as_u64().unwrap() * points.len() as u64, 86_400);
    assert_eq!((&points[0]["success"], &points[0]["error"]), (&json!(45), &json!(5)));
    assert_eq!((&points[1]["success"], &points[1]["latency_ms"]["p50"]), (&json!(0), &Value::Null));
    assert_eq!(overview["models"][0]["model"], "insurance_charges_model");
    assert_eq!(overview["instances"][0]["instance"], "vm");
    assert_eq!(overview["instances"][0]["counts"][0], 50);
    let other = server.get("/api/overview?from=today&to=today&model=other");
    assert_eq!(other["totals"]["success"], 0);
    // A long range has hours, and still few points.
    let long = server.get("/api/overview?from=90d&to=today");
    assert_eq!(long["totals"]["success"], 45);
    assert!(long["points"].as_array().unwrap().len() <= 301);
    let all = server.get("/api/overview?from=0001-01-01&to=9998-01-01");
    assert_eq!(all["totals"]["error"], 5);
}

#[test]
fn failures_are_grouped_by_cause() {
    let (folder, server) = fifty();
    folder.append("app.log", &[failure(&id(99), &today(59), "out of memory")]);
    server.wait_for_records(101);
    let failures = server.get("/api/failures?from=today&to=today");
    assert_eq!(failures["is_complete"], true);
    let list = failures["failures"].as_array().unwrap();
    let causes: Vec<_> = list.iter().map(|failure| failure["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["out of memory", "no tree for #"]);
    assert_eq!(list[1]["count"], 5);
    assert!(list[1]["first_at"].as_str().unwrap().ends_with("00:00:09Z"));
    assert!(list[1]["last_at"].as_str().unwrap().ends_with("00:00:49Z"));
    assert_eq!(list[1]["example"]["error_info"], "no tree for 49");
}

#[test]
fn a_field_is_compared_with_the_span_before() {
    let folder = Folder::new();
    let day = |day: u32, number: u32, shift: u32| {
        let time = format!("2026-11-{day} 12:{:02}:00,000", number % 60);
        prediction(&id(u64::from(day * 1000 + number)), &time, 20 + number % 40 + shift, 1.0)
    };
    let lines: Vec<_> = (0..400)
        .flat_map(|number| day(23, number, 0).into_iter().chain(day(24, number, 20)))
        .collect();
    folder.append("app.log", &lines);
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    server.wait_for_records(1600);
    let age = server.get("/api/fields/age?from=2026-11-24&to=2026-11-24");
    assert_eq!((&age["count"], &age["before_count"]), (&json!(400), &json!(400)));
    assert_eq!((&age["side"], &age["quantiles"]["p50"]), (&json!("input"), &json!(59.0)));
    assert!(age["psi"].as_f64().unwrap() > 1.0, "{}", age["psi"]);
    let bars = age["distribution"].as_array().unwrap();
    let sum = |key: &str| bars.iter().map(|bar| bar[key].as_u64().unwrap()).sum::<u64>();
    assert!((395..=405).contains(&sum("count")) && (395..=405).contains(&sum("before_count")));
    // The output has not changed.
    let charges = server.get("/api/fields/charges?from=2026-11-24&to=2026-11-24");
    assert_eq!((&charges["psi"], &charges["side"]), (&json!(0.0), &json!("output")));
    let first = server.get("/api/fields/age?from=2026-11-23&to=2026-11-23");
    assert_eq!((&first["psi"], &first["before_count"]), (&Value::Null, &json!(0)));
    let names = server.get("/api/fields")["fields"].clone();
    let expected = json!([
        { "name": "age", "side": "input" }, { "name": "bmi", "side": "input" }, { "name": "charges", "side": "output" }
    ]);
    assert_eq!(names, expected);
}

#[test]
fn a_download_is_csv_that_no_spreadsheet_runs() {
    let folder = Folder::new();
    let [request, answer] = prediction(&id(1), &today(1), 30, -5.5);
    let request = request.replace("\"age\":30", "\"age\":30,\"note\":\"=1+1, \\\"x\\\"\"");
    folder.append("app.log", &[request, answer]);
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    server.wait_for_records(2);
    let (status, head, body) = server.request("/api/predictions?format=csv", "");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/csv") && head.contains("attachment"));
    let lines: Vec<_> = body.lines().collect();
    assert!(lines[0].ends_with("error_info,age,note,bmi,charges"), "{}", lines[0]);
    assert!(lines[1].ends_with(",30,\"'=1+1, \"\"x\"\"\",50.0,-5.5"), "{}", lines[1]);
    // Each column has a name of its own.
    let [request, answer] = prediction(&id(2), &today(2), 31, 7.5);
    let request = request.replace("\"bmi\"", "\"model\"");
    folder.append("app.log", &[request, answer.replace("\"charges\"", "\"age\"")]);
    server.wait_for_records(4);
    let (_, _, body) = server.request("/api/predictions?format=csv&filter=age%3D31", "");
    let header = body.lines().next().unwrap();
    assert!(header.ends_with("error_info,input.age,input.model,output.age"), "{header}");
    assert!(body.ends_with(",31,50.0,7.5\r\n"), "{body}");
}

#[test]
fn a_download_is_complete_or_links_to_the_rest() {
    let folder = Folder::new();
    let count = 2500;
    let lines: Vec<_> = (0..count)
        .flat_map(|number| {
            let [request, answer] = prediction(&id(number), &today(number as u32), 30, 1.5);
            // Only the oldest one has this field.
            let note = if number == 0 { "\"age\":30,\"note\":\"first\"" } else { "\"age\":30" };
            [request.replace("\"age\":30", note), answer]
        })
        .collect();
    folder.append("app.log", &lines);
    let server = Server::start(&folder, &[folder.path("app.log").to_str().unwrap()]);
    server.wait_for_records(2 * count);
    let expected: Vec<_> = (0..count).rev().map(id).collect();

    let (status, head, body) = server.request("/api/predictions?limit=all&format=csv", "");
    assert_eq!((status, head.contains("link:")), (200, false), "{head}");
    assert!(body.ends_with(",1.5,first\r\n") && !body.contains("\r\n\r\n"));
    let mut lines = body.lines();
    assert!(lines.next().unwrap().ends_with(",error_info,age,bmi,charges,note"));
    let ids: Vec<_> = lines.map(|line| line.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(ids, expected);

    let answer = server.get("/api/predictions?limit=all");
    let all = answer["predictions"].as_array().unwrap();
    let ids: Vec<_> = all.iter().map(|found| found["prediction_id"].as_str().unwrap()).collect();
    assert_eq!(ids, expected);
    assert_eq!(answer["next"], Value::Null);
    let none = server.get("/api/predictions?limit=all&filter=age%3E30");
    assert_eq!(none, json!({ "predictions": [], "next": null }));
    server.json("/api/predictions?limit=all&filter=agee%3E30", 400);

    let mut path = "/api/predictions?format=csv&limit=999&filter=age%3D30".to_owned();
    let mut ids = Vec::new();
    loop {
        let (_, head, body) = server.request(&path, "");
        ids.extend(body.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()));
        let Some((_, link)) = head.split_once("link: <") else { break };
        let (next, rest) = link.split_once('>').unwrap();
        assert!(rest.starts_with("; rel=\"next\""), "{link}");
        path = next.to_owned();
    }
    assert_eq!(ids, expected);
}

/// The memory of answers is bounded, whatever the number and the size of the predictions.
#[cfg(target_os = "linux")]
#[test]
fn answers_do_not_fill_the_memory() {
    let folder = Folder::new();
    let small = 11_000;
    let large = 30;
    let note = "x".repeat(900_000);
    let lines = (0..small + large).flat_map(|number| {
        let [request, answer] = prediction(&id(number), &today(number as u32), 30, 1.5);
        let with_note = format!("\"age\":30,\"note\":\"{note}\"");
        let is_large = number < large;
        [if is_large { request.replace("\"age\":30", &with_note) } else { request }, answer]
    });
    let lines: Vec<_> = lines.collect();
    folder.append("app.log", &lines);
    let others = 12;
    let record = format!(
        "{{\"asctime\":\"{}\",\"message\":\"m\",\"prediction_id\":\"{}\",\"note\":\"{note}\"}}",
        today(1),
        id(1)
    );
    folder.append("app.log", &vec![record; others]);
    let log = folder.path("app.log");
    let arguments = [log.to_str().unwrap()];
    let server = Server::start(&folder, &arguments);
    server.wait_for_records(2 * (small + large) + others as u64);
    drop(server);

    // The memory of this one is that of the answers.
    let server = Server::start(&folder, &arguments);
    let mut found = 0;
    let mut after = String::new();
    loop {
        let (_, _, body) =
            server.request(&format!("/api/predictions?limit=10000&after={after}"), "");
        assert!(body.len() < 10_000_000, "an answer has {} bytes", body.len());
        let answer: Value = serde_json::from_str(&body).unwrap();
        found += answer["predictions"].as_array().unwrap().len() as u64;
        match answer["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(found, small + large);
    let (_, _, body) = server.request("/api/predictions?limit=all&format=csv", "");
    assert_eq!(body.lines().count() as u64, 1 + small + large);
    for (path, list) in
        [("/api/records?limit=10000", "records"), (&*format!("/api/predictions/{}", id(1)), "log")]
    {
        let answer = server.get(path);
        let items = answer[list].as_array().unwrap().len();
        assert!(items < others && answer["is_complete"] == false, "{path}: {items}");
    }
    // An answer of all large predictions would take 100 MB.
    let peak = server.peak_memory();
    assert!(peak < 70_000_000, "{peak} bytes");
}

#[test]
fn a_token_is_necessary_where_one_is_set() {
    let folder = Folder::new();
    std::fs::write(folder.path("token"), "0123456789abcdef\n").unwrap();
    let token = folder.path("token");
    let server = Server::start(&folder, &["-", "--token-file", token.to_str().unwrap()]);
    let status = |path: &str, headers: &str| server.request(path, headers).0;
    assert_eq!(status("/api/health", ""), 401);
    assert_eq!(status("/", ""), 401);
    assert_eq!(status("/api/health", "authorization: Bearer 0123456789abcdeg\r\n"), 401);
    assert_eq!(status("/api/health", "authorization: Bearer 0123456789abcdef\r\n"), 200);
    let (code, head, _) = server.request("/?token=0123456789abcdef", "");
    assert_eq!(code, 303);
    assert!(
        head.contains("set-cookie: ml_logs_token=0123456789abcdef; httponly; samesite=strict"),
        "{head}"
    );
    assert_eq!(status("/api/health", "cookie: other=1; ml_logs_token=0123456789abcdef\r\n"), 200);
    assert_eq!(status("/?token=wrong", ""), 401);
}

#[test]
fn pages_of_other_sites_cannot_reach_the_store() {
    use std::io::{Read, Write};
    let folder = Folder::new();
    let server = Server::start(&folder, &["-"]);
    let ask = |host: &str| {
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        write!(stream, "GET /api/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].to_owned()
    };
    let answers = ["attacker.example:8001", "localhost:8001", "127.0.0.1", "[::1]:8001"].map(ask);
    assert_eq!(answers, ["403", "200", "200", "200"]);
    let (_, head, _) = server.request("/", "");
    assert!(head.contains("default-src 'none'; script-src 'self'"), "{head}");
    assert!(!head.contains("unsafe"));
    let posted = {
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        let host = &server.address;
        write!(stream, "POST /api/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
}

#[test]
fn the_openapi_document_describes_every_endpoint() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["-"]);
    let document = server.get("/openapi.json");
    let paths: BTreeSet<_> =
        document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = BTreeSet::from([
        "/api/health",
        "/api/predictions",
        "/api/predictions/{prediction_id}",
        "/api/overview",
        "/api/failures",
        "/api/fields",
        "/api/fields/{name}",
        "/api/records",
        "/api/rejected",
    ]);
    assert_eq!(paths, expected);
    // Each documented parameter is accepted: an unknown one is a 400.
    for (path, item) in document["paths"].as_object().unwrap() {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" {
                let name = parameter["name"].as_str().unwrap();
                let path = path.replace("{prediction_id}", "x").replace("{name}", "x");
                let answer = server.request(&format!("{path}?{name}="), "").2;
                assert!(!answer.contains("unknown parameter"), "{path} {name}: {answer}");
            }
        }
    }
}
