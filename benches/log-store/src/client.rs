//! Questions over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// Asks for JSON.
pub(crate) fn get(address: &str, path: &str) -> crate::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("{path}: {answer}").into());
    }
    Ok(serde_json::from_str(body)?)
}
