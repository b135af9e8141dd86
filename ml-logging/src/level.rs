//! Single levels as Python has them, and the variable that overrides all.

use std::ffi::OsString;

use ml_configuration::{Kind, Node, Problems};
use tracing::{Level, metadata::LevelFilter};

use crate::{Error, Levels};

/// The environment variable that overrides the levels given in code.
pub(crate) const VARIABLE: &str = "RUST_LOG";

/// Python's name and number for a level. There is no TRACE in Python; 5 is what is used for it.
pub(crate) fn python(level: Level) -> (&'static str, u8) {
    match level {
        Level::TRACE => ("TRACE", 5),
        Level::DEBUG => ("DEBUG", 10),
        Level::INFO => ("INFO", 20),
        Level::WARN => ("WARNING", 30),
        Level::ERROR => ("ERROR", 40),
    }
}

/// Reads levels; `origin` says in an error where they are from.
pub(crate) fn parse(origin: &'static str, directives: &str) -> Result<Levels, Error> {
    directives.parse().map_err(|error| Error::Levels { origin, error })
}

/// The levels that the environment variable sets, `None` if it is not there or empty.
pub(crate) fn from_environment(
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<Levels>, Error> {
    match lookup(VARIABLE) {
        // What is not Unicode is no directive either, and is reported as such.
        Some(directives) if !directives.is_empty() => {
            parse(VARIABLE, &directives.to_string_lossy()).map(Some)
        }
        _ => Ok(None),
    }
}

/// Reads a level as Python's configuration has it, by name or by number; `NOTSET` is `None`.
///
/// There is nothing above ERROR here, so what only lets through what is above lets through nothing.
pub(crate) fn read(node: Node<'_>, problems: &mut Problems) -> Option<Option<LevelFilter>> {
    const CHOICES: [(&str, Option<LevelFilter>); 10] = [
        ("CRITICAL", Some(LevelFilter::OFF)),
        ("FATAL", Some(LevelFilter::OFF)),
        ("ERROR", Some(LevelFilter::ERROR)),
        ("WARNING", Some(LevelFilter::WARN)),
        ("WARN", Some(LevelFilter::WARN)),
        ("INFO", Some(LevelFilter::INFO)),
        ("DEBUG", Some(LevelFilter::DEBUG)),
        ("TRACE", Some(LevelFilter::TRACE)),
        ("OFF", Some(LevelFilter::OFF)),
        ("NOTSET", None),
    ];
    if node.kind() != Kind::Integer {
        return node.choice("level", &CHOICES, problems);
    }
    let least: u32 = node.integer(0..=u32::MAX, problems)?;
    let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
    let passing = levels.into_iter().find(|level| u32::from(python(*level).1) >= least);
    let filter = passing.map_or(LevelFilter::OFF, LevelFilter::from_level);
    Some((least > 0).then_some(filter))
}
