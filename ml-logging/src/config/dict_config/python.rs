//! Values as Python reads them.

use ml_configuration::{Document, Kind, Mapping, Node, Problems};

/// Replaces references to other parts of the configuration, `cfg://handlers.file.filename`. `None` if there are
/// none.
pub(super) fn resolve(node: Node<'_>, problems: &mut Problems) -> Option<(Document, Vec<String>)> {
    node.resolve("cfg://", problems)
}

/// Reports texts that name an object of Python, `ext://package.name`. They are valid for standard streams and for
/// classes only.
pub(super) fn refuse_objects(node: Node<'_>, problems: &mut Problems) {
    let unread = &mut Problems::new();
    match node.kind() {
        Kind::Mapping => {
            let entries = node.mapping(unread).map(|mut mapping| mapping.entries());
            for (key, node) in entries.into_iter().flatten() {
                let is_known = matches!(key, "stream" | "class" | "()");
                if !is_known || node.kind() != Kind::Text {
                    refuse_objects(node, problems);
                }
            }
        }
        Kind::List => {
            let items = node.list(unread).unwrap_or_default();
            items.into_iter().for_each(|item| refuse_objects(item, problems));
        }
        Kind::Text if node.string(unread).is_some_and(|text| text.starts_with("ext://")) => {
            node.report(problems, "`ext://` names an object of Python; write its value");
        }
        _ => {}
    }
}

/// Reads a value that Python tests for truth: a boolean, or a number.
pub(super) fn truth(node: Node<'_>, problems: &mut Problems) -> Option<bool> {
    match node.kind() {
        Kind::Integer => Some(node.integer(i64::MIN..=i64::MAX, problems)? != 0),
        _ => node.boolean(problems),
    }
}

/// Reads a key that has no effect. Only its type is checked.
pub(super) fn ignored_truth(keys: &mut Mapping<'_>, key: &str, problems: &mut Problems) {
    if let Some(node) = keys.optional(key) {
        truth(node, problems);
    }
}

/// Reports `.`, which sets attributes of the object that Python creates.
pub(super) fn refuse_attributes(keys: &mut Mapping<'_>, problems: &mut Problems) {
    // Read only if it is there, so that no message lists it as a valid key.
    let entries = keys.node().mapping(&mut Problems::new()).map(|mut mapping| mapping.entries());
    if entries.is_some_and(|mut entries| entries.any(|(key, _)| key == "."))
        && let Some(node) = keys.optional(".")
    {
        node.report(problems, "this sets attributes of an object of Python; remove the key");
    }
}
