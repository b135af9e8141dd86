//! Class paths.

use ml_configuration::{Mapping, Node, Problems};

/// Reads the class of a formatter, filter or handler: the last part of the class path, and its node. Python has
/// two keys for it. The inner `Option` is `None` if neither is there, the outer one if they are invalid.
pub(super) fn class<'d>(
    keys: &mut Mapping<'d>,
    problems: &mut Problems,
) -> Option<Option<(Node<'d>, &'d str)>> {
    let node = match (keys.optional("class"), keys.optional("()")) {
        (Some(node), None) | (None, Some(node)) => node,
        (Some(_), Some(second)) => {
            second.report(problems, "`()` and `class` mean the same; remove one of them");
            return None;
        }
        (None, None) => return Some(None),
    };
    let path = node.string(problems)?;
    Some(Some((node, path.rsplit(['.', ':', '/']).next().unwrap_or(path))))
}

/// Reads a class that must be there.
pub(super) fn required<'d>(
    keys: &mut Mapping<'d>,
    example: &str,
    problems: &mut Problems,
) -> Option<(Node<'d>, &'d str)> {
    let class = class(keys, problems)?;
    if class.is_none() {
        let message = format!("the key `class` is missing; write for example `class: {example}`");
        keys.node().report(problems, message);
    }
    class
}
