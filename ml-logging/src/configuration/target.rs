//! What handlers write to, and opening it.

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use crate::{
    Error, Policy, Rotation,
    destination::{self, Destination, Stream, Torn},
    output::{Sink, Way},
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

    /// Opens it. A file that is to be emptied is returned as well: that is done when everything else
    /// is sure to be right.
    pub(crate) fn open(
        self,
        handler: &str,
        policy: Policy,
        limit: usize,
    ) -> Result<(Way, Option<File>), Error> {
        let mut emptied = None;
        let stream_error = |error: io::Error| Error::OpenStream {
            handler: handler.to_owned(),
            problem: error.to_string(),
        };
        let destination: Box<dyn Destination> = match self {
            Self::Direct(sink) => return Ok((Way::Direct(sink), None)),
            Self::Own(writer) => Box::new(Stream::new(writer)),
            Self::Stdout => destination::stdout().map_err(stream_error)?,
            Self::Stderr => destination::stderr().map_err(stream_error)?,
            Self::File { path, overwrite } => {
                let error = |error| cannot_open(handler, &path, error);
                let torn = if overwrite { None } else { Torn::at(&path) };
                let file = destination::append(&path).map_err(error)?;
                if overwrite && file.metadata().map_err(error)?.is_file() {
                    emptied = Some(file.try_clone().map_err(error)?);
                }
                destination::of(file, torn).map_err(error)?
            }
            Self::Rotating { path, rotation } => {
                let error = |error| cannot_open(handler, &path, error);
                // A pipe or a terminal has no old ones.
                if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
                    let file = destination::append(&path).map_err(error)?;
                    destination::of(file, None).map_err(error)?
                } else {
                    Box::new(Rotating::open(&path, &rotation).map_err(error)?)
                }
            }
        };
        Ok((Way::Queued { destination, policy, limit }, emptied))
    }
}

fn cannot_open(handler: &str, path: &Path, error: io::Error) -> Error {
    Error::OpenFile {
        handler: handler.to_owned(),
        path: path.to_owned(),
        problem: error.to_string(),
    }
}
