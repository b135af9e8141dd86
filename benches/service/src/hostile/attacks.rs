//! The attacks. Each runs on a thread of its own, with pauses, because the clients share the machine with
//! the service.

use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Field;
use super::client::{BODY, PATH, connect, exchange, post};

/// Account of one attack.
#[derive(Default)]
pub(super) struct Attack {
    pub(super) count: u64,
    pub(super) fault: Option<String>,
}

impl Attack {
    /// Counts an attack with its answer. An attack without an answer is a connection that the service has
    /// closed.
    fn add(&mut self, answer: io::Result<u16>, expected: &[u16]) {
        self.count += 1;
        if let Ok(status) = answer
            && !expected.contains(&status)
        {
            self.fault.get_or_insert(format!("answered with {status}"));
        }
    }
}

/// Attacks until the run is over.
type Run = fn(&Field) -> Attack;

/// Names and functions of the attacks.
pub(super) const ATTACKS: [(&str, Run); 9] = [
    ("heads of a byte at a time", slow_heads),
    ("heads of 400 kB", huge_heads),
    ("bodies of a byte at a time", slow_bodies),
    ("malicious bodies of 1 MB", malicious_bodies),
    ("bodies of 20 MB", oversized_bodies),
    ("compression bombs", bombs),
    ("clients that read no answers", unread_answers),
    ("connections of a flood", flood),
    ("aborted requests", aborted),
];

/// Keeps connections open over which a byte is sent from time to time.
fn trickle(field: &Field, connections: usize, first: &[u8], byte: &[u8]) -> Attack {
    let mut attack = Attack::default();
    let mut open: Vec<Option<TcpStream>> = (0..connections).map(|_| None).collect();
    field.begin();
    while field.pause(500) {
        for stream in &mut open {
            let written = match stream {
                Some(stream) => stream.write_all(byte),
                None => {
                    attack.count += 1;
                    connect(field.address).and_then(|mut new| {
                        new.write_all(first)?;
                        *stream = Some(new);
                        Ok(())
                    })
                }
            };
            if written.is_err() {
                *stream = None;
            }
        }
    }
    attack
}

fn slow_heads(field: &Field) -> Attack {
    trickle(field, 200, b"GET /api/health HTTP/1.1\r\nhost: hostile\r\nx: ", b"x")
}

fn slow_bodies(field: &Field) -> Attack {
    let request = post("", &[b' '; 100_000]);
    trickle(field, 100, &request[..request.len() - 90_000], b" ")
}

fn huge_heads(field: &Field) -> Attack {
    let mut attack = Attack::default();
    let value = "x".repeat(400_000);
    let request = format!("GET /api/models HTTP/1.1\r\nhost: hostile\r\nx: {value}\r\n\r\n");
    field.begin();
    while field.pause(100) {
        attack.add(exchange(field.address, request.as_bytes()), &[431]);
    }
    attack
}

fn malicious_bodies(field: &Field) -> Attack {
    const SIZE: usize = 1_000_000;
    let list = |item: &str| {
        let items = vec![item; SIZE / (item.len() + 1) - 1];
        format!("[{}]", items.join(","))
    };
    let members: String = (0..SIZE / 16).map(|number| format!(r#""m{number:08}":0,"#)).collect();
    let bodies = [
        list("[]"),
        list(r#""""#),
        list("{}"),
        list("1e308"),
        "[".repeat(SIZE),
        format!("{{{}}}", members.trim_end_matches(',')),
        format!(r#"{{"age":{}}}"#, list("[]")),
        format!(r#"{{"region":"{}"}}"#, "é".repeat(SIZE / 4)),
        format!(r#"{{"bmi":{}}}"#, "9".repeat(SIZE / 2)),
    ];
    let mut attack = Attack::default();
    field.begin();
    for body in bodies.iter().cycle() {
        if !field.pause(200) {
            break;
        }
        attack.add(exchange(field.address, &post("", body.as_bytes())), &[400]);
        let rows = post("", body.as_bytes());
        let rows = String::from_utf8_lossy(&rows).replacen("/prediction ", "/predictions ", 1);
        attack.add(exchange(field.address, rows.as_bytes()), &[400, 413]);
    }
    attack
}

fn oversized_bodies(field: &Field) -> Attack {
    let mut attack = Attack::default();
    let body = vec![b' '; 20_000_000];
    let declared = post("", &body);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: hostile\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    );
    let chunked = [head.as_bytes(), &body].concat();
    field.begin();
    while field.pause(500) {
        attack.add(exchange(field.address, &declared), &[413]);
        attack.add(exchange(field.address, &chunked), &[413]);
    }
    attack
}

fn bombs(field: &Field) -> Attack {
    let gzip = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Memory takes everything.
        encoder.write_all(text).and_then(|()| encoder.finish()).unwrap_or_default()
    };
    let zeros = vec![b' '; 200_000_000];
    let bombs = [
        gzip(&zeros),
        // Many members that hold nothing.
        gzip(b"").repeat(50_000),
        // A body that is hardly compressed, and cut off.
        gzip(BODY.as_bytes())[..20].to_vec(),
    ];
    drop(zeros);
    let mut attack = Attack::default();
    field.begin();
    for bomb in bombs.iter().cycle() {
        if !field.pause(100) {
            break;
        }
        let request = post("content-encoding: gzip\r\n", bomb);
        attack.add(exchange(field.address, &request), &[400, 413]);
    }
    attack
}

/// Sends requests without reading the answers, until the service closes the connection.
fn unread_answers(field: &Field) -> Attack {
    const CONNECTIONS: usize = 50;
    let requests = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: hostile\r\n\r\n".repeat(100);
    let mut attack = Attack::default();
    let mut open: Vec<Option<TcpStream>> = (0..CONNECTIONS).map(|_| None).collect();
    field.begin();
    while field.pause(100) {
        for stream in &mut open {
            if stream.is_none() {
                attack.count += 1;
                let new = connect(field.address);
                *stream = new.and_then(|new| new.set_nonblocking(true).map(|()| new)).ok();
            }
            let written = stream.as_mut().map(|stream| stream.write(requests.as_bytes()));
            if let Some(Err(error)) = written
                && error.kind() != ErrorKind::WouldBlock
            {
                *stream = None;
            }
        }
    }
    attack
}

/// Opens more connections than the service permits, and sends nothing.
fn flood(field: &Field) -> Attack {
    const CONNECTIONS: usize = 1500;
    let mut attack = Attack::default();
    field.begin();
    while field.pause(2000) {
        let open = (0..CONNECTIONS).map(|_| connect(field.address));
        let open: Vec<_> = open.filter_map(Result::ok).collect();
        attack.count += open.len() as u64;
        field.pause(500);
    }
    attack
}

/// Closes connections within a request, or before its answer.
fn aborted(field: &Field) -> Attack {
    let mut attack = Attack::default();
    let request = post("", BODY.as_bytes());
    field.begin();
    for length in (0..=request.len()).cycle() {
        if !field.pause(5) {
            break;
        }
        attack.count += 1;
        // The service may have closed the connection.
        let _sent =
            connect(field.address).and_then(|mut stream| stream.write_all(&request[..length]));
    }
    attack
}
