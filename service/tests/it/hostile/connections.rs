//! Bytes that arrive slowly, all at once, not at all, or after the client has gone.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use super::{DEADLINE, GOOD, exchange, is_alive, post, post_body};
use crate::common::{Response, Running, records};

/// Reads answers, by their lengths, from a connection that stays open.
fn answers(stream: &mut TcpStream, count: usize) -> Vec<(u16, String)> {
    let mut bytes = Vec::new();
    let mut answers = Vec::new();
    while answers.len() < count {
        let text = std::str::from_utf8(&bytes).unwrap();
        let answer = text.split_once("\r\n\r\n").and_then(|(head, rest)| {
            let length = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
            let status = head.split(' ').nth(1)?.parse().ok()?;
            let body: &str = rest.get(..length)?;
            Some((status, body.to_owned(), head.len() + 4 + length))
        });
        if let Some((status, body, length)) = answer {
            answers.push((status, body));
            bytes.drain(..length);
        } else {
            let mut part = [0; 4096];
            let length = stream.read(&mut part).unwrap();
            assert_ne!(length, 0, "closed after {answers:?} and {bytes:?}");
            bytes.extend_from_slice(&part[..length]);
        }
    }
    answers
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let service = Running::start();
    let request = |number: usize| {
        // Every third one is refused, which must not affect the others.
        let age = if number % 3 == 2 { 17 } else { 25 };
        let body = format!(r#"{{"prediction_id": "pipe-{number}", "age": {age}, "bmi": 20}}"#);
        post(&format!("content-length: {}\r\n", body.len()), body)
    };
    let mut stream = service.connect();
    stream.write_all(&(0..50).flat_map(request).collect::<Vec<_>>()).unwrap();
    for (number, (status, body)) in answers(&mut stream, 50).into_iter().enumerate() {
        assert_eq!(status, if number % 3 == 2 { 400 } else { 200 }, "{body}");
        let id = format!("pipe-{number}");
        assert!(body.contains(&format!(r#""prediction_id":"{id}""#)), "{number}: {body}");
        assert_eq!(records(&id).len(), 2);
    }
}

#[test]
fn a_head_that_is_no_http_ends_the_pipeline_after_the_answers_before_it() {
    let service = Running::start();
    let good = post(&format!("content-length: {}\r\n", GOOD.len()), GOOD);
    let mut stream = service.connect();
    stream.write_all(&[&good, &good, b"nonsense\r\n\r\n".as_slice(), &good].concat()).unwrap();
    let statuses: Vec<_> = answers(&mut stream, 3).into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, [200, 200, 400]);
    let mut rest = Vec::new();
    // A reset closes the connection as well: the service has not read the rest.
    let _reset = stream.read_to_end(&mut rest);
    assert_eq!(rest, b"", "nothing after the nonsense is taken for a request");
    is_alive(&service);
}

#[test]
fn a_length_beside_chunks_does_not_smuggle_a_request() {
    let service = Running::start();
    let chunks = format!("{:x}\r\n{GOOD}\r\n0\r\n\r\n", GOOD.len());
    // A server that follows the length reads the rest as the next request; one that follows the chunks
    // reads another one: the connection must end after one answer.
    let next = "GET /api/health HTTP/1.1\r\nhost: test\r\n\r\n";
    let headers = "content-length: 4\r\ntransfer-encoding: chunked\r\n";
    let response = exchange(&service, post(headers, chunks + next));
    assert!(matches!(response.status, 200 | 400), "{response:?}");
    assert!(!response.body.contains("HTTP/1.1"), "{response:?}");
    is_alive(&service);
}

#[test]
fn a_body_that_breaks_off_is_400() {
    let service = Running::start();
    let chunked = "connection: close\r\ntransfer-encoding: chunked\r\n";
    for (name, headers, body) in [
        ("shorter than its length", "connection: close\r\ncontent-length: 500\r\n", GOOD),
        ("inside of a chunk", chunked, "ff\r\n{\"age\": 25"),
        ("before the last chunk", chunked, "18\r\n{\"age\": 25, \"bmi\": 21.5}\r\n"),
        ("inside of a chunk's length", chunked, "1"),
        ("no chunk at all", chunked, ""),
    ] {
        let mut stream = service.connect();
        stream.write_all(&post(headers, body)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let response = Response::read(stream);
        assert_eq!(response.status, 400, "{name}: {response:?}");
        let (kind, messages) = response.error();
        assert_eq!(kind, "BadRequestError", "{name}: {response:?}");
        assert!(messages[0].starts_with("the body cannot be read: "), "{name}: {response:?}");
        is_alive(&service);
    }
    for (name, body) in [
        ("no number", "zz\r\n{}\r\n0\r\n\r\n"),
        ("beyond u64", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("negative", "-2\r\n{}\r\n0\r\n\r\n"),
        ("longer than it says", "1\r\n{}\r\n0\r\n\r\n"),
    ] {
        let response = exchange(&service, post(chunked, body));
        assert_eq!(response.status, 400, "a chunk's length that is {name}: {response:?}");
        let (kind, messages) = response.error();
        assert_eq!(kind, "BadRequestError", "{name}: {response:?}");
        assert!(messages[0].starts_with("the body cannot be read: "), "{name}: {response:?}");
        is_alive(&service);
    }
}

#[test]
fn chunks_of_one_byte_are_put_together() {
    let service = Running::start();
    let chunks: String = GOOD.chars().map(|character| format!("1\r\n{character}\r\n")).collect();
    let headers = "connection: close\r\ntransfer-encoding: chunked\r\n";
    let response = exchange(&service, post(headers, chunks + "0\r\n\r\n"));
    assert_eq!(response.status, 200, "{response:?}");
}

#[test]
fn endless_chunks_are_413() {
    let service = Running::start();
    let mut stream = service.connect();
    stream.write_all(&post("connection: close\r\ntransfer-encoding: chunked\r\n", "")).unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let started = Instant::now();
    // The service stops reading: unread data fills the buffers, or the write fails.
    while stream.write_all(chunk.as_bytes()).is_ok() && started.elapsed() < DEADLINE {}
    assert!(started.elapsed() < DEADLINE, "the service reads on without end");
    assert_eq!(Response::read(stream).status, 413);
    is_alive(&service);
}

#[test]
fn a_client_that_sends_byte_by_byte_is_answered_and_others_meanwhile() {
    let service = Running::start();
    let mut stream = service.connect();
    let started = Instant::now();
    for (index, byte) in post_body(GOOD).chunks(1).enumerate() {
        stream.write_all(byte).unwrap();
        if index % 16 == 0 {
            is_alive(&service);
        }
        assert!(started.elapsed() < DEADLINE, "others wait for the slow client");
    }
    assert_eq!(Response::read(stream).status, 200);
}

#[test]
fn stalled_clients_do_not_delay_others() {
    let service = Running::start();
    let request = post_body(GOOD);
    // In the head, between head and body, in the body: more connections than threads.
    let stalled: Vec<_> = (0..60)
        .map(|number| {
            let sent = [10, request.len() - GOOD.len(), request.len() - 1][number % 3];
            let mut stream = service.connect();
            stream.write_all(&request[..sent]).unwrap();
            (stream, sent)
        })
        .collect();
    is_alive(&service);
    for (mut stream, sent) in stalled {
        stream.write_all(&request[sent..]).unwrap();
        assert_eq!(Response::read(stream).status, 200, "it was only slow");
    }
}

#[test]
fn a_client_that_leaves_during_its_prediction_is_on_record() {
    let service = Running::start();
    let mut stream = service.connect();
    let body = r#"{"prediction_id": "gone", "age": 60, "bmi": 20}"#;
    stream.write_all(&post_body(body)).unwrap();
    service.gate.wait_for(1);
    drop(stream);
    service.gate.open();
    let started = Instant::now();
    while records("gone").len() < 2 {
        assert!(started.elapsed() < DEADLINE, "{:?}", records("gone"));
        std::thread::yield_now();
    }
    assert_eq!(records("gone")[1]["message"], "Prediction created.");
    is_alive(&service);
}

#[test]
fn clients_that_leave_while_sending_do_no_harm() {
    let service = Running::start();
    let request = post_body(GOOD);
    for sent in 0..request.len() {
        service.connect().write_all(&request[..sent]).unwrap();
    }
    is_alive(&service);
}

#[test]
fn a_client_that_expects_100_continue_receives_it() {
    let service = Running::start();
    let mut stream = service.connect();
    let headers =
        format!("connection: close\r\nexpect: 100-continue\r\ncontent-length: {}\r\n", GOOD.len());
    stream.write_all(&post(&headers, "")).unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(GOOD.as_bytes()).unwrap();
    assert_eq!(Response::read(stream).status, 200);
}

#[test]
fn a_client_that_is_done_sending_gets_its_answer() {
    let service = Running::start();
    for attempt in 0..100 {
        let mut stream = service.connect();
        stream.write_all(&post_body(GOOD)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(Response::read(stream).status, 200, "attempt {attempt}");
    }
}
