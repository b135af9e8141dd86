//! Names of targets and loggers.

use std::fmt;

/// Name of a target or a logger, split into parts: Rust writes `a::b`, Python `a.b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TargetName(Vec<String>);

impl TargetName {
    /// Parses a name. The empty name and `root` are the root; `::root` is a target of that name.
    pub(crate) fn new(name: &str) -> Self {
        if name == "root" {
            return Self::root();
        }
        Self(parts(name).map(str::to_owned).collect())
    }

    /// Parses the name of a target, for which `root` is a name like any other.
    pub(crate) fn of_target(name: &str) -> Self {
        Self(parts(name).map(str::to_owned).collect())
    }

    pub(crate) fn root() -> Self {
        Self(Vec::new())
    }

    /// Returns the reason why a logger cannot have this name: its level could not be written as text and
    /// parsed again.
    pub(crate) fn problem(name: &str) -> Option<&'static str> {
        if name.contains([',', ';', '=', '[', ']', '{', '}']) {
            Some("the name of a logger must not contain `,`, `;`, `=`, `[`, `]`, `{` or `}`")
        } else if name.trim() != name {
            Some("the name of a logger must not start or end with a blank")
        } else if !name.is_empty() && parts(name).next().is_none() {
            Some("the name of a logger must not consist of separators only; the root is `root`")
        } else {
            None
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the distance from the root.
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Returns whether a target is this one or below it.
    pub(crate) fn covers(&self, target: &str) -> bool {
        let mut target = parts(target);
        self.0.iter().all(|part| target.next() == Some(part))
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.0 == ["root"] { "::" } else { "" };
        write!(f, "{prefix}{}", self.0.join("::"))
    }
}

/// Returns the parts of a name.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', ':']).filter(|part| !part.is_empty())
}
