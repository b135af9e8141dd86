//! Class paths.

use ml_configuration::{Mapping, Node, Problems};

/// Reads the class of a formatter, filter or handler: the last part of the class path, and its node. Python has
/// two keys for it.
pub(super) fn class<'d>(
    keys: &mut Mapping<'d>,
    example: &str,
    problems: &mut Problems,
) -> Option<(Node<'d>, &'d str)> {
    let node = match (keys.get("class"), keys.get("()")) {
        (Some(node), None) | (None, Some(node)) => node,
        (Some(_), Some(second)) => {
            second.report(problems, "`()` and `class` mean the same; remove one of them");
            return None;
        }
        (None, None) => {
            let message =
                format!("the key `class` is missing; write for example `class: {example}`");
            keys.node().report(problems, message);
            return None;
        }
    };
    let path = node.string(problems)?;
    Some((node, path.rsplit(['.', ':']).next().unwrap_or(path)))
}
