//! Mappings: access to their keys, and a report of the unknown ones.

use std::fmt;

use crate::{Node, Problems, did_you_mean::unknown_key, tree::Value};

/// The entries of a mapping; made by [`Node::mapping`].
///
/// A mapping records the keys that are read. Read every valid key, then call
/// [`finish`](Self::finish), which reports all others. An early return in between loses the report.
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
#[must_use = "unknown keys are reported by `finish`"]
pub struct Mapping<'d> {
    node: Node<'d>,
    entries: Vec<(&'d str, Node<'d>)>,
    valid_keys: Vec<String>,
    any_key_is_valid: bool,
    hides_keys: bool,
}

impl<'d> Node<'d> {
    /// Returns the entries of a mapping. Read all valid keys, then call [`Mapping::finish`].
    pub fn mapping(&self, problems: &mut Problems) -> Option<Mapping<'d>> {
        let Value::Mapping(children) = self.value() else {
            let remedy = "write its keys below, as in `key: value`";
            return self.expected_parts("a mapping", remedy, problems);
        };
        let entries = children.iter().map(|index| self.with_index(*index));
        Some(Mapping {
            node: *self,
            entries: entries.map(|child| (child.key(), child)).collect(),
            valid_keys: Vec::new(),
            any_key_is_valid: false,
            hides_keys: false,
        })
    }
}

impl<'d> Mapping<'d> {
    /// Returns the mapping as a value, for problems with the whole of it.
    pub fn node(&self) -> Node<'d> {
        self.node
    }

    /// Returns the value of a key, which may be `null`.
    pub fn get(&mut self, key: &str) -> Option<Node<'d>> {
        if !self.valid_keys.iter().any(|valid| valid == key) {
            self.valid_keys.push(key.to_owned());
        }
        self.entries.iter().find(|(own, _)| *own == key).map(|(_, node)| *node)
    }

    /// Returns the value of a key unless it is `null`.
    pub fn optional(&mut self, key: &str) -> Option<Node<'d>> {
        self.get(key).filter(|node| !node.is_null())
    }

    /// Returns the value of a key, which may be `null`, and reports a missing key.
    pub fn required(&mut self, key: &str, problems: &mut Problems) -> Option<Node<'d>> {
        let node = self.get(key);
        if node.is_none() {
            self.node.report(problems, format!("the key `{key}` is missing"));
        }
        node
    }

    /// Reports a key that is not valid, but that programs like this one often have, with its remedy.
    pub fn refuse(&mut self, key: &str, remedy: &str, problems: &mut Problems) {
        let Some(index) = self.entries.iter().position(|(own, _)| *own == key) else { return };
        // Removed, so that `finish` does not report it again.
        let (_, node) = self.entries.remove(index);
        node.report_in_parent(problems, format!("unknown key `{key}`; {remedy}"));
    }

    /// Returns all entries in their order, for mappings whose keys are names. Every key is valid
    /// then.
    pub fn entries(&mut self) -> impl Iterator<Item = (&'d str, Node<'d>)> + use<'d> {
        self.any_key_is_valid = true;
        self.entries.clone().into_iter()
    }

    /// Makes [`finish`](Self::finish) report unknown keys without showing them. Use it where a
    /// secret may have been written as a key.
    pub fn hiding_unknown_keys(self) -> Self {
        Self { hides_keys: true, ..self }
    }

    /// Reports the keys that have not been read, each at its own line.
    pub fn finish(self, problems: &mut Problems) {
        if self.any_key_is_valid {
            return;
        }
        for (key, node) in &self.entries {
            if !self.valid_keys.iter().any(|valid| valid == key) {
                let message = unknown_key(key, !self.hides_keys, &self.valid_keys);
                node.report_in_parent(problems, message);
            }
        }
    }
}

impl fmt::Debug for Mapping<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.entries.iter().map(|(key, _)| key).collect();
        f.debug_struct("Mapping").field("node", &self.node).field("keys", &keys).finish()
    }
}
