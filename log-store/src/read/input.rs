//! Standard input. A thread reads it, because a read waits until there is something.

use std::io::{self, Read};
use std::mem;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use super::lines::{Lines, MAX_LINE_BYTES, take_line, take_lines};
use super::position::{Position, TAIL_BYTES, new_position};

const CHUNK_BYTES: usize = 1 << 18;
/// Chunks that wait for the store. A producer that is faster waits.
const WAITING_CHUNKS: usize = 4;

/// Standard input.
pub(crate) struct StandardInput {
    chunks: Receiver<Vec<u8>>,
    /// Bytes of the input around the position, and the number of the first one.
    buffer: Vec<u8>,
    start: u64,
    source: usize,
    is_open: bool,
}

impl StandardInput {
    /// Starts to read. The current thread, which polls, is unparked when something has arrived.
    pub(crate) fn new(positions: &mut Vec<Position>) -> Self {
        let (sender, chunks) = sync_channel(WAITING_CHUNKS);
        let poller = thread::current();
        thread::spawn(move || {
            let mut input = io::stdin().lock();
            let mut buffer = vec![0; CHUNK_BYTES];
            loop {
                match input.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(length) => {
                        if sender.send(buffer[..length].to_vec()).is_err() {
                            return;
                        }
                        poller.unpark();
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        eprintln!("ml-logs: cannot read standard input: {error}");
                        return;
                    }
                }
            }
        });
        let source = new_position(positions, "-", Vec::new());
        Self { chunks, buffer: Vec::new(), start: 0, source, is_open: true }
    }

    /// Takes the lines that have arrived, up to a chunk of them. Returns whether there were any.
    pub(crate) fn poll<L: Lines>(
        &mut self,
        positions: &mut [Position],
        lines: &mut L,
    ) -> Result<bool, L::Error> {
        // Lines that could not be taken the last time are still there.
        if self.take(positions, lines)? {
            return Ok(true);
        }
        match self.chunks.try_recv() {
            Ok(chunk) => {
                self.buffer.extend_from_slice(&chunk);
                self.take(positions, lines)?;
                Ok(true)
            }
            Err(TryRecvError::Empty) => Ok(false),
            Err(TryRecvError::Disconnected) => {
                let rest = self.buffer.len() - self.known(positions);
                if rest > 0 {
                    take_line(&self.buffer, rest, self.source, positions, lines)?;
                }
                if mem::replace(&mut self.is_open, false) {
                    eprintln!("ml-logs: standard input has ended; the page stays open");
                }
                Ok(rest > 0)
            }
        }
    }

    /// Takes the complete lines of the buffer. Returns whether there were any.
    fn take<L: Lines>(
        &mut self,
        positions: &mut [Position],
        lines: &mut L,
    ) -> Result<bool, L::Error> {
        let known = self.known(positions);
        let taken = take_lines(&self.buffer, known, self.source, positions, lines)?;
        let rest = self.buffer.len() - known - taken;
        if rest > MAX_LINE_BYTES {
            take_line(&self.buffer, rest, self.source, positions, lines)?;
        }
        let done = self.known(positions);
        let drained = done.saturating_sub(TAIL_BYTES);
        self.buffer.drain(..drained);
        self.start += drained as u64;
        Ok(done > known)
    }

    /// Returns the number of bytes of the buffer before the position.
    fn known(&self, positions: &[Position]) -> usize {
        (positions[self.source].bytes - self.start) as usize
    }
}
