//! Reads files that must be regular and small.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// Far above the size of a configuration file, and small enough to parse at once.
pub(crate) const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Reads a text file that configures a program: a configuration file, or one with keys.
///
/// ```
/// let error = ml_configuration::read_file("/dev/null").unwrap_err();
/// assert_eq!(error.to_string(), "it is not a regular file; copy its content to one");
/// ```
///
/// # Errors
///
/// The file cannot be read, is not a regular file, is larger than 4 MiB, or is not UTF-8. Pipes and devices are
/// not opened, because reading them may wait or never end.
pub fn read_file(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = read_bytes(path.as_ref())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(invalid("it is larger than 4 MiB; is it the right file?"));
    }
    String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8; save it as UTF-8"))
}

/// Reads a regular file up to one byte beyond the limit.
pub(crate) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(invalid("it is not a regular file; copy its content to one"));
    }
    let mut bytes = Vec::new();
    // Regular files of the system, such as those of `/proc`, may be endless.
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
