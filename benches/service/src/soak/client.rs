//! A client with one keep-alive connection at a time that accounts for every request and answer.
//!
//! It writes HTTP/1.1 to a socket, because a client library would retry and hide what is counted here.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;

/// Time limit of an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Account of one client's requests.
#[derive(Default)]
pub(crate) struct Books {
    /// Requests that were written to the socket completely.
    pub(crate) sent: u64,
    /// Ids of the predictions answered with 200.
    pub(crate) answered: Vec<Uuid>,
    /// Ids from this client whose requests got no answer.
    pub(crate) unanswered: Vec<Uuid>,
    /// Requests without an own id that got no answer.
    pub(crate) unanswered_without_id: u64,
    /// Requests that were not sent completely.
    pub(crate) incomplete: u64,
    /// Connections that were refused after the stop began.
    pub(crate) refused: u64,
    /// Connections that were closed after an answer with `connection: close`.
    pub(crate) closed: u64,
    /// Events that must not happen.
    pub(crate) faults: Vec<String>,
}

/// How a request ended without an answer.
enum Unanswered {
    /// The connection was closed before the last byte was sent.
    Incomplete,
    /// The connection was closed without a byte of an answer.
    Closed,
    /// Anything else.
    Fault(String),
}

struct Answer {
    id: Uuid,
    closes: bool,
}

/// Sends requests without a pause until connections are refused, which is a fault unless `is_stopping`.
/// Clients with an odd `number` send no ids.
pub(crate) fn run(address: SocketAddr, number: u64, is_stopping: &AtomicBool) -> Books {
    let mut books = Books::default();
    let mut requests = 0_u64;
    // The first fault ends the client.
    while books.faults.is_empty() {
        let mut stream = match TcpStream::connect(address) {
            Ok(stream) => stream,
            Err(error) if is_stopping.load(Ordering::SeqCst) => {
                if error.kind() != ErrorKind::ConnectionRefused {
                    books.faults.push(format!("connecting: {error}"));
                }
                books.refused += 1;
                break;
            }
            Err(error) => {
                books.faults.push(format!("connecting: {error}"));
                break;
            }
        };
        let setup = stream.set_read_timeout(Some(TIMEOUT)).and_then(|()| stream.set_nodelay(true));
        if let Err(error) = setup {
            books.faults.push(format!("setting up the socket: {error}"));
        }
        loop {
            requests += 1;
            // A UUID that is not of version 4 cannot be one of the service.
            let own_id = number
                .is_multiple_of(2)
                .then(|| Uuid::from_u128(u128::from(number) << 64 | u128::from(requests)));
            match ask(&mut stream, own_id) {
                Ok(Answer { id, closes }) => {
                    books.sent += 1;
                    books.answered.push(id);
                    if own_id.is_some_and(|own_id| own_id != id) {
                        books.faults.push(format!("the answer to another request: {id}"));
                    }
                    if closes {
                        books.closed += 1;
                        break;
                    }
                }
                Err(unanswered) => {
                    if !is_stopping.load(Ordering::SeqCst) {
                        books.faults.push("a connection was closed before the stop".to_owned());
                    }
                    match unanswered {
                        Unanswered::Incomplete => books.incomplete += 1,
                        Unanswered::Closed => {
                            books.sent += 1;
                            match own_id {
                                Some(id) => books.unanswered.push(id),
                                None => books.unanswered_without_id += 1,
                            }
                        }
                        Unanswered::Fault(fault) => {
                            books.sent += 1;
                            books.faults.push(fault);
                        }
                    }
                    break;
                }
            }
        }
    }
    books
}

fn ask(stream: &mut TcpStream, id: Option<Uuid>) -> Result<Answer, Unanswered> {
    let body = match id {
        Some(id) => format!(r#"{{"age":25,"bmi":21.5,"prediction_id":"{id}"}}"#),
        None => r#"{"age":25,"bmi":21.5}"#.to_owned(),
    };
    let request = format!(
        "POST /api/models/trivial_model/prediction HTTP/1.1\r\nhost: soak\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(|_closed| Unanswered::Incomplete)?;

    let mut answer = Vec::with_capacity(512);
    loop {
        let mut part = [0; 1024];
        match stream.read(&mut part) {
            Ok(0) if answer.is_empty() => return Err(Unanswered::Closed),
            Ok(0) => {
                return Err(Unanswered::Fault(format!("truncated: {}", answer.escape_ascii())));
            }
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset && answer.is_empty() => {
                return Err(Unanswered::Closed);
            }
            Err(error) => return Err(Unanswered::Fault(format!("reading: {error}"))),
        }
        match parse(&answer) {
            Parsed::More => {}
            Parsed::Answer(answer) => return Ok(answer),
            Parsed::Fault => return Err(Unanswered::Fault(answer.escape_ascii().to_string())),
        }
    }
}

enum Parsed {
    /// The answer is incomplete.
    More,
    Answer(Answer),
    /// The answer is not that of a prediction.
    Fault,
}

fn parse(bytes: &[u8]) -> Parsed {
    let Ok(text) = std::str::from_utf8(bytes) else { return Parsed::Fault };
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Parsed::More };
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let Some(length) = length.and_then(|length| length.parse::<usize>().ok()) else {
        return Parsed::Fault;
    };
    if body.len() < length {
        return Parsed::More;
    }
    let id = body.split(r#""prediction_id":""#).nth(1).and_then(|rest| rest.get(..36));
    match id.and_then(|id| id.parse().ok()) {
        Some(id) if head.starts_with("http/1.1 200 ") && body.len() == length => {
            Parsed::Answer(Answer { id, closes: head.contains("connection: close") })
        }
        _ => Parsed::Fault,
    }
}
