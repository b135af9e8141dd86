//! Requests beyond the limits: large heads and bodies, many connections, answers that are not read.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::{DEADLINE, GOOD, exchange, is_alive, post, post_body};
use crate::common::{Response, Running};

const HEALTH: &str = "GET /api/health HTTP/1.1\r\nhost: test\r\n\r\n";

/// Sends a request over a connection that stays open.
fn ask(stream: &mut TcpStream, request: impl AsRef<[u8]>) -> Response {
    stream.write_all(request.as_ref()).unwrap();
    Response::read_one(stream).unwrap()
}

/// Returns whether the service has closed a connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(length) => length == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

fn get_with_header(bytes: usize) -> String {
    let value = "a".repeat(bytes);
    format!("GET /api/health HTTP/1.1\r\nhost: test\r\nconnection: close\r\nx: {value}\r\n\r\n")
}

#[test]
fn heads_are_limited() {
    let service = Running::start();
    assert_eq!(exchange(&service, get_with_header(30_000)).status, 200);
    assert_eq!(exchange(&service, get_with_header(40_000)).status, 431);
    let service = Running::configured("server: {head_limit_bytes: 100000}");
    assert_eq!(exchange(&service, get_with_header(90_000)).status, 200);
    assert_eq!(exchange(&service, get_with_header(110_000)).status, 431);
    let long = format!("GET /{} HTTP/1.1\r\nhost: test\r\n\r\n", "a".repeat(70_000));
    assert_eq!(exchange(&service, long).status, 414);
}

#[test]
fn an_early_refusal_reaches_a_client_that_first_sends_everything() {
    let service = Running::start();
    let guarded = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(guarded.path(), "a-key-of-many-characters").unwrap();
    let yaml = format!("server: {{api_keys: {{file: {}}}}}", guarded.path().display());
    let guarded = Running::configured(&yaml);
    let large = "x".repeat(12 << 20);
    let body = "x".repeat(1_000_000);
    let declared = |body: &str| format!("content-length: {}\r\n", body.len());
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let unknown = format!("POST /nothing HTTP/1.1\r\nhost: test\r\n{}\r\n{body}", declared(&body));
    for (name, service, request, status) in [
        ("declared", &service, post(&declared(&large), &large), 413),
        ("in one chunk", &service, post("transfer-encoding: chunked\r\n", chunk), 413),
        ("a head", &service, get_with_header(4 << 20).into(), 431),
        ("unknown path", &service, unknown.into(), 404),
        ("no key", &guarded, post(&declared(&body), &body), 401),
    ] {
        let mut stream = service.connect();
        let sent = stream.write_all(&request);
        assert!(sent.is_ok(), "{name}: {sent:?}");
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        assert!(read.is_ok(), "{name}: {read:?}");
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
    }
    is_alive(&service);
}

#[test]
fn a_compressed_body_is_limited_before_it_is_decompressed() {
    // An empty member takes 20 bytes, a block of no data 5: without a limit, any number of them is
    // accepted.
    let member = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0".as_slice();
    let block = b"\0\0\0\xff\xff".as_slice();
    for (first, next) in [(member, member), (&member[..10], block)] {
        let service = Running::start();
        let mut stream = service.connect();
        let headers = "content-encoding: gzip\r\ntransfer-encoding: chunked\r\n";
        stream.write_all(&post(headers, [b"a\r\n", &first[..10], b"\r\n"].concat())).unwrap();
        let next = next.repeat(10_000);
        let chunk = [format!("{:x}\r\n", next.len()).as_bytes(), &next, b"\r\n"].concat();
        let started = Instant::now();
        let mut sent = 0;
        while stream.write_all(&chunk).is_ok() {
            sent += chunk.len();
            assert!(started.elapsed() < DEADLINE, "{sent} bytes and no end");
        }
        // The limit, what is discarded after it, and the buffers of the system.
        assert!(sent < 64 << 20, "{sent} bytes are taken");
        is_alive(&service);
    }
}

#[test]
fn the_connection_that_is_unused_for_longest_is_closed_for_a_new_one() {
    let service = Running::configured("server: {connection_limit: 4}");
    let mut streams: Vec<_> = (0..4).map(|_| service.connect()).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, HEALTH).status, 200);
    }
    // The first connection is not the one that is unused for longest.
    is_alive(&service);
    let closed: Vec<_> = streams
        .iter_mut()
        .map(|stream| {
            stream.set_read_timeout(Some(std::time::Duration::from_millis(10))).unwrap();
            is_closed(stream)
        })
        .collect();
    assert_eq!(closed.iter().filter(|closed| **closed).count(), 1, "{closed:?}");
    for (stream, closed) in streams.iter_mut().zip(closed) {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        assert!(closed || ask(stream, HEALTH).status == 200);
    }
}

