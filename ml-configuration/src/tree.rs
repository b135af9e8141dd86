//! The values of a document, in one list: parents and parts refer to each other by index.

use std::sync::Arc;

use crate::{
    Place,
    problems::shortened,
    scalar::{self, Scalar},
};

/// The values of a document and the name of its file.
pub(crate) struct Tree {
    /// Name of the file in messages.
    pub(crate) name: Arc<str>,
    /// All values; the first one is the root.
    pub(crate) items: Vec<Item>,
}

/// A value, its source and its position in the document.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) parent: Option<usize>,
    pub(crate) step: Step,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// Last step of the path to a value.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Root,
    Key(Arc<str>),
    Index(usize),
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar {
        /// Shared by all aliases of the value.
        text: Arc<str>,
        /// Whether the type follows from the text: the scalar is neither quoted nor tagged `!!str`.
        plain: bool,
    },
    List(Vec<usize>),
    Mapping(Vec<usize>),
}

impl Value {
    pub(crate) fn null() -> Self {
        Self::Scalar { text: "".into(), plain: true }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar { text, plain: true } if scalar::resolve(text) == Scalar::Null)
    }
}

impl Tree {
    /// Returns the key path of a value, such as `models[0].decorators[1]`; empty for the root.
    pub(crate) fn path(&self, index: usize) -> String {
        let mut steps = Vec::new();
        let mut next = Some(index);
        while let Some(index) = next {
            steps.push(&self.items[index].step);
            next = self.items[index].parent;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Root => {}
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(key) if key.is_empty() || key.contains(['.', '[', ']', '"', ' ']) => {
                    path.push_str(&format!("[\"{}\"]", shortened(key)));
                }
                Step::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&shortened(key));
                }
            }
        }
        path
    }
}
