//! Levels by target, and their text form.

use std::{collections::BTreeMap, fmt, str::FromStr};

use ml_configuration::nearest;
use tracing::{Level, level_filters::LevelFilter};

use super::target_name::TargetName;

/// A level for all targets, and levels for single targets.
///
/// The text form is that of `RUST_LOG`: `info,hyper=warn` is a level for all targets and another one for the target
/// `hyper` and the targets below it, such as `hyper::client`. The nearest level applies. Targets without a level
/// are off. Levels are `off`, `error`, `warn` or `warning`, `info`, `debug` and `trace`.
///
/// ```
/// use ml_logging::Levels;
///
/// let levels: Levels = "hyper=warning, info".parse()?;
/// assert_eq!(levels.to_string(), "info,hyper=warn");
/// assert!("info,hyper=wran".parse::<Levels>().is_err());
/// # Ok::<(), ml_logging::LevelsError>(())
/// ```
// The map sorts a target before the targets below it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<TargetName, LevelFilter>);

impl Levels {
    pub(crate) fn new(levels: impl IntoIterator<Item = (TargetName, LevelFilter)>) -> Self {
        Self(levels.into_iter().collect())
    }

    /// Sets the level of a target and the targets below it.
    ///
    /// ```
    /// use ml_logging::Levels;
    /// use tracing::level_filters::LevelFilter;
    ///
    /// let levels = Levels::default().with_target("hyper", LevelFilter::WARN);
    /// assert_eq!(levels.to_string(), "hyper=warn");
    /// ```
    #[must_use]
    pub fn with_target(mut self, target: &str, level: impl Into<LevelFilter>) -> Self {
        self.0.insert(TargetName::new(target), level.into());
        self
    }

    /// Returns the most verbose level.
    pub(crate) fn max(&self) -> LevelFilter {
        self.0.values().copied().max().unwrap_or(LevelFilter::OFF)
    }

    /// Returns the level that was set for a model by its name, if it lets such records pass and the model's target,
    /// `<name>_logger`, does not.
    pub(super) fn misses_model<'t>(
        &self,
        target: &'t str,
        level: &Level,
    ) -> Option<(&'t str, LevelFilter)> {
        let model = target.strip_suffix("_logger")?;
        let own = self.0.get(&TargetName::of_target(model))?;
        (level <= own && !self.pass(target, level)).then_some((model, *own))
    }

    pub(super) fn pass(&self, target: &str, level: &Level) -> bool {
        let nearest = self.0.iter().rev().find(|(name, _)| name.covers(target));
        nearest.is_some_and(|(_, own)| level <= own)
    }
}

impl FromStr for Levels {
    type Err = LevelsError;

    fn from_str(text: &str) -> Result<Self, LevelsError> {
        let mut levels = BTreeMap::new();
        let mut mistakes = Vec::new();
        for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
            match parse(directive) {
                Ok((target, level)) => _ = levels.insert(target, level),
                Err(problem) => mistakes.push(LevelsError::new(directive, problem)),
            }
            // The text may come from a request, and be long.
            if mistakes.len() == LevelsError::MAX {
                break;
            }
        }
        if levels.is_empty() && mistakes.is_empty() {
            let problem = "there is no level; write `off` to log nothing".to_owned();
            mistakes.push(LevelsError::new(text, problem));
        }
        let mut mistakes = mistakes.into_iter();
        match mistakes.next() {
            None => Ok(Self(levels)),
            Some(first) => Err(LevelsError { others: mistakes.collect(), ..first }),
        }
    }
}

/// Parses a directive into target and level, or returns its mistake.
fn parse(directive: &str) -> Result<(TargetName, LevelFilter), String> {
    if directive.contains(['[', ']', '{', '}']) {
        return Err("filters by span or field are not supported; write `target=level`".to_owned());
    }
    let is_directive =
        |word: &&str| level_filter(word.rsplit('=').next().unwrap_or(word)).is_some();
    if directive.contains(';') || directive.split_whitespace().filter(is_directive).count() > 1 {
        return Err("separate directives by commas, as in `info,hyper=warn`".to_owned());
    }
    let (target, level) = match directive.split_once('=') {
        Some((target, level)) => (Some(target.trim()), level.trim()),
        None => (None, directive),
    };
    match (target, level_filter(level)) {
        (Some(target), _) if TargetName::new(target).is_root() && target != "root" => {
            Err("the target is missing; write `target=level`".to_owned())
        }
        (target, Some(level)) => Ok((TargetName::new(target.unwrap_or_default()), level)),
        // Other libraries read a single word that is not a level as a target. A typo such as `wran` then
        // turns all other targets off.
        (target, None) => Err(unknown_level(target, level)),
    }
}

/// Writes the directives, the level for all targets first.
impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "{}", LevelFilter::OFF);
        }
        for (index, (name, level)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if name.is_root() {
                write!(f, "{comma}{level}")?;
            } else {
                write!(f, "{comma}{name}={level}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Levels({self})")
    }
}

/// Levels of records: text such as `info,hyper=warn`, or one level for all targets.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not set levels",
    label = "expected levels",
    note = "levels are text, as in `\"info,hyper=warn\"`, or a `tracing::Level`"
)]
pub trait IntoLevels {
    /// Returns the levels as text.
    fn into_directives(self) -> String;
}

impl IntoLevels for String {
    fn into_directives(self) -> String {
        self
    }
}

/// Implements [`IntoLevels`] for types whose `Display` is the text.
macro_rules! into_levels {
    ($($type:ty),*) => {
        $(impl IntoLevels for $type {
            fn into_directives(self) -> String {
                self.to_string()
            }
        })*
    };
}

