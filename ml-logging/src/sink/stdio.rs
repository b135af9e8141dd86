//! Standard output and standard error as byte sinks.
//!
//! They are written through their file descriptors. The buffer of [`std::io::stdout`] would cut batches in
//! the middle of records.

use std::io;

use super::byte_sink::ByteSink;

macro_rules! stream {
    ($name:ident) => {
        pub(crate) fn $name() -> io::Result<Box<dyn ByteSink>> {
            #[cfg(unix)]
            {
                use std::{
                    fs::File,
                    os::fd::{AsFd as _, AsRawFd as _},
                };
                let file = File::from(io::$name().as_fd().try_clone_to_owned()?);
                // Systems without this path cannot detect a torn line.
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                let torn = super::torn_line::TornLine::of(path.as_ref());
                super::file::stream(file, torn)
            }
            #[cfg(not(unix))]
            Ok(Box::new(super::byte_sink::Stream::new(io::$name())))
        }
    };
}

stream!(stdout);
stream!(stderr);
