//! Records that wait on disk: a file of bounded size, used as a ring.
//!
//! The file is this process's alone, and says so by a lock. What is in it belongs to the records
//! that are queued: it is not kept from one run to the next. It begins with [`MAGIC`], so that
//! nothing else is emptied by mistake.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::batch::Batch;
#[cfg(unix)]
use crate::place::Place;

/// So much comes together before it is written to the file.
const TAIL: usize = 64 * 1024;
/// So much is read back at a time, to hold the queue's lock for a short while only.
pub(super) const CHUNK: usize = 256 * 1024;
/// What stands at the front of each spill file, and of no other one. The ring is behind it.
const MAGIC: &[u8] = b"ml-logging spill file\n";
/// A record's length stands before it.
const HEAD: usize = size_of::<u32>();

/// Records in order, the last of them in memory, all others in the file.
pub(super) struct Spill {
    file: Ring,
    tail: Tail,
    /// Records in the file.
    records: u64,
}

/// Why a file is none to spill to.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It holds something else.
    Foreign,
    Failure(io::Error),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Failure(error)
    }
}

/// What was in a file that cannot be read.
pub(super) struct Unreadable {
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) error: io::Error,
}

#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    records: u64,
}

impl Spill {
    /// Makes the file, or empties it if it is one that was made here. All of it, and not only the
    /// ring, has `bytes` bytes at most.
    pub(super) fn open(path: &Path, bytes: u64) -> Result<Self, Unusable> {
        let path = std::path::absolute(path)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path)?;
        if !file.metadata()?.is_file() {
            let message = "it is no regular file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message).into());
        }
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another handler or process uses it")
            }
            fs::TryLockError::Error(error) => error,
        })?;
        if !is_own(&file)? {
            return Err(Unusable::Foreign);
        }
        (&file).seek(SeekFrom::Start(0))?;
        (&file).write_all(MAGIC)?;
        file.set_len(MAGIC.len() as u64)?;
        let capacity = bytes.saturating_sub(MAGIC.len() as u64).max(1);
        let file = Ring { file, path, capacity, read: 0, written: 0 };
        Ok(Self { file, tail: Tail::default(), records: 0 })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records + self.tail.records == 0
    }

    /// Takes a record at the end; `false` if there is no room, or the disk takes no more.
    pub(super) fn push(&mut self, record: &[u8]) -> bool {
        let Ok(length) = u32::try_from(record.len()) else { return false };
        let needed = (self.tail.bytes.len() + HEAD + record.len()) as u64;
        if self.file.len() + needed > self.file.capacity {
            return false;
        }
        if self.tail.bytes.len() >= TAIL && self.write_tail().is_err() {
            return false;
        }
        self.tail.bytes.extend_from_slice(&length.to_le_bytes());
        self.tail.bytes.extend_from_slice(record);
        self.tail.records += 1;
        true
    }

    fn write_tail(&mut self) -> io::Result<()> {
        self.file.append(&self.tail.bytes)?;
        self.records += self.tail.records;
        if self.tail.bytes.capacity() > 4 * TAIL {
            self.tail.bytes = Vec::new();
        }
        self.tail.bytes.clear();
        self.tail.records = 0;
        Ok(())
    }

    /// Moves records from the front into an empty batch.
    ///
    /// # Errors
    ///
    /// If the file cannot be read. All records that were in it are lost then.
    pub(super) fn take(&mut self, batch: &mut Batch) -> Result<(), Unreadable> {
        if self.records == 0 {
            unpack(&self.tail.bytes, batch);
            self.tail = Tail::default();
            return Ok(());
        }
        let taken = self.file.take(batch).map_err(|error| {
            let records = std::mem::take(&mut self.records);
            let bytes = self.file.len() - records * HEAD as u64;
            self.file.clear();
            Unreadable { records, bytes, error }
        });
        self.records -= taken?;
        if self.records == 0 {
            // Also gives the disk its room back.
            self.file.clear();
        }
        Ok(())
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // It is empty, or its records are lost with the process. If somebody has renamed it, what has
        // its name now is not ours.
        if self.file.has_its_name() {
            let _ = fs::remove_file(&self.file.path);
        }
    }
}

/// Whether the file has been made here, just now or before; also if a crash has cut it short.
fn is_own(file: &File) -> io::Result<bool> {
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(MAGIC.starts_with(&start))
}

struct Ring {
    file: File,
    path: PathBuf,
    capacity: u64,
    /// Bytes read and written since the file was empty.
    read: u64,
    written: u64,
}

impl Ring {
    fn len(&self) -> u64 {
        self.written - self.read
    }

    fn clear(&mut self) {
        (self.read, self.written) = (0, 0);
        // If it fails the file stays as large as it is allowed to be.
        let _ = self.file.set_len(MAGIC.len() as u64);
    }

    fn has_its_name(&self) -> bool {
        #[cfg(unix)]
        return self
            .file
            .metadata()
            .is_ok_and(|own| Place::of_metadata(&own) == Place::of(&self.path));
        #[cfg(not(unix))]
        true
    }

    /// The parts of the file that so many bytes from a position on have.
    fn parts(&self, position: u64, length: usize) -> [(u64, usize); 2] {
        let start = position % self.capacity;
        // At most `length`.
        let first = (self.capacity - start).min(length as u64) as usize;
        let front = MAGIC.len() as u64;
        [(front + start, first), (front, length - first)]
    }

    fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        let length = bytes.len() as u64;
        for (start, length) in self.parts(self.written, bytes.len()) {
            let (part, rest) = bytes.split_at(length);
            file.seek(SeekFrom::Start(start))?;
            file.write_all(part)?;
            bytes = rest;
        }
        self.written += length;
        Ok(())
    }

    fn read(&self, bytes: &mut [u8]) -> io::Result<()> {
        let mut file = &self.file;
        let [(first, length), (second, _)] = self.parts(self.read, bytes.len());
        let (before, after) = bytes.split_at_mut(length);
        file.seek(SeekFrom::Start(first))?;
        file.read_exact(before)?;
        file.seek(SeekFrom::Start(second))?;
        file.read_exact(after)
    }

    /// Moves whole records, one at least, to a batch, and says how many.
    fn take(&mut self, batch: &mut Batch) -> io::Result<u64> {
        // Never more than `CHUNK`.
        let mut bytes = vec![0; self.len().min(CHUNK as u64) as usize];
        self.read(&mut bytes)?;
        if let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() {
            let length = u32::from_le_bytes(*head) as usize;
            if rest.len() < length {
                bytes.resize(HEAD + length, 0);
                self.read(&mut bytes)?;
            }
        }
        let (records, length) = unpack(&bytes, batch);
        if records == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file has been changed"));
        }
        self.read += length as u64;
        Ok(records)
    }
}

/// Moves the whole records at the front of these bytes to a batch; how many, and of how many bytes.
fn unpack(bytes: &[u8], batch: &mut Batch) -> (u64, usize) {
    let (mut records, mut rest) = (0, bytes);
    while let Some((head, after)) = rest.split_first_chunk::<HEAD>() {
        let Some((record, after)) = after.split_at_checked(u32::from_le_bytes(*head) as usize)
        else {
            break;
        };
        batch.push(record);
        records += 1;
        rest = after;
    }
    (records, bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

    use std::collections::VecDeque;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_goes_in_comes_out_in_order(
            steps in vec((0_usize..90_000, 1_usize..6, any::<bool>()), 1..60),
            capacity in 1_000_u64..700_000,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("spill");
            let mut spill = Spill::open(&path, capacity).unwrap();
            let mut expected = VecDeque::new();
            let mut number = 0_u64;
            for (length, count, takes) in steps {
                for _ in 0..count {
                    number += 1;
                    let mut record = number.to_string().into_bytes();
                    record.resize(record.len() + length, b'x');
                    if spill.push(&record) {
                        expected.push_back(record);
                    }
                    prop_assert!(path.metadata().unwrap().len() <= capacity);
                }
                while takes && !spill.is_empty() {
                    let mut batch = Batch::default();
                    prop_assert!(spill.take(&mut batch).is_ok());
                    prop_assert!(!batch.is_empty());
                    let mut start = 0;
                    for length in batch.lengths_from(0) {
                        prop_assert_eq!(&batch.bytes()[start..start + length], expected.pop_front().unwrap());
                        start += length;
                    }
                }
                prop_assert_eq!(spill.is_empty(), expected.is_empty());
            }
            drop(spill);
            prop_assert!(!path.exists());
        }
    }

    #[test]
    fn a_file_belongs_to_one_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        let first = Spill::open(&path, 1_000).unwrap();
        let Err(Unusable::Failure(second)) = Spill::open(&path, 1_000) else { panic!("it was") };
        assert_eq!(second.to_string(), "another handler or process uses it");
        drop(first);
        Spill::open(&path, 1_000).map(|_| ()).unwrap();
    }

    #[test]
    fn what_is_no_spill_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        for other in ["x", "ml-logging spill file", "ml-logging spill files\n"] {
            let is_own = MAGIC.starts_with(other.as_bytes());
            fs::write(&path, other).unwrap();
            let opened = Spill::open(&path, 1_000).map(|_| ());
            assert_eq!(opened.is_ok(), is_own, "{opened:?}");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), (!is_own).then_some(other));
        }
        // What a killed process has left.
        fs::write(&path, [MAGIC, b"\x04\0\0\0gone"].concat()).unwrap();
        let mut spill = Spill::open(&path, 1_000).unwrap();
        assert_eq!(fs::read(&path).unwrap(), MAGIC);
        assert!(spill.is_empty() && spill.push(b"record"));

        // Somebody has renamed it, and what is called so now is his.
        fs::rename(&path, folder.path().join("renamed")).unwrap();
        fs::write(&path, "new").unwrap();
        drop(spill);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_file_that_somebody_cuts_short_costs_what_was_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        let mut spill = Spill::open(&path, 1 << 20).unwrap();
        let record = [b'x'; 1_000];
        let pushed = (0..100).filter(|_| spill.push(&record)).count() as u64;
        let in_file = spill.records;
        assert!(0 < in_file && in_file < pushed);
        File::create(&path).unwrap();
        let mut batch = Batch::default();
        let Err(unreadable) = spill.take(&mut batch) else { panic!("it was read") };
        assert_eq!((unreadable.records, unreadable.bytes), (in_file, in_file * 1_000));
        assert!(batch.is_empty());
        assert!(spill.take(&mut batch).is_ok());
        assert_eq!(batch.records() as u64, pushed - in_file);
        assert!(spill.is_empty());
    }
}
