//! Lines of container log files: the runtime has wrapped each line of the program.
//!
//! | runtime | line |
//! |---|---|
//! | containerd, CRI-O | `2026-11-28T10:00:00.123456789Z stdout F {"asctime":…}` |
//! | Docker | `{"log":"{\"asctime\":…}\n","stream":"stdout","time":"…"}` |
//!
//! Both split long lines into pieces: `P` instead of `F`, and `log` without a line break.

use std::borrow::Cow;

use super::members::{Members, text};

/// Standard stream of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// The text inside of a wrapped line.
pub(crate) struct Piece<'a> {
    pub(crate) stream: Stream,
    pub(crate) text: Cow<'a, str>,
    /// Whether the line of the program ends with this piece.
    pub(crate) is_last: bool,
    /// Time of the runtime, as JSON text.
    pub(crate) time: Cow<'a, str>,
}

/// Returns the text inside of a line; `None` if no container runtime has written the line.
pub(crate) fn unwrap(line: &str) -> Option<Piece<'_>> {
    if line.starts_with("{\"log\":") { docker(line) } else { cri(line) }
}

fn cri(line: &str) -> Option<Piece<'_>> {
    if !line.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let mut words = line.splitn(4, ' ');
    let time = words.next().filter(|time| time.len() >= 20 && time.as_bytes()[10] == b'T')?;
    let stream = stream(words.next()?)?;
    // Tags after the first one are reserved.
    let is_last = match words.next()?.split(':').next()? {
        "F" => true,
        "P" => false,
        _ => return None,
    };
    let text = Cow::Borrowed(words.next().unwrap_or_default());
    Some(Piece { stream, text, is_last, time: format!("\"{time}\"").into() })
}

fn docker(line: &str) -> Option<Piece<'_>> {
    let members = Members::read(line)?;
    let stream = stream(&text(members.get("stream")?)?)?;
    let mut text = text(members.get("log")?)?;
    let is_last = text.ends_with('\n');
    if is_last {
        match &mut text {
            Cow::Borrowed(text) => *text = &text[..text.len() - 1],
            Cow::Owned(text) => text.truncate(text.len() - 1),
        }
    }
    Some(Piece { stream, text, is_last, time: members.get("time")?.into() })
}

fn stream(name: &str) -> Option<Stream> {
    match name {
        "stdout" => Some(Stream::Output),
        "stderr" => Some(Stream::Error),
        _ => None,
    }
}
