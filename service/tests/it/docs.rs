//! The documentation over a real socket.

use std::io::{Read, Write};
use std::sync::{Arc, mpsc};

use crate::common::{ChargesModel, Gate, Running};
use flate2::read::GzDecoder;
use ml_model_service::Service;
use serde_json::{Value, json};

/// Returns the head in lower case and the unchanged body.
fn get(service: &Running, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = service.connect();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n")
        .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let body = bytes.split_off(end + 4);
    (String::from_utf8(bytes).unwrap().to_ascii_lowercase(), body)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn the_root_leads_to_the_documentation() {
    let service = Running::start();
    let response = service.get("/");
    assert_eq!(response.status, 307);
    assert_eq!(header(&response.head, "location"), Some("/docs"));
}

#[test]
fn the_page_has_the_title_and_strict_headers() {
    let service = Running::start();
    let response = service.get("/docs");
    assert_eq!(response.status, 200);
    assert!(response.body.contains("<title>Test &lt;Service&gt;</title>"), "{response:?}");
    assert_eq!(header(&response.head, "content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(header(&response.head, "x-content-type-options"), Some("nosniff"));
    let policy = header(&response.head, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
}

#[test]
fn everything_the_page_asks_for_is_in_the_program() {
    let service = Running::start();
    let page = service.get("/docs").body;
    assert!(!page.contains("://"), "{page}");
    let links: Vec<_> =
        page.split('"').filter(|text| text.starts_with("docs/")).map(str::to_owned).collect();
    assert_eq!(links, ["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js"]);
    for link in links.into_iter().map(|link| format!("/{link}")) {
        let (head, body) = get(&service, &link, "accept-encoding: gzip\r\n");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(header(&head, "x-content-type-options"), Some("nosniff"));
        let kind = if link.ends_with("css") { "text/css" } else { "text/javascript" };
        assert_eq!(header(&head, "content-type"), Some(&*format!("{kind}; charset=utf-8")));
        if header(&head, "content-encoding") == Some("gzip") {
            assert_is_gzip_of_text(&body);
        }

        let tag = header(&head, "etag").unwrap();
        let (head, body) = get(&service, &link, &format!("if-none-match: \"other\", W/{tag}\r\n"));
        assert!(head.starts_with("http/1.1 304") && body.is_empty(), "{head}");
        assert_eq!(header(&head, "etag"), Some(tag));
        let (head, _) = get(&service, &link, "if-none-match: \"other\"\r\n");
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
    assert_eq!(service.get("/docs/other.js").error().0, "NotFoundError");
}

fn assert_is_gzip_of_text(gzip: &[u8]) {
    let mut text = String::new();
    // The decoder checks the length and the checksum as well.
    GzDecoder::new(gzip).read_to_string(&mut text).unwrap();
    assert!(text.len() > 100_000);
}

#[test]
fn the_document_is_there_once_models_are_loaded() {
    let (finish, finished) = mpsc::channel::<()>();
    let gate = Arc::new(Gate::default());
    let model = ChargesModel { gate: gate.clone() };
    let service = Service::new("Slow").version("2.1.0").description("Takes its time.");
    let service = service.model(move || {
        finished.recv().expect("the test lets it finish");
        model
    });
    let service = Running::serve(service, "", gate);
    let response = service.get("/openapi.json");
    assert_eq!(response.status, 503);
    assert_eq!(response.error().1, ["the models are still being loaded"]);
    assert_eq!(service.get("/docs").status, 200);

    finish.send(()).unwrap();
    let response = service.wait_until("/openapi.json", 200);
    assert_eq!(header(&response.head, "content-type"), Some("application/json"));
    let info = json!({ "title": "Slow", "version": "2.1.0", "description": "Takes its time." });
    assert_eq!(response.json()["info"], info);
    let tag = header(&response.head, "etag").unwrap();
    let (head, body) = get(&service, "/openapi.json", &format!("if-none-match: {tag}\r\n"));
    assert!(head.starts_with("http/1.1 304") && body.is_empty(), "{head}");
}

/// Returns the path of the redirect from the root and the servers of the document.
fn published_at(service: &Running, headers: &str) -> (String, Value) {
    let (head, _) = get(service, "/", headers);
    let location = header(&head, "location").unwrap().to_owned();
    let (head, document) = get(service, "/openapi.json", headers);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let document: Value = serde_json::from_slice(&document).unwrap();
    (location, document["servers"].clone())
}

#[test]
fn a_proxy_may_publish_the_service_under_a_path() {
    let service = Running::start();
    let prefix = "x-forwarded-prefix: /insurance/\r\n";
    let servers = json!([{ "url": "/insurance" }]);
    assert_eq!(published_at(&service, ""), ("/docs".to_owned(), Value::Null));
    assert_eq!(published_at(&service, prefix), ("/insurance/docs".to_owned(), servers));
    let (head, _) = get(&service, "/openapi.json", "");
    assert!(head.contains("vary: x-forwarded-prefix"), "{head}");
    // No other host, and no header of one.
    for prefix in ["//evil.example", "https://evil.example", "/a/../b", "evil"] {
        let headers = format!("x-forwarded-prefix: {prefix}\r\n");
        assert_eq!(published_at(&service, &headers), ("/docs".to_owned(), Value::Null), "{prefix}");
    }

    let configured = Running::configured("server: {root_path: /team/charges}");
    for headers in ["", prefix] {
        let servers = json!([{ "url": "/team/charges" }]);
        assert_eq!(published_at(&configured, headers), ("/team/charges/docs".to_owned(), servers));
    }
}

/// Asserts that `body` satisfies the schema of the document for this answer.
fn assert_documented(document: &Value, path: &str, method: &str, status: u16, body: &Value) {
    let mut response = &document["paths"][path][method]["responses"][status.to_string()];
    if let Some(Value::String(reference)) = response.get("$ref") {
        response = document.pointer(&reference[1..]).unwrap();
    }
    let mut schema = response["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "{status} of {path} is not documented");
    schema["components"] = document["components"].clone();
    let errors: Vec<_> = jsonschema::draft202012::new(&schema)
        .unwrap()
        .iter_errors(body)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{status} of {path}: {errors:?} in {body}");
}

#[test]
fn the_service_answers_as_documented() {
    let service = Running::start();
    let document = service.get("/openapi.json").json();
    for path in ["/api/health", "/api/health/ready", "/api/health/startup", "/api/models"] {
        assert_documented(&document, path, "get", 200, &service.get(path).json());
    }
    let metadata = "/api/models/{qualified_name}/metadata";
    for (name, status) in [("charges_model", 200), ("other", 404)] {
        let response = service.get(&metadata.replace("{qualified_name}", name));
        assert_eq!(response.status, status);
        assert_documented(&document, metadata, "get", status, &response.json());
    }

    let path = "/api/models/charges_model/prediction";
    let example =
        &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"];
    let with_age = |age: u8| {
        let mut body = example.clone();
        body["age"] = age.into();
        body.to_string()
    };
    for (content_type, body, status) in [
        ("application/json", example.to_string(), 200),
        ("application/json", with_age(17), 400),
        ("application/json", "{".to_owned(), 400),
        ("application/json", " ".repeat(1024 * 1024 + 1), 413),
        ("text/plain", example.to_string(), 415),
        ("application/json", with_age(40), 500),
    ] {
        let response = service.post(path, content_type, body.as_bytes());
        assert_eq!(response.status, status, "{response:?}");
        assert_documented(&document, path, "post", status, &response.json());
    }

    let error = service.get(path);
    assert_eq!(error.status, 405);
    let types = &document["components"]["schemas"]["Error"]["properties"]["type"]["examples"];
    assert!(types.as_array().unwrap().contains(&error.json()["type"]), "{error:?}");
}
