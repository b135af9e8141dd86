//! Good clients: predictions over connections that stay open, and probes.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Field;
use super::client::{BODY, connect, exchange, post, read_status};

/// Account of a good client.
#[derive(Default)]
pub(super) struct Good {
    pub(super) sent: u64,
    pub(super) answered: u64,
    /// Requests that met a connection that the service had closed. HTTP/1.1 allows it to do so with
    /// a connection that is not in use, and a client to send the request again.
    pub(super) sent_again: u64,
    pub(super) fault: Option<String>,
}

/// Predicts until the run is over or a request is not answered with 200.
pub(super) fn predict(field: &Field) -> Good {
    let mut good = Good::default();
    let request = post("", BODY.as_bytes());
    let mut open = None;
    field.begin();
    while field.pause(10) {
        good.sent += 1;
        match ask(field, &mut open, &request, &mut good.sent_again) {
            Ok(200) => good.answered += 1,
            Ok(status) => good.fault = Some(format!("a good request is answered with {status}")),
            Err(error) => good.fault = Some(format!("a good request is not answered: {error}")),
        }
        if good.fault.is_some() {
            break;
        }
    }
    good
}

/// Sends a request over the open connection, or over a new one if the service has closed it.
fn ask(
    field: &Field,
    open: &mut Option<TcpStream>,
    request: &[u8],
    sent_again: &mut u64,
) -> std::io::Result<u16> {
    loop {
        let (mut stream, is_new) = match open.take() {
            Some(stream) => (stream, false),
            None => (connect(field.address)?, true),
        };
        match stream.write_all(request).and_then(|()| read_status(&mut stream)) {
            Ok(status) => {
                *open = Some(stream);
                return Ok(status);
            }
            Err(error) if !is_new && is_closed(error.kind()) => *sent_again += 1,
            Err(error) => return Err(error),
        }
    }
}

fn is_closed(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// Times of probes, each over a connection of its own.
pub(super) struct Probes {
    pub(super) times: Vec<Duration>,
    pub(super) fault: Option<String>,
}

/// Probes until the run is over or a probe fails.
pub(super) fn probe(field: &Field) -> Probes {
    let mut probes = Probes { times: Vec::new(), fault: None };
    let paths = ["/api/health", "/api/health/ready", "/api/health/startup"];
    field.begin();
    for path in paths.into_iter().cycle() {
        let request = format!("GET {path} HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n");
        let started = Instant::now();
        match exchange(field.address, request.as_bytes()) {
            Ok(200) => probes.times.push(started.elapsed()),
            Ok(status) => probes.fault = Some(format!("a probe is answered with {status}")),
            Err(error) => probes.fault = Some(format!("a probe is not answered: {error}")),
        }
        if probes.fault.is_some() || !field.pause(50) {
            break;
        }
    }
    probes
}
