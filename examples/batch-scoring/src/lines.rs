//! Lines of a bounded length.
//!
//! Each line is one row, so that a torn row with an open quote does not swallow the rows after it.

use std::io::{self, BufRead, Read as _};

/// Longest line that is read.
pub const LINE_LIMIT: usize = 64 * 1024;

/// One line without its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Number in the file, from 1.
    pub number: u64,
    /// The text, or the reason why it cannot be read.
    pub text: Result<String, String>,
    /// Number of bytes in the file.
    pub bytes: usize,
}

/// Reads the lines of an input one by one.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Self {
        Self { input, number: 0 }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        self.number += 1;
        read(&mut self.input, self.number).transpose()
    }
}

fn read(input: &mut impl BufRead, number: u64) -> io::Result<Option<Line>> {
    let mut text = Vec::new();
    let mut bytes = input.by_ref().take(LINE_LIMIT as u64).read_until(b'\n', &mut text)?;
    if bytes == 0 {
        return Ok(None);
    }
    if bytes == LINE_LIMIT && text.pop_if(|last| *last == b'\n').is_none() {
        bytes += input.skip_until(b'\n')?;
        let text = Err(format!("the line is longer than {LINE_LIMIT} bytes"));
        return Ok(Some(Line { number, text, bytes }));
    }
    let text = match String::from_utf8(text) {
        Ok(mut text) => {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
            Ok(text)
        }
        Err(_) => Err("the line is not UTF-8".to_owned()),
    };
    Ok(Some(Line { number, text, bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_cannot_be_read_do_not_end_the_file() {
        let longest = "x".repeat(LINE_LIMIT - 1);
        let input = [b"a\r\n\n\xff\n", longest.as_bytes(), b"\n", longest.as_bytes(), b"yz\nlast"];
        let input = input.concat();
        let lines: Vec<_> = Lines::new(&input[..]).map(Result::unwrap).collect();
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_deref()).collect();
        let (not_text, too_long) =
            ("the line is not UTF-8".to_owned(), "the line is longer than 65536 bytes".to_owned());
        assert_eq!(
            texts,
            [Ok("a"), Ok(""), Err(&not_text), Ok(&longest), Err(&too_long), Ok("last")]
        );
        assert_eq!(lines.iter().map(|line| line.bytes).sum::<usize>(), input.len());
        assert_eq!(lines.last().unwrap().number, 6);
    }
}
