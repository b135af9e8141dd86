//! The paths of the logged fields of a configuration, as a tree.

/// The paths of the fields of a record, as a tree.
#[derive(Debug, Default)]
pub(super) struct FieldTree {
    positions: Vec<usize>,
    children: Vec<(String, FieldTree)>,
}

impl FieldTree {
    /// Creates the tree of the fields at these paths.
    pub(super) fn new<'p>(paths: impl IntoIterator<Item = &'p [String]>) -> Self {
        let mut root = Self::default();
        for (position, path) in paths.into_iter().enumerate() {
            let mut node = &mut root;
            for name in path {
                let index = node.children.iter().position(|(child, _)| child == name);
                let index = index.unwrap_or_else(|| {
                    node.children.push((name.clone(), Self::default()));
                    node.children.len() - 1
                });
                node = &mut node.children[index].1;
            }
            node.positions.push(position);
        }
        root
    }

    /// Returns the positions in the record of the fields that end here.
    pub(super) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Returns whether the paths of some fields lead further.
    pub(super) fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// Returns the part of the tree below `name`.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|(child, _)| child == name).map(|(_, child)| child)
    }
}
