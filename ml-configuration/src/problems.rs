//! The mistakes in a file, each with its place.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

/// Source of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A line of the file; the first one is 1.
    Line(usize),
    /// The name of an environment variable.
    Variable(Arc<str>),
}

/// One mistake. Its `Display` writes the whole message on one line.
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

    /// Returns the place of the mistake; `None` for the file as a whole.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Returns the key path of the value, such as `models[0].create_endpoint`; empty for the whole
    /// file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the message: the mistake and its remedy.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text contains keys and words of the file, which must not control the terminal.
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

/// Escapes line breaks, control characters and invisible characters.
struct OneLine<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let escaped = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}');
        for part in text.split_inclusive(escaped) {
            match part.chars().next_back().filter(|last| escaped(*last)) {
                Some(last) => {
                    self.0.write_str(&part[..part.len() - last.len_utf8()])?;
                    write!(self.0, "{}", last.escape_default())?;
                }
                None => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// Shortens a key or a word of the file for a message.
pub(crate) fn shortened(word: &str) -> String {
    const MAX_CHARS: usize = 60;
    match word.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

/// All mistakes found so far, ordered by place.
///
/// `Display` writes one line for each: `rest_config.yaml:12: models[0].create_endpoint:
/// expected true or false, found text`. `Debug` writes the same, each on a line of its own, for `main` functions that
/// return the problems.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use = "problems have to be reported"]
pub struct Problems {
    list: Vec<Problem>,
}

/// Number of problems that are written out. The others are counted.
const SHOWN: usize = 100;

impl Problems {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mistake that is not in a file, such as one on the command line.
    pub fn add(&mut self, message: impl Into<String>) {
        self.push(Problem::new(&Arc::from(""), None, message.into()));
    }

    /// Adds all problems of another list.
    pub fn extend(&mut self, others: Self) {
        for problem in others.list {
            self.push(problem);
        }
    }

    /// Inserts a problem after those of the same or an earlier place.
    pub(crate) fn push(&mut self, problem: Problem) {
        let index = self.list.partition_point(|other| other.place <= problem.place);
        // A value that is read twice is reported once. The limit keeps huge files fast.
        if !self.list[..index].iter().rev().take(SHOWN).any(|other| *other == problem) {
            self.list.insert(index, problem);
        }
    }

    /// Returns whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the number of problems.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns the problems, ordered by place.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Returns `value` if there are no problems.
    ///
    /// # Errors
    ///
    /// Returns the problems if there are any.
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

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text "Error: ", which the runtime writes before an error of `main`, is on the first line.
        if self.list.len() > 1 {
            f.write_char('\n')?;
        }
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problems {}
