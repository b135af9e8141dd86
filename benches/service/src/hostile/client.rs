//! HTTP/1.1 over a socket, correct or not.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Time limit of a step of a client that waits.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) const PATH: &str = "/api/models/insurance_charges_model/prediction";

pub(super) const BODY: &str =
    r#"{"age":42,"sex":"male","bmi":24.0,"children":2,"smoker":false,"region":"northwest"}"#;

pub(super) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes a request for a prediction with further header lines, each of which ends with `\r\n`.
pub(super) fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: hostile\r\ncontent-type: application/json\r\n{headers}\
         content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Sends a request over a connection of its own. Returns the status of the answer.
pub(super) fn exchange(address: SocketAddr, request: &[u8]) -> io::Result<u16> {
    let mut stream = connect(address)?;
    // The service may answer before it has read everything.
    let sent = stream.write_all(request);
    read_status(&mut stream).or_else(|error| sent.and(Err(error)))
}

/// Reads one answer by its length, and returns its status.
pub(super) fn read_status(stream: &mut TcpStream) -> io::Result<u16> {
    let invalid =
        |answer: &[u8]| io::Error::new(ErrorKind::InvalidData, answer.escape_ascii().to_string());
    let mut answer = Vec::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        let length = stream.read(&mut part)?;
        if length == 0 {
            let kind = ErrorKind::UnexpectedEof;
            return Err(if answer.is_empty() { kind.into() } else { invalid(&answer) });
        }
        answer.extend_from_slice(&part[..length]);
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: Option<usize> = length.and_then(|length| length.parse().ok());
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (Some(length), Some(status)) = (length, status) else { return Err(invalid(&answer)) };
        match (answer.len() - end - 4).cmp(&length) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => return Ok(status),
            std::cmp::Ordering::Greater => return Err(invalid(&answer)),
        }
    }
}
