//! Which file a path leads to, whatever way it takes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Two are equal if what is written to one of them is in the other.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What is there, by its device and its number on it.
    #[cfg(unix)]
    There(u64, u64),
    /// A file by its path, without detours: one that is not there yet.
    Path(PathBuf),
}

impl Place {
    pub(crate) fn of(path: &Path) -> Self {
        #[cfg(unix)]
        if let Ok(metadata) = fs::metadata(path) {
            return Self::of_metadata(&metadata);
        }
        Self::Path(fs::canonicalize(path).unwrap_or_else(|_| without_detours(path)))
    }

    #[cfg(unix)]
    pub(crate) fn of_metadata(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self::There(metadata.dev(), metadata.ino())
    }

    /// Where a standard stream leads.
    #[cfg(unix)]
    pub(crate) fn of_stream(stream: impl std::os::fd::AsFd) -> io::Result<Self> {
        let file = fs::File::from(stream.as_fd().try_clone_to_owned()?);
        Ok(Self::of_metadata(&file.metadata()?))
    }

    #[cfg(not(unix))]
    pub(crate) fn of_stream<S>(_: S) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// How many links one behind the other the system follows.
const MOST_LINKS: usize = 40;

/// The path of a file that is not there: opening it makes it where the links end.
fn without_detours(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..MOST_LINKS {
        let Ok(link) = fs::read_link(&path) else { break };
        path.pop();
        path.push(link);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path };
    // Without the folder there will be no file either.
    fs::canonicalize(folder).map(|folder| folder.join(name)).unwrap_or(path)
}
