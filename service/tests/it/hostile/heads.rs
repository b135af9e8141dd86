//! Malformed heads, and unusual valid ones.

use std::io::Write;

use super::{GOOD, PREDICTION, exchange, is_alive, post};
use crate::common::{Response, Running, log};

#[test]
fn malformed_heads_are_refused() {
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
        ("enormous path", get(long.as_bytes(), b""), 431),
    ] {
        let response = exchange(&service, request);
        assert_eq!(response.status, status, "{name}: {response:?}");
        assert!(response.head.contains("connection: close"), "{name}: {response:?}");
        is_alive(&service);
    }
}

#[test]
fn unusual_valid_heads_are_answered() {
    let service = Running::start();
    let length = GOOD.len();
    let stray = format!("connection: close\r\nx: \u{e4}\r\ncontent-length: {length}\r\n");
    let large =
        format!("connection: close\r\nx: {}\r\ncontent-length: {length}\r\n", "a".repeat(30_000));
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
    let long = format!("/api/models/{}/metadata", "n".repeat(20_000));
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
        "/api/models/%ff/metadata",
        "/api/models/%c3%28/metadata",
        "/docs/%ff",
        &long,
    ] {
        let response = service.get(path);
        assert_eq!(response.status, 404, "{path}: {response:?}");
        assert_eq!(response.error().0, "NotFoundError", "{path}");
        assert!(response.body.len() < 1000, "{} bytes", response.body.len());
        assert!(!response.head.contains("set-cookie"), "{response:?}");
    }
    is_alive(&service);
}

#[test]
fn unknown_models_are_404() {
    let service = Running::start();
    let long = "n".repeat(20_000);
    for name in ["%ff", "other", &long] {
        for endpoint in ["prediction", "predictions"] {
            let path = format!("/api/models/{name}/{endpoint}");
            let response = service.post(&path, "application/json", GOOD.as_bytes());
            assert_eq!(response.status, 404, "{name}: {response:?}");
            assert_eq!(response.error().0, "NotFoundError", "{name}");
            assert!(response.body.len() < 1000, "{} bytes", response.body.len());
        }
    }
}

#[test]
fn a_request_names_one_host() {
    let service = Running::start();
    let get = |version: &str, hosts: &str| {
        exchange(
            &service,
            format!("GET /api/health HTTP/{version}\r\n{hosts}connection: close\r\n\r\n"),
        )
    };
    for hosts in [
        "",
        "host: a\r\nhost: a\r\n",
        "host: a\r\nhost: b\r\n",
        "host: a b\r\n",
        "host: user@a\r\n",
        "host: a/b\r\n",
        "host: a, b\r\n",
        "host: \u{e4}\r\n",
    ] {
        let response = get("1.1", hosts);
        assert_eq!(response.status, 400, "{hosts}: {response:?}");
        assert_eq!(response.error().0, "BadRequestError", "{hosts}");
        assert!(response.closes(), "{hosts}: {response:?}");
    }
    for hosts in ["host: a\r\n", "host: [::1]:80\r\n", "host: 10.0.0.1:8000\r\n", "host:\r\n"] {
        assert_eq!(get("1.1", hosts).status, 200, "{hosts}");
    }
    assert_eq!(get("1.0", "").status, 200);
    is_alive(&service);
}

#[test]
fn long_texts_are_cut_in_answers_and_in_the_log() {
    let service = Running::start();
    let long = "LONG".repeat(5_000);
    let head = "host: test\r\nconnection: close\r\n";
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\n{head}\r\n"), 404),
        (format!("{long} /api/models HTTP/1.1\r\n{head}\r\n"), 405),
        (format!("POST {PREDICTION} HTTP/1.1\r\n{head}content-type: {long}\r\n\r\n"), 415),
        (
            format!(
                "POST {PREDICTION} HTTP/1.1\r\n{head}content-type: application/json\r\n\
                 content-encoding: {long}\r\n\r\n"
            ),
            415,
        ),
    ] {
        let response = exchange(&service, request);
        assert_eq!(response.status, status, "{response:?}");
        response.error();
        assert!(response.body.len() < 1000, "{} bytes", response.body.len());
    }
    let longest = log().into_iter().map(|record| record.to_string().len()).max();
    assert!(longest.is_some_and(|longest| longest < 10_000), "a record of {longest:?} bytes");
}

