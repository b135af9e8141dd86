//! Parsing of a YAML text.
//!
//! The events of the YAML parser become the items of a tree. Each alias becomes a copy with a path
//! of its own, and merge keys are merged. Limits on the nesting and on the number of values keep a
//! text from exhausting the stack or the memory.

use std::{collections::HashMap, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::{
    Place, Problems,
    problems::{Problem, shortened},
    scalar::{self, Scalar},
    tree::{Item, Step, Tree, Value},
};

const MAX_DEPTH: usize = 64;
const MAX_ITEMS: usize = 100_000;

/// The parser's anchor id for a value without an anchor; the ids start at 1.
const NO_ANCHOR: usize = 0;

/// The parser's messages on a quote that is not closed.
const QUOTE_NOT_CLOSED: [&str; 3] = [
    "invalid indentation in quoted scalar",
    "while scanning a quoted scalar, found unexpected end of stream",
    "while scanning a quoted scalar, found unexpected document indicator",
];

const MERGE: &str = "<<";

pub(crate) fn parse(name: &str, text: &str) -> Result<Tree, Problems> {
    let mut builder = Builder {
        tree: Tree { name: name.into(), items: Vec::new() },
        open: Vec::new(),
        anchors: HashMap::new(),
        problems: Problems::new(),
    };
    if let Err(stop) = builder.read(text) {
        builder.problems.push(*stop);
    }
    builder.problems.into_result(builder.tree)
}

/// A problem that ends the parsing.
type Stop = Box<Problem>;

struct Builder {
    tree: Tree,
    /// The lists and mappings around the next value, outermost first.
    open: Vec<Open>,
    /// The items of the anchors, by anchor id.
    anchors: HashMap<usize, usize>,
    problems: Problems,
}

/// A list or mapping that has begun.
struct Open {
    item: usize,
    /// The key whose value comes next.
    key: Option<Key>,
    /// All keys so far and their lines.
    keys: HashMap<Arc<str>, usize>,
    /// The value of the key `<<`.
    merged: Option<usize>,
}

struct Key {
    text: Arc<str>,
    line: usize,
    is_merge: bool,
}

impl Builder {
    fn read(&mut self, text: &str) -> Result<(), Stop> {
        let last_line = lines(text).count();
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| self.syntax(text, &error))?;
            let line = span.start.line().clamp(1, last_line);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(self.stop(
                            line,
                            "a second document begins here, but a configuration file has one; remove \
                             `---` or the second document",
                        ));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = self.is_plain(&text, style, tag.as_deref(), line);
                    let value = Value::Scalar { text: text.into(), plain };
                    self.scalar(value, line, anchor)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), "seq", line);
                    self.begin(Value::List(Vec::new()), line, anchor)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), "map", line);
                    self.begin(Value::Mapping(Vec::new()), line, anchor)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Alias(anchor) => self.alias(anchor, line)?,
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        match self.tree.items.first_mut() {
            None => self.tree.items.push(Item {
                parent: None,
                step: Step::Root,
                place: Place::Line(1),
                value: Value::Mapping(Vec::new()),
            }),
            Some(root) if root.value.is_null() => root.value = Value::Mapping(Vec::new()),
            Some(_) => {}
        }
        Ok(())
    }

    fn begin(&mut self, value: Value, line: usize, anchor: usize) -> Result<(), Stop> {
        if self.expects_key() {
            return Err(self.stop(line, "a key must be text, not a list or a mapping"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(line));
        }
        let item = self.attach(value, line)?;
        self.anchors.insert(anchor, item);
        self.open.push(Open { item, key: None, keys: HashMap::new(), merged: None });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        match self.open.pop() {
            Some(Open { item, keys, merged: Some(merged), .. }) => self.merge(item, keys, merged),
            _ => Ok(()),
        }
    }

    /// Adds a scalar.
    fn scalar(&mut self, value: Value, line: usize, anchor: usize) -> Result<(), Stop> {
        let item = if self.expects_key() {
            self.key(&value, line);
            if anchor == NO_ANCHOR {
                return Ok(());
            }
            // A key is not an item of the document, but an alias may refer to it.
            let place = Place::Line(line);
            self.add(Item { parent: None, step: Step::Root, place, value }, line)?
        } else {
            self.attach(value, line)?
        };
        self.anchors.insert(anchor, item);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), Stop> {
        let Some(source) = self.anchors.get(&anchor).copied() else {
            return Err(self.stop(line, "the alias has no anchor; write `&name` before its value"));
        };
        if self.open.iter().any(|open| open.item == source) {
            return Err(self.stop(line, "this alias contains itself; write out its value"));
        }
        if self.expects_key() {
            let value = self.tree.items[source].value.clone();
            if !matches!(value, Value::Scalar { .. }) {
                return Err(self.stop(line, "a key must be text, not a list or a mapping"));
            }
            self.key(&value, line);
            return Ok(());
        }
        let copy = self.attach(Value::null(), line)?;
        self.fill(copy, source, self.open.len(), line)
    }

    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.key.is_none() && matches!(self.tree.items[open.item].value, Value::Mapping(_))
        })
    }

    fn key(&mut self, value: &Value, line: usize) {
        let Value::Scalar { text, plain } = value else { return };
        let found = match scalar::resolve(text) {
            Scalar::Null => "nothing",
            Scalar::Boolean(_) => "a boolean",
            Scalar::Integer(_) | Scalar::Number(_) => "a number",
            Scalar::Text => "text",
        };
        if *plain && found != "text" {
            let message = format!("a key must be text, but this one is {found}; put it in quotes");
            self.report(line, message);
        }
        let Some(open) = self.open.last_mut() else { return };
        let is_merge = *plain && **text == *MERGE;
        open.key = Some(Key { text: Arc::clone(text), line, is_merge });
        if let Some(first) = open.keys.insert(Arc::clone(text), line) {
            let remedy = if is_merge { "write one `<<: [*a, *b]`" } else { "keep one of them" };
            let word = shortened(text);
            self.report(line, format!("the key `{word}` is already on line {first}; {remedy}"));
        }
    }

    /// Adds a value to the innermost open list or mapping.
    fn attach(&mut self, value: Value, line: usize) -> Result<usize, Stop> {
        let next = self.tree.items.len();
        let (mut parent, mut step, mut first_line) = (None, Step::Root, line);
        if let Some(open) = self.open.last_mut() {
            parent = Some(open.item);
            match &mut self.tree.items[open.item].value {
                Value::Mapping(children) => {
                    if let Some(key) = open.key.take() {
                        if key.is_merge {
                            open.merged = Some(next);
                        } else {
                            children.push(next);
                        }
                        (step, first_line) = (Step::Key(key.text), key.line);
                    }
                }
                Value::List(children) => {
                    step = Step::Index(children.len());
                    children.push(next);
                }
                Value::Scalar { .. } => {}
            }
        }
        self.add(Item { parent, step, place: Place::Line(first_line), value }, line)
    }

    fn add(&mut self, item: Item, line: usize) -> Result<usize, Stop> {
        if self.tree.items.len() >= MAX_ITEMS {
            return Err(self.stop(
                line,
                format!("there are more than {MAX_ITEMS} values, including the copies by aliases"),
            ));
        }
        self.tree.items.push(item);
        Ok(self.tree.items.len() - 1)
    }

    /// Copies the value of `source` and all its parts to `copy`.
    // The recursion is at most `MAX_DEPTH` deep.
    fn fill(&mut self, copy: usize, source: usize, depth: usize, line: usize) -> Result<(), Stop> {
        let value = self.tree.items[source].value.clone();
        let (Value::List(sources) | Value::Mapping(sources)) = &value else {
            self.tree.items[copy].value = value;
            return Ok(());
        };
        if depth >= MAX_DEPTH {
            return Err(self.too_deep(line));
        }
        let mut copies = Vec::with_capacity(sources.len());
        for source in sources {
            copies.push(self.copy(*source, copy, depth + 1, line)?);
        }
        self.tree.items[copy].value = match value {
            Value::List(_) => Value::List(copies),
            _ => Value::Mapping(copies),
        };
        Ok(())
    }

    fn copy(
        &mut self,
        source: usize,
        parent: usize,
        depth: usize,
        line: usize,
    ) -> Result<usize, Stop> {
        let Item { step, place, .. } = self.tree.items[source].clone();
        let copy =
            self.add(Item { parent: Some(parent), step, place, value: Value::null() }, line)?;
        self.fill(copy, source, depth, line)?;
        Ok(copy)
    }

    /// Adds the entries of `<<` to a mapping, before its own entries, as PyYAML does. Keys of the
    /// mapping itself take precedence, then those of the first merged mapping.
    fn merge(
        &mut self,
        item: usize,
        mut keys: HashMap<Arc<str>, usize>,
        merged: usize,
    ) -> Result<(), Stop> {
        let Place::Line(line) = self.tree.items[merged].place else { return Ok(()) };
        let sources = match &self.tree.items[merged].value {
            Value::List(sources) => sources.clone(),
            _ => vec![merged],
        };
        let mut children = Vec::new();
        for source in sources {
            let Value::Mapping(entries) = &self.tree.items[source].value else {
                self.report(line, "`<<` takes a mapping, such as `*name`, or a list of mappings");
                continue;
            };
            for entry in entries.clone() {
                let Step::Key(key) = &self.tree.items[entry].step else { continue };
                if !keys.contains_key(key) {
                    keys.insert(Arc::clone(key), line);
                    children.push(self.copy(entry, item, self.open.len() + 1, line)?);
                }
            }
        }
        if let Value::Mapping(own) = &mut self.tree.items[item].value {
            children.append(own);
            *own = children;
        }
        Ok(())
    }

    /// Returns whether the type of a scalar follows from its text, and reports wrong tags.
    fn is_plain(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, line: usize) -> bool {
        let Some(tag) = tag else { return style == ScalarStyle::Plain };
        if tag.suffix.is_empty() || (tag.handle.is_empty() && tag.suffix == "!") {
            return false;
        }
        let resolved = scalar::resolve(text);
        let fits = match tag.suffix.as_str() {
            _ if !tag.is_yaml_core_schema() => None,
            "str" => return false,
            "null" => Some(resolved == Scalar::Null),
            "bool" => Some(scalar::boolean(text).is_some()),
            "int" => Some(matches!(resolved, Scalar::Integer(_))),
            "float" => Some(matches!(resolved, Scalar::Integer(_) | Scalar::Number(_))),
            _ => None,
        };
        match fits {
            None => self.unsupported(tag, line),
            Some(false) => {
                self.report(line, format!("the value does not match its tag `{}`", written(tag)));
            }
            Some(true) => {}
        }
        true
    }

    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, line: usize) {
        if let Some(tag) = tag
            && !tag.suffix.is_empty()
            && !(tag.is_yaml_core_schema() && tag.suffix == expected)
        {
            self.unsupported(tag, line);
        }
    }

    fn unsupported(&mut self, tag: &Tag, line: usize) {
        let tag = written(tag);
        self.report(line, format!("the tag `{tag}` is not supported; remove it"));
    }

    fn report(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(*self.stop(line, message));
    }

    fn stop(&self, line: usize, message: impl Into<String>) -> Stop {
        Box::new(Problem::new(&self.tree.name, Some(Place::Line(line)), message.into()))
    }

    fn too_deep(&self, line: usize) -> Stop {
        self.stop(line, format!("the nesting is deeper than {MAX_DEPTH} levels"))
    }

    fn syntax(&self, text: &str, error: &ScanError) -> Stop {
        let (mut line, mut column) = (error.marker().line().max(1), error.marker().col() + 1);
        if let (true, Some(last)) = (line > lines(text).count(), lines(text).last()) {
            (line, column) = (lines(text).count(), last.chars().count() + 1);
        }
        let what = error.info();
        if what.contains("recursion limit") {
            // Nested brackets reach the parser's own limit before their first event.
            return self.too_deep(line);
        }
        let begins = text.lines().nth(line - 1).unwrap_or_default().trim_start_matches(' ');
        let remedy = if begins.starts_with('\t') {
            "; indent with spaces, not with tabs"
        } else if what.starts_with("unexpected character") {
            "; put a value that begins with it in quotes"
        } else if QUOTE_NOT_CLOSED.contains(&what) {
            "; close the quote that begins here or above"
        } else if what.contains("trailing content after") {
            "; put the whole value in quotes"
        } else if what.contains("unknown anchor") {
            "; `*name` needs `&name` before a value further up"
        } else if what.starts_with("mapping values are not allowed") {
            "; check the indentation, and put a value that contains `: ` in quotes"
        } else if what.starts_with("while parsing a block collection") {
            "; align the keys of an item with its first key, behind the `- `"
        } else if what.starts_with("while parsing a block mapping")
            || what == "did not find expected <document start>"
        {
            "; align the keys of a mapping"
        } else {
            ""
        };
        let stop = self.stop(line, format!("this is not YAML: {what}{remedy}"));
        Box::new((*stop).with_column(column))
    }
}

/// Splits a text at the line breaks of YAML. A text that ends with a line break has an empty last
/// line.
// The parser places the end of a text without a final line break on a line of its own.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Returns a tag as it is written in YAML.
fn written(tag: &Tag) -> String {
    let handle = if tag.is_yaml_core_schema() { "!!" } else { tag.handle.as_str() };
    shortened(&format!("{handle}{}", tag.suffix))
}
