//! What handlers write to, and opening it.

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Error, Policy, Rotation,
    destination::{self, Destination, Open, Stream, Torn},
    output::{Sink, Way},
    place::Place,
    rotating::Rotating,
};

/// What a handler writes to.
pub(crate) enum Target {
    /// Something of the program's own, written to by whoever logs.
    Direct(Box<dyn Sink>),
    /// Something of the program's own, behind a queue.
    Own(Box<dyn io::Write + Send>),
    Stdout,
    Stderr,
    File {
        path: PathBuf,
        overwrite: bool,
    },
    Rotating {
        path: PathBuf,
        rotation: Rotation,
    },
}

impl Target {
    /// Whether people see it at once.
    pub(crate) fn is_terminal(&self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
            Self::Direct(_) | Self::Own(_) | Self::File { .. } | Self::Rotating { .. } => false,
        }
    }

    /// Which file it is.
    pub(crate) fn place(&self) -> Option<Place> {
        match self {
            Self::Stdout => Place::of_stream(io::stdout()).ok(),
            Self::Stderr => Place::of_stream(io::stderr()).ok(),
            Self::File { path, .. } | Self::Rotating { path, .. } => Some(Place::of(path)),
            Self::Direct(_) | Self::Own(_) => None,
        }
    }

    /// Opens it. A file that is to be emptied is returned as well: that is done when everything else
    /// is sure to be right.
    pub(crate) fn open(
        self,
        handler: &str,
        policy: Policy,
        limit: usize,
    ) -> Result<(Way, Option<File>), Error> {
        let mut emptied = None;
        let (destination, open): (Box<dyn Destination>, Open) = match self {
            Self::Direct(sink) => return Ok((Way::Direct(sink), None)),
            Self::Own(writer) => {
                // A forked process must not write what the writer has buffered for its parent.
                let open = || Err(io::Error::other("its writer belongs to the parent"));
                (Box::new(Stream::new(writer)), Arc::new(open))
            }
            Self::Stdout => standard(handler, destination::stdout)?,
            Self::Stderr => standard(handler, destination::stderr)?,
            Self::File { path, overwrite } => {
                let error = |error| cannot_open(handler, &path, error);
                let torn = if overwrite { None } else { Torn::at(&path) };
                let file = destination::append(&path).map_err(error)?;
                if overwrite && file.metadata().map_err(error)?.is_file() {
                    emptied = Some(file.try_clone().map_err(error)?);
                }
                let destination = destination::of(file, torn).map_err(error)?;
                let path = std::path::absolute(&path).map_err(error)?;
                let open = move || {
                    let torn = Torn::at(&path);
                    destination::of(destination::append(&path)?, torn)
                };
                (destination, Arc::new(open))
            }
            Self::Rotating { path, rotation } => {
                let error = |error| cannot_open(handler, &path, error);
                let path = std::path::absolute(&path).map_err(error)?;
                let open = {
                    let path = path.clone();
                    move || -> io::Result<Box<dyn Destination>> {
                        // A pipe or a terminal has no old ones.
                        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
                            return destination::of(destination::append(&path)?, None);
                        }
                        Ok(Box::new(Rotating::open(&path, &rotation)?))
                    }
                };
                (open().map_err(error)?, Arc::new(open))
            }
        };
        Ok((Way::Queued { destination, open, policy, limit }, emptied))
    }
}

fn standard(
    handler: &str,
    open: fn() -> io::Result<Box<dyn Destination>>,
) -> Result<(Box<dyn Destination>, Open), Error> {
    let opened = open();
    let destination = opened.map_err(|error| Error::OpenStream {
        handler: handler.to_owned(),
        problem: error.to_string(),
    })?;
    Ok((destination, Arc::new(open)))
}

fn cannot_open(handler: &str, path: &Path, error: io::Error) -> Error {
    Error::OpenFile {
        handler: handler.to_owned(),
        path: path.to_owned(),
        problem: error.to_string(),
    }
}
