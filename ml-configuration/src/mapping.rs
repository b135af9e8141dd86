//! A mapping whose keys are known, so that the unknown ones can be told.

use std::fmt;

use crate::{Node, Problems, document::shortened, nearest};

/// The entries of a mapping; made by [`Node::mapping`].
///
/// It remembers which keys it was asked for. Ask for every key that there may be, then call
/// [`finish`](Self::finish), which reports all others. Leave no early return between the two.
///
/// ```
/// use ml_configuration::{Document, Problems};
///
/// let document = Document::parse("rest_config.yaml", "loging:\n  level: info\n").unwrap();
/// let mut problems = Problems::new();
/// if let Some(mut root) = document.root().mapping(&mut problems) {
///     let _logging = root.get("logging");
///     root.finish(&mut problems);
/// }
/// assert_eq!(
///     problems.to_string(),
///     "rest_config.yaml:1: unknown key `loging`; did you mean `logging`?",
/// );
/// ```
#[must_use = "call `finish`, or unknown keys are not reported"]
pub struct Mapping<'d> {
    node: Node<'d>,
    entries: Vec<(&'d str, Node<'d>)>,
    asked: Vec<String>,
    all_known: bool,
    hides_keys: bool,
}

impl<'d> Mapping<'d> {
    pub(crate) fn new(node: Node<'d>, children: &'d [usize]) -> Self {
        let entries = children
            .iter()
            .map(|index| node.with_index(*index))
            .map(|child| (child.key(), child))
            .collect();
        Self { node, entries, asked: Vec::new(), all_known: false, hides_keys: false }
    }

    /// The mapping itself, for problems with the whole of it.
    pub fn node(&self) -> Node<'d> {
        self.node
    }

    /// The value of a key, `null` included.
    pub fn get(&mut self, key: &str) -> Option<Node<'d>> {
        if !self.asked.iter().any(|asked| asked == key) {
            self.asked.push(key.to_owned());
        }
        self.entries.iter().find(|(own, _)| *own == key).map(|(_, node)| *node)
    }

    /// The value of a key; `None` also if it is `null`.
    pub fn optional(&mut self, key: &str) -> Option<Node<'d>> {
        self.get(key).filter(|node| !node.is_null())
    }

    /// The value of a key that must be there.
    pub fn required(&mut self, key: &str, problems: &mut Problems) -> Option<Node<'d>> {
        let node = self.get(key);
        if node.is_none() {
            self.node.report(problems, format!("the key `{key}` is missing"));
        }
        node
    }

    /// All entries in their order, for mappings whose keys are names; no key is unknown then.
    pub fn entries(&mut self) -> impl Iterator<Item = (&'d str, Node<'d>)> + use<'d> {
        self.all_known = true;
        self.entries.clone().into_iter()
    }

    /// Lets [`finish`](Self::finish) not show the keys that nobody asked for: where secrets are near,
    /// one of them may be in the wrong place.
    pub fn hiding_unknown_keys(self) -> Self {
        Self { hides_keys: true, ..self }
    }

    /// Reports the keys that nobody asked for, each at its own line.
    pub fn finish(self, problems: &mut Problems) {
        if self.all_known {
            return;
        }
        for (key, node) in &self.entries {
            if !self.asked.iter().any(|asked| asked == key) {
                let shown = (!self.hides_keys).then_some(*key);
                node.report_in_parent(problems, unknown_key(key, shown, &self.asked));
            }
        }
    }
}

/// What is said of a key that is none of these.
pub(crate) fn unknown_key<S: AsRef<str>>(key: &str, shown: Option<&str>, valid: &[S]) -> String {
    let mut message = "unknown key".to_owned();
    if let Some(key) = shown {
        message.push_str(&format!(" `{}`", shortened(key)));
    }
    let quoted: Vec<_> = valid.iter().map(|key| format!("`{}`", key.as_ref())).collect();
    match nearest(key, valid.iter().map(AsRef::as_ref)) {
        Some(nearest) => message.push_str(&format!("; did you mean `{nearest}`?")),
        None if valid.is_empty() => message.push_str("; there are no keys here"),
        None => message.push_str(&format!("; valid are {}", quoted.join(", "))),
    }
    message
}

impl fmt::Debug for Mapping<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.entries.iter().map(|(key, _)| key).collect();
        f.debug_struct("Mapping").field("node", &self.node).field("keys", &keys).finish()
    }
}