#[test]
fn json_in_other_disguises_is_415() {
    let service = Running::start();
    let ask = |headers: &str| {
        let length = GOOD.len();
        exchange(
            &service,
            format!(
                "POST {PREDICTION} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\
                 content-length: {length}\r\n\r\n{GOOD}"
            ),
        )
    };
    for headers in [
        "content-type: application/json; charset=utf-16\r\n",
        "content-type: application/json;charset=\"latin1\"\r\n",
        "content-type: application/json; charset=utf-8; charset=utf-7\r\n",
        "content-type: application/json; x=y; Charset=ISO-8859-1\r\n",
        "content-type: application/json\r\ncontent-type: application/json\r\n",
        "content-type: application/json\r\ncontent-type: text/plain\r\n",
        "content-type: \u{e4}\r\n",
        "content-type:\r\n",
        "",
    ] {
        let response = ask(headers);
        assert_eq!(response.status, 415, "{headers}: {response:?}");
        assert_eq!(response.error().0, "UnsupportedMediaTypeError", "{headers}");
    }
    for headers in [
        "content-type: application/json; charset=UTF-8\r\n",
        "content-type: application/json ;charset=\"utf-8\"\r\n",
        "content-type: application/json; version=1\r\n",
        "content-type: application/json\r\ncontent-encoding: identity\r\n",
    ] {
        assert_eq!(ask(headers).status, 200, "{headers}");
    }
    for coding in ["br", "deflate", "zstd", "gzip, gzip", "x", "\u{e4}"] {
        let response =
            ask(&format!("content-type: application/json\r\ncontent-encoding: {coding}\r\n"));
        assert_eq!(response.status, 415, "{coding}: {response:?}");
        assert_eq!(response.error().0, "UnsupportedMediaTypeError", "{coding}");
        assert!(response.head.contains("accept-encoding: gzip\r\n"), "{coding}: {response:?}");
    }
    is_alive(&service);

    let plain = Running::configured("server: {compression: false}");
    let headers = format!(
        "connection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n",
        GOOD.len()
    );
    let response = exchange(&plain, post(&headers, GOOD));
    assert_eq!(response.status, 415, "{response:?}");
    assert!(response.head.contains("accept-encoding: identity"), "{response:?}");
}

#[test]
fn who_refuses_every_coding_gets_a_plain_answer() {
    let service = Running::start();
    for codings in ["identity;q=0", "*;q=0", "br", "gzip;q=0, identity;q=0", "nonsense;;;"] {
        let headers = format!(
            "connection: close\r\naccept-encoding: {codings}\r\ncontent-length: {}\r\n",
            GOOD.len()
        );
        let response = exchange(&service, post(&headers, GOOD));
        assert_eq!(response.status, 200, "{codings}: {response:?}");
        assert!(!response.head.contains("content-encoding"), "{codings}: {response:?}");
    }
}

#[test]
fn a_body_that_is_announced_as_too_large_is_not_waited_for() {
    let service = Running::start();
    for headers in [
        "content-length: 1048577\r\n",
        "content-length: 1000000000000000000\r\n",
        "content-length: 1048577\r\ncontent-encoding: gzip\r\n",
        "content-length: 1048577\r\nexpect: 100-continue\r\n",
    ] {
        let mut stream = service.connect();
        stream.write_all(&post(headers, "")).unwrap();
        let response = Response::read_one(&mut stream).unwrap();
        assert_eq!(response.status, 413, "{headers}: {response:?}");
        assert_eq!(response.error().1, ["a body may have at most 1048576 bytes"], "{headers}");
        assert!(response.closes(), "{headers}: {response:?}");
    }
    is_alive(&service);
}