#[test]
fn connections_that_send_no_complete_head_do_not_keep_others_out() {
    let service = Running::configured("server: {connection_limit: 4}");
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut stream = service.connect();
        stream.write_all(&b"POST /api/models"[..number % 16]).unwrap();
        slow.push(stream);
        if number % 10 == 0 {
            is_alive(&service);
        }
    }
}

#[test]
fn while_all_connections_are_in_use_probes_are_answered() {
    let service = Running::configured("server: {connection_limit: 4}");
    let request = post_body(r#"{"age": 60, "bmi": 20}"#);
    let mut busy: Vec<_> = (0..4).map(|_| service.connect()).collect();
    for stream in &mut busy[..2] {
        stream.write_all(&request).unwrap();
    }
    service.gate.wait_for(2);
    // The others hold a connection by a body that they do not send. The service has read the head when it asks
    // for the body.
    for stream in &mut busy[2..] {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        let length = GOOD.len();
        let headers =
            format!("connection: close\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n");
        stream.write_all(&post(&headers, "")).unwrap();
        let mut answer = [0; CONTINUE.len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, CONTINUE);
    }
    let request_of_another = post(&format!("content-length: {}\r\n", GOOD.len()), GOOD);
    let refused = ask(&mut service.connect(), request_of_another);
    assert_eq!(refused.status, 503, "{refused:?}");
    let many = "the service has as many connections in use as its limit allows";
    assert_eq!(refused.error(), ("ServiceError".to_owned(), vec![many.to_owned()]));
    assert!(refused.head.contains("retry-after: 1") && refused.closes(), "{refused:?}");
    // More than are admitted at the same time, most of which send nothing.
    let silent: Vec<_> = (0..200).map(|_| service.connect()).collect();
    for _ in 0..20 {
        let response = ask(&mut service.connect(), HEALTH);
        assert!(response.status == 200 && response.closes(), "{response:?}");
    }
    drop(silent);
    service.gate.open();
    for stream in &mut busy[2..] {
        stream.write_all(GOOD.as_bytes()).unwrap();
    }
    for stream in busy {
        assert_eq!(Response::read(stream).status, 200, "no connection in use is closed");
    }
    is_alive(&service);
}

#[test]
fn work_on_large_bodies_does_not_delay_others() {
    let yaml = "models: [{qualified_name: charges_model, execution: inline}]";
    let service = Running::on_workers(1, yaml);
    let padding = " ".repeat(100_000);
    let large = post_body(format!(r#"{{"age": 60, "bmi": 20}}{padding}"#));
    let held: Vec<_> = (0..2 * std::thread::available_parallelism().unwrap().get())
        .map(|_| {
            let mut stream = service.connect();
            stream.write_all(&large).unwrap();
            stream
        })
        .collect();
    service.gate.wait_for(1);
    // The only worker would be that of the held prediction.
    is_alive(&service);
    service.gate.open();
    for stream in held {
        assert_eq!(Response::read(stream).status, 200);
    }
}

#[test]
fn a_client_that_does_not_read_its_answers_is_disconnected() {
    let service = Running::configured("server: {write_timeout_s: 0.2}");
    let asset = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: test\r\n\r\n";
    for request in [HEALTH, asset] {
        let pipeline = request.repeat(100);
        let mut stream = service.connect();
        stream.set_write_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
        let started = Instant::now();
        let error = loop {
            match stream.write(pipeline.as_bytes()) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => break error,
            }
            assert!(started.elapsed() < DEADLINE, "the client is never disconnected");
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    is_alive(&service);
}

#[test]
fn a_client_that_reads_its_answers_slowly_receives_them() {
    let service = Running::configured("server: {write_timeout_s: 5}");
    const COUNT: usize = 20_000;
    let mut stream = service.connect();
    let mut sender = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        sender.write_all(&HEALTH.as_bytes().repeat(COUNT)).unwrap();
    });
    let mut received = 0;
    let mut part = vec![0; 64 * 1024];
    let mut rest = Vec::new();
    while received < COUNT {
        let length = stream.read(&mut part).unwrap();
        assert_ne!(length, 0, "closed after {received} answers");
        rest.extend_from_slice(&part[..length]);
        let end = rest.windows(8).rposition(|bytes| bytes == b"HTTP/1.1").unwrap_or(0);
        let complete = rest.drain(..end).collect::<Vec<_>>();
        received += complete.windows(8).filter(|bytes| bytes == b"HTTP/1.1").count();
        if received + 1 == COUNT && rest.ends_with(b"}") {
            received += 1;
        }
    }
    sending.join().unwrap();
}
