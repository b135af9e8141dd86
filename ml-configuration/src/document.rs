//! A configuration file: reading, parsing and overriding it.

use std::{fmt, io, path::Path, sync::Arc};

use crate::{
    Node, Place, Problems,
    file::{MAX_BYTES, read_bytes},
    parse,
    problems::Problem,
    tree::Tree,
    variables,
};

/// A parsed file, with the environment variables that override parts of it.
///
/// Each value keeps its line or its variable. [`root`](Self::root) gives access to the values.
pub struct Document {
    tree: Tree,
    /// Index of the root.
    root: usize,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, is not a regular file, is too large or is not UTF-8, and where
    /// [`parse`](Self::parse) fails.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let bytes = read_bytes(path).map_err(|error| {
            let message = if error.kind() != io::ErrorKind::NotFound {
                format!("the file cannot be read: {error}")
            } else if path.symlink_metadata().is_ok() {
                "this link points to a file that does not exist; create that file or name another one"
                    .to_owned()
            } else {
                "there is no such file; create it or name another one".to_owned()
            };
            problem(&name, None, message)
        })?;
        match str::from_utf8(&bytes) {
            Ok(text) => Self::parse(&name, text),
            Err(error) if bytes.len() as u64 <= MAX_BYTES => {
                let before = &bytes[..error.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let message = "the file is not UTF-8 from here on; save it as UTF-8".to_owned();
                Err(problem(&name, Some(Place::Line(line)), message))
            }
            Err(_) => Err(too_large(&name)),
        }
    }

    /// Parses a text. Messages call the file `name`. An empty text is an empty mapping.
    ///
    /// # Errors
    ///
    /// Returns all mistakes in the text: syntax errors (parsing stops at the first one), duplicate
    /// keys, keys that are not text, application tags, merge keys whose value is not a mapping, a
    /// second document, nesting that is too deep, and aliases that expand to too many values.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        if text.len() as u64 > MAX_BYTES {
            return Err(too_large(name));
        }
        parse::parse(name, text).map(|tree| Self::with_root(tree, 0))
    }

    /// Overrides scalars by environment variables: `PREFIX__MODELS__0__CREATE_ENDPOINT=false` sets
    /// `models[0].create_endpoint`.
    ///
    /// Each part of a variable's name matches a key regardless of case. A key that does not exist
    /// is added in lower case, so that an unknown key is reported like one of the file. Values have
    /// the syntax of YAML scalars. Variables without the prefix are ignored.
    ///
    /// # Errors
    ///
    /// Returns one problem for each variable that would replace a mapping or a list, names an item
    /// that a list does not have or a key below a scalar, matches several keys, or sets the same
    /// value as another variable. All other variables are applied.
    pub fn override_from(
        &mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Problems> {
        variables::apply(&mut self.tree, prefix, variables)
    }

    pub(crate) fn with_root(tree: Tree, root: usize) -> Self {
        Self { tree, root }
    }

    /// Returns the value of the whole file.
    pub fn root(&self) -> Node<'_> {
        Node::new(&self.tree, self.root)
    }

    /// Returns the name of the file in messages.
    pub fn name(&self) -> &str {
        &self.tree.name
    }
}

fn too_large(name: &str) -> Problems {
    let message = format!("the file is larger than {MAX_BYTES} bytes; is it the right one?");
    problem(name, None, message)
}

fn problem(name: &str, place: Option<Place>, message: String) -> Problems {
    let mut problems = Problems::new();
    problems.push(Problem::new(&Arc::from(name), place, message));
    problems
}

impl fmt::Debug for Document {
    // Values are left out because some of them are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("name", &self.tree.name).finish_non_exhaustive()
    }
}
