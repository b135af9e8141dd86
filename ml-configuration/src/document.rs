//! A parsed file: where it comes from and what it is made of.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use crate::{
    Node, Place, Problems,
    problems::Problem,
    scalar::{self, Scalar},
    tree, variables,
};

/// More than anybody writes by hand, and little enough to be read in no time.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A parsed file, with the environment variables that override parts of it.
///
/// It remembers where each value comes from; read it through its [`root`](Self::root).
pub struct Document {
    pub(crate) name: Arc<str>,
    /// The first one is the root. Each refers to others by index.
    pub(crate) items: Vec<Item>,
}

/// A value and its place in the file and in the document.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) parent: Option<usize>,
    pub(crate) step: Step,
    pub(crate) origin: Origin,
    pub(crate) value: Value,
}

/// How one gets from the parent to a value.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Root,
    Key(Arc<str>),
    Index(usize),
}

#[derive(Debug, Clone)]
pub(crate) enum Origin {
    Line(usize),
    Variable(Arc<str>),
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar {
        /// Shared by all places at which an alias stands for it.
        text: Arc<str>,
        /// Whether the text decides about the type: it has no quotes and no tag that says "text".
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

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is too large or no UTF-8, or is at fault as [`parse`](Self::parse)
    /// says.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let fail = |place, message| {
            let mut problems = Problems::new();
            problems.push(Problem::new(&Arc::from(name.as_str()), place, message));
            Err(problems)
        };
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            // A device or a pipe may go on forever.
            file.take(MAX_BYTES + 1).read_to_end(&mut bytes)
        });
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_link = path.symlink_metadata().is_ok();
                let message = if is_link {
                    "this is a link to a file that is not there; create that file or name another one"
                } else {
                    "there is no such file; create it or name another one"
                };
                return fail(None, message.into());
            }
            Err(error) => return fail(None, format!("the file cannot be read: {error}")),
            Ok(_) => {}
        }
        match str::from_utf8(&bytes) {
            Ok(text) => Self::parse(&name, text),
            Err(error) if bytes.len() as u64 <= MAX_BYTES => {
                let before = &bytes[..error.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                fail(
                    Some(Place::Line(line)),
                    "the file is not UTF-8 from here on; save it as UTF-8".into(),
                )
            }
            Err(_) => fail(None, too_large()),
        }
    }

    /// Reads a text; `name` is what messages call the file. An empty text is an empty mapping.
    ///
    /// # Errors
    ///
    /// All mistakes in it: YAML that cannot be read (this ends the search for more), keys that stand
    /// twice or are no text, tags of applications, merge keys of something else than a mapping, more
    /// than one document, nesting that is too deep, aliases that would expand without end.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let name: Arc<str> = name.into();
        if text.len() as u64 > MAX_BYTES {
            let mut problems = Problems::new();
            problems.push(Problem::new(&name, None, too_large()));
            return Err(problems);
        }
        let items = tree::build(&name, text)?;
        Ok(Self { name, items })
    }

    /// Lets environment variables override scalars: `PREFIX__MODELS__0__CREATE_ENDPOINT=false` sets
    /// `models[0].create_endpoint`.
    ///
    /// Each part of the name matches a key without regard to upper and lower case; a key that is not
    /// there is added in lower case, so that whoever reads the document reports it if it is unknown.
    /// Values are read as YAML scalars are. Variables without the prefix are ignored.
    ///
    /// # Errors
    ///
    /// Each variable that would replace a mapping or a list, names an item that a list does not have
    /// or a key below a scalar, fits several keys, or overrides what another variable has set. Those
    /// that are not at fault are applied.
    pub fn override_from(
        &mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Problems> {
        variables::apply(self, prefix, variables)
    }

    /// The value of the whole file.
    pub fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// What messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `models[0].decorators[1]`; empty for the root.
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

    pub(crate) fn place(&self, index: usize) -> Place {
        match &self.items[index].origin {
            Origin::Line(line) => Place::Line(*line),
            Origin::Variable(name) => Place::Variable(name.to_string()),
        }
    }
}

fn too_large() -> String {
    format!("the file is larger than {MAX_BYTES} bytes; is it the right one?")
}

/// A word of the file as a message can bear it.
pub(crate) fn shortened(word: &str) -> String {
    const MAX_CHARS: usize = 60;
    match word.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

impl fmt::Debug for Document {
    // Not the values: there may be secrets among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("name", &self.name).finish_non_exhaustive()
    }
}
