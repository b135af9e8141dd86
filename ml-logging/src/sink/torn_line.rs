//! Detection of incomplete last lines.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    thread,
    time::Duration,
};

/// Delay before a second look at a file that another process may be writing to.
const SECOND_LOOK: Duration = Duration::from_millis(10);

/// Incomplete last line of a file, left by a process that was killed.
pub(super) struct TornLine {
    file: File,
    length: u64,
}

impl TornLine {
    /// Returns the incomplete last line of a file. `None` if the file cannot be read, or if another
    /// process is writing that line.
    pub(super) fn of(path: &Path) -> Option<Self> {
        // Opening a pipe for reading would make this process its reader.
        if !fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let mut file = File::open(path).ok()?;
        // Fails if the file is empty.
        let length = file.seek(SeekFrom::End(-1)).ok()? + 1;
        let mut last = [0];
        file.read_exact(&mut last).ok()?;
        if last == *b"\n" {
            return None;
        }
        thread::sleep(SECOND_LOOK);
        Some(Self { file, length }).filter(Self::is_unchanged)
    }

    /// Returns whether the file has the same length still. Another handler may have ended the line.
    pub(super) fn is_unchanged(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == self.length)
    }
}
