//! References from one value of a document to another, as `cfg://` in the files of Python's `logging`.

use std::sync::Arc;

use crate::{
    Document, Node, Problems,
    tree::{Step, Tree, Value},
};

/// Longest chain of references.
const MAX_CHAIN: usize = 16;
/// Deepest nesting, and largest number of values, that references may expand to.
const MAX_DEPTH: usize = 64;
const MAX_VALUES: usize = 100_000;

impl Node<'_> {
    /// Replaces texts in this value that begin with `prefix` by the values to which they refer.
    ///
    /// The rest of such a text is a path from this value: `handlers.file.filename`, `lists[0]`. Returns a
    /// document whose root is this value with its references replaced, and the first key of each path; `None` if there
    /// is no reference. A path that leads nowhere, and references in a circle, are reported.
    ///
    /// ```
    /// use ml_configuration::{Document, Problems};
    ///
    /// let document = Document::parse("f", "{name: app.log, h: {filename: 'cfg://name'}}").unwrap();
    /// let mut problems = Problems::new();
    /// let (resolved, keys) = document.root().resolve("cfg://", &mut problems).unwrap();
    /// assert_eq!(keys, ["name"]);
    /// let mut root = resolved.root().mapping(&mut problems).unwrap();
    /// let mut handler = root.get("h").unwrap().mapping(&mut problems).unwrap();
    /// let name = handler.get("filename").unwrap().string(&mut problems);
    /// assert_eq!(name, Some("app.log"));
    /// ```
    pub fn resolve(
        &self,
        prefix: &str,
        problems: &mut Problems,
    ) -> Option<(Document, Vec<String>)> {
        let old = self.tree();
        let mut references = Vec::new();
        collect(old, self.index(), prefix, &mut references);
        if references.is_empty() {
            return None;
        }
        let mut tree = Tree { name: Arc::clone(&old.name), items: old.items.clone() };
        let mut keys = Vec::new();
        for (index, path) in &references {
            let target = follow(old, self.index(), prefix, path, 0);
            tree.items[*index].value = match target {
                Some(target) => old.items[target].value.clone(),
                None => {
                    let message = format!(
                        "`{prefix}` leads to no value; write a path such as \
                         `{prefix}handlers.file.filename`"
                    );
                    self.with_index(*index).report(problems, message);
                    Value::null()
                }
            };
            keys.extend(steps(path).and_then(|steps| Some((*steps.first()?).to_owned())));
        }
        for (index, _) in references {
            if !is_finite(&tree, index, MAX_DEPTH, &mut { MAX_VALUES }) {
                self.with_index(index)
                    .report(problems, "the references form a circle, or expand to too many values");
                tree.items[index].value = Value::null();
            }
        }
        Some((Document::with_root(tree, self.index()), keys))
    }
}

/// Collects the references in a value, each with its path.
fn collect<'t>(tree: &'t Tree, index: usize, prefix: &str, found: &mut Vec<(usize, &'t str)>) {
    match &tree.items[index].value {
        Value::Scalar { text, .. } => {
            found.extend(text.strip_prefix(prefix).map(|path| (index, path)));
        }
        Value::List(children) | Value::Mapping(children) => {
            children.iter().for_each(|child| collect(tree, *child, prefix, found));
        }
    }
}

/// Returns the value at the end of a path. References on the way are followed.
fn follow(tree: &Tree, root: usize, prefix: &str, path: &str, chain: usize) -> Option<usize> {
    let end = |index: usize| match &tree.items[index].value {
        Value::Scalar { text, .. } => match text.strip_prefix(prefix) {
            Some(_) if chain >= MAX_CHAIN => None,
            Some(path) => follow(tree, root, prefix, path, chain + 1),
            None => Some(index),
        },
        _ => Some(index),
    };
    steps(path)?.into_iter().try_fold(root, |index, step| {
        let child = match &tree.items[index].value {
            Value::Mapping(children) => children.iter().find(
                |child| matches!(&tree.items[**child].step, Step::Key(key) if **key == *step),
            ),
            Value::List(children) => children.get(step.parse::<usize>().ok()?),
            Value::Scalar { .. } => None,
        };
        end(*child?)
    })
}

/// Splits a path, `a.b[0]`, into its steps.
fn steps(path: &str) -> Option<Vec<&str>> {
    let is_word = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let mut steps = Vec::new();
    let (mut rest, mut is_index) = (path, false);
    loop {
        let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
        let step = rest[..end].trim();
        if step.is_empty() || !is_word(step) {
            return None;
        }
        steps.push(step);
        rest = rest[end..].trim_start();
        if is_index {
            rest = rest.strip_prefix(']')?.trim_start();
        }
        if rest.is_empty() {
            return Some(steps);
        }
        is_index = rest.starts_with('[');
        rest = rest.strip_prefix(['.', '['])?;
    }
}

/// Returns whether a value is a tree of limited size.
fn is_finite(tree: &Tree, index: usize, depth: usize, values: &mut usize) -> bool {
    let (Some(depth), Some(left)) = (depth.checked_sub(1), values.checked_sub(1)) else {
        return false;
    };
    *values = left;
    match &tree.items[index].value {
        Value::Scalar { .. } => true,
        Value::List(children) | Value::Mapping(children) => {
            children.iter().all(|child| is_finite(tree, *child, depth, values))
        }
    }
}
