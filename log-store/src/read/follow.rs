//! A path that is followed through rotation. Its *family* are the files beside it that rotation has made
//! of it: `app.log.1`, `app.log.2.gz`, `app.log-20261128`.
//!
//! * Renamed: the open file is read to its end, then the new one.
//! * Copied and truncated: the rest of the old content is in a copy, which is found by its content.
//! * Compressed, or rotated several times between two looks, or while nothing was running: each file of
//!   the family is read from the position that its content has, or from the start.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::file::{
    Found, Look, OpenFile, Seen, decompress, find_position, id, is_compressed, read_compressed,
    seen,
};
use super::lines::Lines;
use super::position::{Position, new_position};

/// Time between two looks at the family of a path that has not changed.
const SCAN_INTERVAL: Duration = Duration::from_secs(5);
/// Time after which a renamed file that does not grow is closed.
const CLOSE_AFTER: Duration = Duration::from_secs(30);

/// Follows one path.
pub(crate) struct Follower {
    path: PathBuf,
    name: String,
    current: Option<OpenFile>,
    /// Renamed and copied files that are not read to their end, or may still grow.
    rotated: Vec<OpenFile>,
    /// Files of the family that need no further look unless they change.
    done: HashMap<PathBuf, Seen>,
    next_scan: Instant,
    buffer: Vec<u8>,
}

impl Follower {
    /// Creates a follower. The path need not exist.
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            name: path.display().to_string(),
            current: None,
            rotated: Vec::new(),
            done: HashMap::new(),
            next_scan: Instant::now(),
            buffer: Vec::new(),
        }
    }

    /// Takes lines of the path and its family, about a chunk of each file. Returns whether there were any.
    pub(crate) fn poll<L: Lines>(
        &mut self,
        positions: &mut Vec<Position>,
        lines: &mut L,
    ) -> Result<bool, L::Error> {
        let mut progress = self.read_rotated(positions, lines)?;
        if let Some(file) = &mut self.current {
            match file.read(&mut self.buffer, positions, lines)? {
                Look::Progress => return Ok(true),
                Look::Changed => self.leave_current(false),
                Look::Idle => {
                    let at_path = fs::metadata(&self.path).ok();
                    if at_path.is_none_or(|metadata| id(&metadata) != file.id) {
                        self.leave_current(true);
                    }
                }
            }
        }
        if self.current.is_none() && !is_compressed(&self.path) {
            self.current = open(&self.path, &self.name, positions).unwrap_or_default();
            progress |= self.current.is_some();
        }
        if Instant::now() >= self.next_scan {
            progress |= self.scan(positions, lines)?;
            self.next_scan = Instant::now() + SCAN_INTERVAL;
        }
        Ok(progress)
    }

    /// Leaves the file at the path, which has been renamed or truncated.
    fn leave_current(&mut self, may_grow: bool) {
        let file = self.current.take();
        self.rotated.extend(file.filter(|_| may_grow));
        self.next_scan = Instant::now();
    }

    fn read_rotated<L: Lines>(
        &mut self,
        positions: &mut [Position],
        lines: &mut L,
    ) -> Result<bool, L::Error> {
        let mut progress = false;
        let mut index = 0;
        while let Some(file) = self.rotated.get_mut(index) {
            let look = file.read(&mut self.buffer, positions, lines)?;
            progress |= look == Look::Progress;
            let is_over = look == Look::Idle && file.last_progress.elapsed() > CLOSE_AFTER;
            if is_over {
                file.read_rest(&mut self.buffer, positions, lines)?;
            }
            if is_over || look == Look::Changed {
                self.rotated.remove(index);
            } else {
                index += 1;
            }
        }
        Ok(progress)
    }

    /// Looks at the files of the family.
    fn scan<L: Lines>(
        &mut self,
        positions: &mut Vec<Position>,
        lines: &mut L,
    ) -> Result<bool, L::Error> {
        let mut progress = false;
        // A folder or a file that cannot be read is looked at again the next time.
        for path in self.family().unwrap_or_default() {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let now = seen(&metadata);
            let is_open = self.current.iter().chain(&self.rotated).any(|file| file.id == now.0);
            if is_open || self.done.get(&path) == Some(&now) {
                continue;
            }
            if is_compressed(&path) {
                let found = find_position(|| decompress(&path), positions);
                let source = match found {
                    Ok(Found::Known(source)) => source,
                    Ok(Found::New(head)) => new_position(positions, &self.name, head),
                    Ok(Found::Incomplete) | Err(_) => continue,
                };
                let before = positions[source].bytes;
                let read = read_compressed(&path, &mut self.buffer, source, positions, lines)?;
                progress |= positions[source].bytes > before;
                if read.is_err() {
                    continue;
                }
            } else {
                let Ok(Some(file)) = open(&path, &self.name, positions) else { continue };
                if positions[file.source].bytes < now.1 {
                    self.rotated.push(file);
                    progress = true;
                }
            }
            self.done.insert(path, now);
        }
        Ok(progress)
    }

    /// Lists the files that rotation has made of the path, and the path itself if it is a compressed file.
    fn family(&self) -> io::Result<Vec<PathBuf>> {
        let Some(name) = self.path.file_name().and_then(OsStr::to_str) else {
            return Ok(Vec::new());
        };
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut family = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let other = entry.file_name();
            let is_member = other.to_str().is_some_and(|other| {
                other.strip_prefix(name).is_some_and(is_rotation_suffix)
                    || (other == name && is_compressed(&self.path))
            });
            if is_member {
                family.push((entry.metadata()?.modified().ok(), entry.path()));
            }
        }
        family.sort();
        Ok(family.into_iter().map(|(_, path)| path).collect())
    }
}

/// Opens a plain file and finds its position; `None` if it is too short to be recognised.
fn open(path: &Path, name: &str, positions: &mut Vec<Position>) -> io::Result<Option<OpenFile>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    // The path may name another file by now.
    let from_start = || {
        let mut again = file.try_clone()?;
        again.rewind()?;
        Ok(again)
    };
    let source = match find_position(from_start, positions)? {
        Found::Known(source) => source,
        Found::New(head) => new_position(positions, name, head),
        Found::Incomplete => return Ok(None),
    };
    Ok(Some(OpenFile::new(file, id(&metadata), source)))
}

/// Returns whether rotation adds this to the name of a file: a number or a date, and the extension of a
/// compressed file.
fn is_rotation_suffix(suffix: &str) -> bool {
    let suffix = suffix.strip_suffix(".gz").or(suffix.strip_suffix(".zst")).unwrap_or(suffix);
    match suffix.strip_prefix(['.', '-']) {
        Some(rest) => {
            rest.starts_with(|first: char| first.is_ascii_digit())
                && rest
                    .chars()
                    .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | ':' | 'T'))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_rotation_suffix;

    #[test]
    fn rotated_files_are_recognised_by_their_names() {
        for suffix in [
            ".1",
            ".12.gz",
            "-20261128",
            ".2026-11-28",
            ".2026-11-28_10-00.zst",
            ".20261128-101010",
        ] {
            assert!(is_rotation_suffix(suffix), "{suffix}");
        }
        for suffix in ["", ".gz", ".lock", ".bak", "2", ".1.txt", "-old"] {
            assert!(!is_rotation_suffix(suffix), "{suffix}");
        }
    }
}
