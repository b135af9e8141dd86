//! Levels: Python's names for them, and which records are wanted.

use std::ffi::OsString;

use ml_configuration::{Kind, Node, Problems, nearest};
use tracing::{Level, metadata::LevelFilter};
use tracing_subscriber::filter::Targets;

use crate::Error;

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

const WORDS: [&str; 7] = ["off", "error", "warn", "warning", "info", "debug", "trace"];

/// Reads `info,hyper=warn`: a level for all targets, then levels for targets and what is below
/// them. This is the syntax of [`Targets`] but for a lone word that is no level: there it turns one
/// target on and, unseen, all the others off, so that `wran` silences a program.
pub(crate) fn parse(origin: &'static str, directives: &str) -> Result<Targets, Error> {
    let mut targets = Targets::new();
    for directive in directives.split(',').map(str::trim).filter(|directive| !directive.is_empty())
    {
        let fail = |problem| Err(Error::Level { origin, directive: directive.to_owned(), problem });
        let (target, level) = match directive.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            None => (None, directive),
        };
        if directive.contains(['[', ']', '{', '}']) {
            return fail(
                "filters by span or field are not supported; write `target=level`".to_owned(),
            );
        }
        targets = match (target, level_filter(level)) {
            (Some(""), _) => return fail("the target is missing; write `target=level`".to_owned()),
            (Some(target), Some(level)) => targets.with_target(target, level),
            (None, Some(level)) => targets.with_default(level),
            (target, None) => return fail(unknown_level(target, level)),
        };
    }
    Ok(targets)
}

/// The levels that the environment variable sets, `None` if it is not there or empty.
pub(crate) fn from_environment(
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<Targets>, Error> {
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

fn level_filter(word: &str) -> Option<LevelFilter> {
    if word.eq_ignore_ascii_case("warning") {
        return Some(LevelFilter::WARN);
    }
    // `LevelFilter` also reads the empty string, as ERROR.
    if word.is_empty() { None } else { word.parse().ok() }
}

fn unknown_level(target: Option<&str>, word: &str) -> String {
    let mut problem = format!("`{word}` is not a level; ");
    if let Some(nearest) = nearest(word, WORDS) {
        problem.push_str(&format!("did you mean `{nearest}`? "));
    }
    if target.is_none() {
        problem.push_str(&format!("if it is a target, write `{word}=trace`; "));
    }
    problem.push_str(&format!("levels are {}", WORDS.join(", ")));
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_and_targets() {
        let targets = parse("level", " info , hyper=WARN,db = off,a::b=5,").unwrap();
        assert!(targets.would_enable("anything", &Level::INFO));
        assert!(!targets.would_enable("anything", &Level::DEBUG));
        assert!(!targets.would_enable("hyper::client", &Level::INFO));
        assert!(!targets.would_enable("db", &Level::ERROR));
        assert!(targets.would_enable("a::b", &Level::TRACE));
    }

    #[test]
    fn pythons_word_for_warn_is_known() {
        let targets = parse("level", "Warning").unwrap();
        assert!(targets.would_enable("x", &Level::WARN));
        assert!(!targets.would_enable("x", &Level::INFO));
    }

    #[test]
    fn mistakes_name_the_directive_and_the_remedy() {
        for (directives, directive, remedy) in [
            ("info,wran", "wran", "did you mean `warn`?"),
            ("hyper", "hyper", "write `hyper=trace`"),
            ("hyper=inof", "hyper=inof", "did you mean `info`?"),
            ("hyper=", "hyper=", "levels are off,"),
            ("=info", "=info", "the target is missing"),
            ("a[span]=info", "a[span]=info", "not supported"),
        ] {
            let error = parse("RUST_LOG", directives).unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("log levels in RUST_LOG, directive `{directive}`: ")),
                "{text}"
            );
            assert!(text.contains(remedy), "{text}");
        }
    }
}
