//! Levels by Python's names and numbers.

use ml_configuration::{Kind, Node, Problems};
use tracing::{Level, level_filters::LevelFilter};

use crate::format::level::python_number;

/// Reads a level by name or number. `Some(None)` is `NOTSET`.
///
/// No level is above ERROR, so that `CRITICAL` turns everything off.
pub(super) fn read(node: Node<'_>, problems: &mut Problems) -> Option<Option<LevelFilter>> {
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
    let passing = levels.into_iter().find(|level| u32::from(python_number(*level)) >= least);
    let filter = passing.map_or(LevelFilter::OFF, LevelFilter::from_level);
    Some((least > 0).then_some(filter))
}
