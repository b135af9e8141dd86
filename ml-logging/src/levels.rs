//! Which records are wanted, by target; and how that is changed while the program runs.

use std::{
    collections::BTreeMap,
    fmt, ptr,
    str::FromStr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use arc_swap::ArcSwap;
use ml_configuration::nearest;
use tracing::{
    Dispatch, Level, Metadata, Subscriber, callsite,
    dispatcher::{self, WeakDispatch},
    level_filters::LevelFilter,
    subscriber::Interest,
};
use tracing_log::AsLog as _;
use tracing_subscriber::layer::{Context, Filter};

use crate::layer::RecordLayer;

/// A level for all targets, and levels for single targets and what is below them.
///
/// The text form is that of `RUST_LOG`, `info,hyper=warn`: a level for all targets, and behind it
/// others for the target `hyper` and those below it, as `hyper::client`. The nearest one counts.
/// What no level is said of is off. Levels are `off`, `error`, `warn` or `warning`, `info`, `debug`
/// and `trace`.
///
/// ```
/// use ml_logging::Levels;
///
/// let levels: Levels = "hyper=warning, info".parse()?;
/// assert_eq!(levels.to_string(), "info,hyper=warn");
/// assert_eq!(levels.more_verbose().to_string(), "debug,hyper=info");
/// assert!("info,hyper=wran".parse::<Levels>().is_err());
/// # Ok::<(), ml_logging::LevelsError>(())
/// ```
// In this order what is below a target comes after it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<TargetName, LevelFilter>);

impl Levels {
    pub(crate) fn new(levels: impl IntoIterator<Item = (TargetName, LevelFilter)>) -> Self {
        Self(levels.into_iter().collect())
    }

    /// The same, but for a target and those below it this level.
    ///
    /// ```
    /// use ml_logging::Levels;
    /// use tracing::level_filters::LevelFilter;
    ///
    /// let levels = Levels::default().with_target("hyper", LevelFilter::WARN);
    /// assert_eq!(levels.to_string(), "hyper=warn");
    /// ```
    #[must_use]
    pub fn with_target(mut self, target: &str, level: LevelFilter) -> Self {
        self.0.insert(TargetName::new(target), level);
        self
    }

    /// Each level one step further, from `error` to `trace`. What is off stays off.
    #[must_use]
    pub fn more_verbose(&self) -> Self {
        let further = |level| match level {
            LevelFilter::OFF => LevelFilter::OFF,
            LevelFilter::ERROR => LevelFilter::WARN,
            LevelFilter::WARN => LevelFilter::INFO,
            LevelFilter::INFO => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        Self::new(self.0.iter().map(|(name, level)| (name.clone(), further(*level))))
    }

    /// The furthest of all.
    pub(crate) fn max(&self) -> LevelFilter {
        self.0.values().copied().max().unwrap_or(LevelFilter::OFF)
    }

    fn passes(&self, target: &str, level: &Level) -> bool {
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
            match read(directive) {
                Ok((target, level)) => _ = levels.insert(target, level),
                Err(problem) => mistakes.push(LevelsError::new(directive, problem)),
            }
            // The text may be somebody's body of a megabyte.
            if mistakes.len() == LevelsError::MOST {
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

/// The target and level of a directive, or what is wrong with it.
fn read(directive: &str) -> Result<(TargetName, LevelFilter), String> {
    if directive.contains(['[', ']', '{', '}']) {
        return Err("filters by span or field are not supported; write `target=level`".to_owned());
    }
    let (target, level) = match directive.split_once('=') {
        Some((target, level)) => (Some(target.trim()), level.trim()),
        None => (None, directive),
    };
    match (target, level_filter(level)) {
        (Some(target), _) if parts(target).next().is_none() => {
            Err("the target is missing; write `target=level`".to_owned())
        }
        (target, Some(level)) => Ok((TargetName::new(target.unwrap_or_default()), level)),
        // Elsewhere a lone word that is no level turns one target on and, unseen, all the
        // others off, so that `wran` silences a program.
        (target, None) => Err(unknown_level(target, level)),
    }
}

/// As they are read, the level for all targets first.
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

/// What is wrong with a text of levels; its `Display` has all of that.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelsError {
    /// The directive, as `hyper=wran`.
    pub directive: String,
    /// What is wrong with it, and the remedy.
    pub problem: String,
    /// The same of the other directives that are at fault, 19 of them at most.
    pub others: Vec<Self>,
}

impl LevelsError {
    const MOST: usize = 20;

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

fn level_filter(word: &str) -> Option<LevelFilter> {
    if word.eq_ignore_ascii_case("warning") {
        return Some(LevelFilter::WARN);
    }
    // `LevelFilter` also reads the empty string, as ERROR.
    if word.is_empty() { None } else { word.parse().ok() }
}

fn unknown_level(target: Option<&str>, word: &str) -> String {
    const WORDS: [&str; 7] = ["off", "error", "warn", "warning", "info", "debug", "trace"];
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

/// The name of a target, or of a logger, in parts: Rust writes `a::b`, Python `a.b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TargetName(Vec<String>);

impl TargetName {
    /// The empty name and `root` are those of the root, above all others; `::root` is a target of that
    /// name.
    pub(crate) fn new(name: &str) -> Self {
        if name == "root" {
            return Self::root();
        }
        Self(parts(name).map(str::to_owned).collect())
    }

    pub(crate) fn root() -> Self {
        Self(Vec::new())
    }

    /// Why a logger cannot be called so: its level could not be told, and read again, as text.
    pub(crate) fn problem(name: &str) -> Option<&'static str> {
        if name.contains([',', '=', '[', ']', '{', '}']) {
            Some("the name of a logger has none of `,`, `=`, `[`, `]`, `{` and `}`")
        } else if name.trim() != name {
            Some("the name of a logger has no blanks around it")
        } else if !name.is_empty() && parts(name).next().is_none() {
            Some("the name of a logger is not of separators alone; the root is `root`")
        } else {
            None
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// How far it is below the root.
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn covers(&self, target: &str) -> bool {
        let mut target = parts(target);
        self.0.iter().all(|part| target.next() == Some(part))
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_like_root = self.0 == ["root"];
        write!(f, "{}{}", if is_like_root { "::" } else { "" }, self.0.join("::"))
    }
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', ':']).filter(|part| !part.is_empty())
}

/// The levels in force. `tracing` asks for them once for each callsite and keeps the answer until
/// they are changed, so that a record pays nothing for it.
// Not `tracing_subscriber::reload`: that takes its lock for each record.
pub(crate) struct CurrentLevels {
    initial: Levels,
    current: ArcSwap<Levels>,
    /// The subscriber that they are those of.
    subscriber: OnceLock<WeakDispatch>,
}

impl CurrentLevels {
    pub(crate) fn new(initial: Levels) -> Arc<Self> {
        let current = ArcSwap::from_pointee(initial.clone());
        Arc::new(Self { initial, current, subscriber: OnceLock::new() })
    }

    /// Keeps the subscriber, whose callsites are to be asked about when the levels are changed.
    pub(crate) fn registered(&self, subscriber: &Dispatch) {
        self.subscriber.get_or_init(|| subscriber.downgrade());
    }

    pub(crate) fn initial(&self) -> Levels {
        self.initial.clone()
    }

    pub(crate) fn get(&self) -> Levels {
        Levels::clone(&self.current.load())
    }

    /// `is_of_log` says that the `log` crate's records come here, too.
    pub(crate) fn set(&self, levels: Levels, is_of_log: bool) {
        // One change at a time in the whole process: what callsites keep is the process's, and has to
        // be that of the last one.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        self.current.store(Arc::new(levels));
        // If there is only one subscriber, `tracing` takes the thread's for it, which it need not be
        // here. If it is, a default of its own would only disturb records that are logged inside of
        // others: `tracing` has no subscriber for those while any thread has such a default.
        match self.subscriber.get().and_then(WeakDispatch::upgrade) {
            Some(subscriber) if !dispatcher::get_default(|current| self.are_of(current)) => {
                dispatcher::with_default(&subscriber, callsite::rebuild_interest_cache);
            }
            _ => callsite::rebuild_interest_cache(),
        }
        if is_of_log {
            tracing_log::log::set_max_level(LevelFilter::current().as_log());
        }
    }

    fn are_of(&self, subscriber: &Dispatch) -> bool {
        let layer = subscriber.downcast_ref::<RecordLayer>();
        layer.is_some_and(|layer| ptr::eq(layer.levels(), self))
    }

    pub(crate) fn max(&self) -> LevelFilter {
        self.current.load().max()
    }

    pub(crate) fn pass(&self, metadata: &Metadata<'_>) -> bool {
        self.current.load().passes(metadata.target(), metadata.level())
    }
}

/// The levels of one layer beside others.
pub(crate) struct OwnLevels(pub(crate) Arc<CurrentLevels>);

impl<S: Subscriber> Filter<S> for OwnLevels {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.pass(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.0.pass(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_and_targets() {
        let levels: Levels = " info , hyper=WARN,db = off,a::b=5,".parse().unwrap();
        assert!(levels.passes("anything", &Level::INFO));
        assert!(!levels.passes("anything", &Level::DEBUG));
        assert!(!levels.passes("hyper::client", &Level::INFO));
        assert!(levels.passes("hyper_util", &Level::INFO));
        assert!(!levels.passes("db", &Level::ERROR));
        assert!(levels.passes("a::b", &Level::TRACE));
        assert_eq!(levels.to_string(), "info,a::b=trace,db=off,hyper=warn");
        assert_eq!(levels.more_verbose().to_string(), "debug,a::b=trace,db=off,hyper=info");
    }

    #[test]
    fn the_nearest_level_counts_and_the_last_one_of_a_target() {
        let levels: Levels = "a::b::c=debug,a=off,a.b=warn,b=error,a=info".parse().unwrap();
        assert_eq!(levels.to_string(), "a=info,a::b=warn,a::b::c=debug,b=error");
        for (target, level) in [("a", 3), ("a::x", 3), ("a::b", 2), ("a::b::c::d", 4), ("b", 1)] {
            let all = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
            let passing = all.iter().filter(|level| levels.passes(target, level)).count();
            assert_eq!(passing, level, "{target}");
        }
        assert!(!levels.passes("elsewhere", &Level::ERROR));
        let levels: Levels = "::root=debug".parse().unwrap();
        assert_eq!(levels.to_string(), "::root=debug");
        assert!(levels.passes("root::a", &Level::DEBUG) && !levels.passes("a", &Level::ERROR));
        assert_eq!(Levels::default().to_string(), "off");
    }

    #[test]
    fn pythons_word_for_warn_is_known() {
        let levels: Levels = "Warning".parse().unwrap();
        assert!(levels.passes("x", &Level::WARN));
        assert!(!levels.passes("x", &Level::INFO));
    }

    #[test]
    fn mistakes_name_the_directive_and_the_remedy() {
        for (directives, directive, remedy) in [
            ("info,wran", "wran", "did you mean `warn`?"),
            ("hyper", "hyper", "write `hyper=trace`"),
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
    fn all_mistakes_are_told() {
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
