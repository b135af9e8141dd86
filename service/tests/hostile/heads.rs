//! Heads that are no HTTP, and odd ones that are.

use crate::common::Running;
use crate::{GOOD, PREDICTION, exchange, is_alive, post};

#[test]
fn heads_that_are_no_http_are_refused() {
    let service = Running::start();
    let length = GOOD.len();
    let get = |line: &[u8], headers: &[u8]| {
        [line, b"\r\nhost: test\r\n", headers, b"connection: close\r\n\r\n"].concat()
    };
    let health = b"GET /api/health HTTP/1.1".as_slice();
    let lengths = |lengths: &str| post(&format!("connection: close\r\n{lengths}"), GOOD);
    let large = format!("x: {}\r\n", "a".repeat(1_000_000));
    let many: String = (0..1000).map(|number| format!("x{number}: a\r\n")).collect();
    let long = format!("GET /{} HTTP/1.1", "a".repeat(70_000));
    for (name, request, status) in [
        (
            "two lengths",
            lengths(&format!("content-length: {length}\r\ncontent-length: 5\r\n")),
            400,
        ),
        ("list of lengths", lengths(&format!("content-length: {length}, 5\r\n")), 400),
        ("length in words", lengths("content-length: five\r\n"), 400),
        ("negative length", lengths("content-length: -1\r\n"), 400),
        ("signed length", lengths(&format!("content-length: +{length}\r\n")), 400),
        ("empty length", lengths("content-length:\r\n"), 400),
        ("length beyond u64", lengths("content-length: 99999999999999999999\r\n"), 400),
        ("unknown transfer coding", lengths("transfer-encoding: gzip\r\n"), 400),
        ("no method", get(b" / HTTP/1.1", b""), 400),
        ("no method's character", get(b"G@T / HTTP/1.1", b""), 400),
        ("NUL in the method", get(b"GE\0T / HTTP/1.1", b""), 400),
        ("no path", get(b"GET HTTP/1.1", b""), 400),
        ("relative path", get(b"GET api/health HTTP/1.1", b""), 400),
        ("space in the path", get(b"GET /api/health x HTTP/1.1", b""), 400),
        ("stray byte in the path", get(b"GET /api/\xff HTTP/1.1", b""), 400),
        ("NUL in the path", get(b"GET /api/\0 HTTP/1.1", b""), 400),
        ("tag in the path", get(b"GET /<script> HTTP/1.1", b""), 400),
        ("no version", get(b"GET /api/health", b""), 400),
        ("unknown version", get(b"GET /api/health HTTP/1.9", b""), 400),
        ("space before a colon", get(health, b"x : a\r\n"), 400),
        ("NUL in a header", get(health, b"x: a\0b\r\n"), 400),
        ("header on two lines", get(health, b"x: a\r\n b\r\n"), 400),
        ("header without a colon", get(health, b"x\r\n"), 400),
        ("TLS", b"\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03\0\0\0\0".to_vec(), 400),
        ("enormous header", get(health, large.as_bytes()), 431),
        ("too many headers", get(health, many.as_bytes()), 431),
        ("enormous path", get(long.as_bytes(), b""), 414),
    ] {
        let response = exchange(&service, request);
        assert_eq!(response.status, status, "{name}: {response:?}");
        assert!(response.head.contains("connection: close"), "{name}: {response:?}");
        is_alive(&service);
    }
}

#[test]
fn odd_heads_that_are_http_are_answered() {
    let service = Running::start();
    let length = GOOD.len();
    let stray = format!("connection: close\r\nx: \u{e4}\r\ncontent-length: {length}\r\n");
    let large =
        format!("connection: close\r\nx: {}\r\ncontent-length: {length}\r\n", "a".repeat(100_000));
    let twice =
        format!("connection: close\r\ncontent-length: {length}\r\ncontent-length: {length}\r\n");
    let first_version = format!(
        "POST {PREDICTION} HTTP/1.0\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{GOOD}"
    );
    for (name, request) in [
        ("no ASCII in a header", post(&stray, GOOD)),
        ("large header", post(&large, GOOD)),
        ("the same length twice", post(&twice, GOOD)),
        ("HTTP/1.0", first_version.into_bytes()),
    ] {
        let response = exchange(&service, request);
        assert_eq!(response.status, 200, "{name}: {response:?}");
    }
    let absolute =
        "GET http://elsewhere/api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(exchange(&service, absolute).status, 200);
}

#[test]
fn whatever_the_method_it_is_405_with_the_one_that_is_allowed() {
    let service = Running::start();
    let long = "X".repeat(10_000);
    for method in
        ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "post", &long]
    {
        let request =
            format!("{method} {PREDICTION} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let response = exchange(&service, request);
        assert_eq!(response.status, 405, "{method}: {response:?}");
        assert!(response.head.contains("allow: post"), "{method}: {response:?}");
        assert_eq!(response.error().0, "MethodNotAllowedError", "{method}");
    }
    let head = format!("HEAD {PREDICTION} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let response = exchange(&service, head);
    assert_eq!(
        (response.status, response.body.as_str()),
        (405, ""),
        "an answer to HEAD has no body"
    );
    is_alive(&service);
}

#[test]
fn odd_paths_are_404_but_for_encoded_names_of_models() {
    let service = Running::start();
    let encoded = service.get("/api/models/%63harges%5Fmodel/metadata");
    assert_eq!(encoded.json()["qualified_name"], "charges_model");
    let long = format!("/api/models/{}/metadata", "n".repeat(60_000));
    for path in [
        "*",
        "//api/health",
        "/api/health/",
        "/api/../api/health",
        "/API/HEALTH",
        "/%ff",
        "/api%2fhealth",
        "/api/models//metadata",
        "/api/models/%/metadata",
        "/api/models/%zz/metadata",
        "/api/models/%00/metadata",
        "/api/models/charges_model%00/metadata",
        "/api/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd/metadata",
        "/api/models/%0d%0aset-cookie:%20x/metadata",
        "/api/models/%F0%9F%98%80/metadata",
        &long,
    ] {
        let response = service.get(path);
        assert_eq!(response.status, 404, "{path}: {response:?}");
        assert_eq!(response.error().0, "NotFoundError", "{path}");
        assert!(!response.head.contains("set-cookie"), "{response:?}");
    }
    is_alive(&service);
}