into_levels!(&str, &String, Level, LevelFilter, Levels);

/// Mistakes in a text of levels. `Display` and `Debug` print all of them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelsError {
    /// The directive, such as `hyper=wran`.
    pub directive: String,
    /// The mistake and the remedy.
    pub problem: String,
    /// Mistakes in further directives, at most 19.
    pub others: Vec<Self>,
}

impl LevelsError {
    const MAX: usize = 20;

    fn new(directive: &str, problem: String) -> Self {
        Self { directive: directive.to_owned(), problem, others: Vec::new() }
    }
}

impl fmt::Display for LevelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "directive `{}`: {}", self.directive, self.problem)?;
        self.others.iter().try_for_each(|other| write!(f, "; {other}"))
    }
}

impl std::error::Error for LevelsError {}

impl fmt::Debug for LevelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn level_filter(word: &str) -> Option<LevelFilter> {
    if word.eq_ignore_ascii_case("warning") {
        return Some(LevelFilter::WARN);
    }
    // `LevelFilter` also reads the empty string, as ERROR.
    if word.is_empty() { None } else { word.parse().ok() }
}

fn unknown_level(target: Option<&str>, word: &str) -> String {
    const WORDS: [&str; 7] = ["off", "error", "warn", "warning", "info", "debug", "trace"];
    if target.is_none()
        && let Some((target, level)) = word.rsplit_once(':')
        && let level = level.trim()
        && level_filter(level).is_some()
    {
        return format!(
            "a level follows `=`; write `{}={level}`",
            target.trim_end_matches([':', ' '])
        );
    }
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
        let levels: Levels = " info , hyper=WARN,db = off,a::b=5,".parse().unwrap();
        assert!(levels.pass("anything", &Level::INFO));
        assert!(!levels.pass("anything", &Level::DEBUG));
        assert!(!levels.pass("hyper::client", &Level::INFO));
        assert!(levels.pass("hyper_util", &Level::INFO));
        assert!(!levels.pass("db", &Level::ERROR));
        assert!(levels.pass("a::b", &Level::TRACE));
        assert_eq!(levels.to_string(), "info,a::b=trace,db=off,hyper=warn");
    }

    #[test]
    fn the_nearest_level_and_the_last_one_of_a_target_apply() {
        let levels: Levels = "a::b::c=debug,a=off,a.b=warn,b=error,a=info".parse().unwrap();
        assert_eq!(levels.to_string(), "a=info,a::b=warn,a::b::c=debug,b=error");
        for (target, level) in [("a", 3), ("a::x", 3), ("a::b", 2), ("a::b::c::d", 4), ("b", 1)] {
            let all = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
            let passing = all.iter().filter(|level| levels.pass(target, level)).count();
            assert_eq!(passing, level, "{target}");
        }
        assert!(!levels.pass("elsewhere", &Level::ERROR));
        let levels: Levels = "::root=debug".parse().unwrap();
        assert_eq!(levels.to_string(), "::root=debug");
        assert!(levels.pass("root::a", &Level::DEBUG) && !levels.pass("a", &Level::ERROR));
        assert_eq!(Levels::default().to_string(), "off");
    }

    #[test]
    fn warning_is_another_name_of_warn() {
        let levels: Levels = "Warning".parse().unwrap();
        assert!(levels.pass("x", &Level::WARN));
        assert!(!levels.pass("x", &Level::INFO));
    }

    #[test]
    fn mistakes_name_the_directive_and_the_remedy() {
        for (directives, directive, remedy) in [
            ("info,wran", "wran", "did you mean `warn`?"),
            ("hyper", "hyper", "write `hyper=trace`"),
            ("info,hyper:warn", "hyper:warn", "write `hyper=warn`"),
            ("a::b: warn", "a::b: warn", "write `a::b=warn`"),
            ("info;hyper=warn", "info;hyper=warn", "separate directives by commas"),
            ("info hyper=warn", "info hyper=warn", "separate directives by commas"),
            ("a=info b=warn", "a=info b=warn", "separate directives by commas"),
            ("hyper=inof", "hyper=inof", "did you mean `info`?"),
            ("hyper=", "hyper=", "levels are off,"),
            ("=info", "=info", "the target is missing"),
            ("::=info", "::=info", "the target is missing"),
            ("a[span]=info", "a[span]=info", "not supported"),
            (" ,", " ,", "write `off` to log nothing"),
        ] {
            let error = directives.parse::<Levels>().unwrap_err();
            assert_eq!(error.directive, directive);
            assert!(error.problem.contains(remedy), "{error}");
            assert!(error.others.is_empty(), "{error}");
        }
    }

    #[test]
    fn all_mistakes_are_reported() {
        let error = "loud,db=warn,=info,hyper=inof".parse::<Levels>().unwrap_err();
        let mistakes: Vec<_> = [&error].into_iter().chain(&error.others).collect();
        let directives = mistakes.iter().map(|mistake| &*mistake.directive);
        assert_eq!(directives.collect::<Vec<_>>(), ["loud", "=info", "hyper=inof"]);
        let error_of_many = "x,".repeat(1_000).parse::<Levels>().unwrap_err();
        assert_eq!(error_of_many.others.len(), 19);
        let text = error.to_string();
        assert!(text.starts_with("directive `loud`: `loud` is not a level; "), "{text}");
        assert!(
            text.contains(
                "; directive `=info`: the target is missing; write `target=level`; directive \
                 `hyper=inof`: `inof` is not a level; did you mean `info`? "
            ),
            "{text}"
        );
    }
}
