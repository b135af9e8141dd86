//! The mistakes found in a file, each with its place.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A line of the file, the first being 1.
    Line(usize),
    /// An environment variable.
    Variable(String),
}

/// One mistake; its `Display` is the whole message, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    file: Arc<str>,
    place: Option<Place>,
    column: Option<usize>,
    path: String,
    message: String,
}

impl Problem {
    pub(crate) fn new(file: &Arc<str>, place: Option<Place>, message: String) -> Self {
        Self { file: Arc::clone(file), place, column: None, path: String::new(), message }
    }

    pub(crate) fn with_column(mut self, column: usize) -> Self {
        self.column = Some(column);
        self
    }

    pub(crate) fn with_path(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    /// Where the mistake is; `None` if it is that of the file as a whole.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The key path of the value at fault, `models[0].create_endpoint`; empty for the whole file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, and the remedy.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and words of the file are part of it; they must not drive the terminal.
        let mut text = OneLine(f);
        match &self.place {
            Some(Place::Variable(name)) => write!(text, "environment variable {name}: ")?,
            Some(Place::Line(line)) => {
                write!(text, "{}:{line}", self.file)?;
                if let Some(column) = self.column {
                    write!(text, ":{column}")?;
                }
                text.write_str(": ")?;
            }
            None if self.file.is_empty() => {}
            None => write!(text, "{}: ", self.file)?,
        }
        if !self.path.is_empty() {
            write!(text, "{}: ", self.path)?;
        }
        text.write_str(&self.message)
    }
}

/// Escapes whatever would end the line or is not to be seen.
struct OneLine<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let unseen = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}');
        for piece in text.split_inclusive(unseen) {
            match piece.chars().next_back().filter(|last| unseen(*last)) {
                Some(last) => {
                    self.0.write_str(&piece[..piece.len() - last.len_utf8()])?;
                    write!(self.0, "{}", last.escape_default())?;
                }
                None => self.0.write_str(piece)?,
            }
        }
        Ok(())
    }
}

/// All mistakes that have been found, in the order of their places.
///
/// Its `Display` has a line for each: `rest_config.yaml:12: models[0].create_endpoint: expected
/// true or false, found text`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "mistakes that nobody reports are lost"]
pub struct Problems {
    list: Vec<Problem>,
}

/// More are counted, not shown: nobody reads on.
const SHOWN: usize = 100;

impl Problems {
    /// No problems so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mistake that is in no file, such as one of the command line.
    pub fn add(&mut self, message: impl Into<String>) {
        self.push(Problem::new(&Arc::from(""), None, message.into()));
    }

    /// Adds all of these.
    pub fn extend(&mut self, others: Self) {
        for problem in others.list {
            self.push(problem);
        }
    }

    /// Keeps the order of the places; those of the same place stay in the order of their finding.
    pub(crate) fn push(&mut self, problem: Problem) {
        let index = self.list.partition_point(|other| other.place <= problem.place);
        // What is read twice is reported once; not looking further back keeps huge files quick.
        if !self.list[..index].iter().rev().take(SHOWN).any(|other| *other == problem) {
            self.list.insert(index, problem);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Each of them, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// The value if there are no problems.
    ///
    /// # Errors
    ///
    /// The problems, if there are any.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            write!(f, "{problem}")?;
        }
        match self.list.len().checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Problems {}
