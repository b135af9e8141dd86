//! What a record must hold, worked out from the documentation alone, for any event in any spans.
//!
//! Here are a [`Case`], how it is logged through the public interface, and what is to come of it.
//! Property tests and the fuzz target make the cases, from a generator and from bytes.
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]
#![allow(unreachable_pub, reason = "each test binary has a copy")]
#![allow(dead_code, reason = "each test program uses its own part of this")]

mod callsites;
pub mod expected;

use std::{
    error::Error,
    fmt, io,
    sync::{Arc, Mutex},
};

use ml_logging::{ContextFilter, Formatter, JsonFormatter};
use tracing::{Event, Level, Span, Value, field};

/// A name for a field that is likely to meet another one, or to go wrong.
pub const NAMES: [&str; 24] = [
    "message",
    "name",
    "asctime",
    "levelname",
    "process",
    "pod",
    "fields.message",
    "fields.name",
    "fields.fields.name",
    "fields.pod",
    "fields.",
    "fields.fields.",
    "log.target",
    "http.status",
    "r#type",
    "type",
    "prediction_id",
    "a \"quoted\"\nkey",
    "back\\slash",
    "\u{2028}",
    "\0\u{7f}\u{85}",
    "é🦀",
    "",
    "a",
];

/// The fields of the context that a format may name, besides those of a filter.
pub const BUILT_IN: [&str; 14] = [
    "asctime",
    "created",
    "msecs",
    "name",
    "levelname",
    "levelno",
    "message",
    "pathname",
    "filename",
    "lineno",
    "module",
    "process",
    "thread",
    "threadName",
];

/// An event in its spans, and the format of its record.
#[derive(Debug, Clone)]
pub struct Case {
    /// The fields that the format names, in order, each once.
    pub format: Vec<String>,
    /// What a filter provides.
    pub provided: Vec<(String, String)>,
    pub level: Level,
    pub target: String,
    pub event: Fields,
    /// The outermost first.
    pub spans: Vec<SpanCase>,
}

/// A span, and what is recorded in it later.
#[derive(Debug, Clone)]
pub struct SpanCase {
    pub made: Fields,
    /// Index of a field and its new value, in turn.
    pub recorded: Vec<(usize, Held)>,
}

/// The declared fields, in order, and their values.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    pub fields: Vec<(String, Held)>,
    /// Hands the values on from the last to the first; only if there are no more than 32 of them.
    pub backwards: bool,
}

/// A value, of every kind that `tracing` knows.
#[derive(Debug, Clone)]
pub enum Held {
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Bool(bool),
    Str(String),
    /// Written in pieces by `Debug`.
    Debug(Vec<String>),
    /// Written in pieces by `Display`, and then fails if so it is told.
    Display(Vec<String>, bool),
    /// An error and its sources.
    Error(Vec<String>),
    Bytes(Vec<u8>),
    /// `None`, or a field that is declared to be filled later.
    Nothing,
}

struct Pieces<'a>(&'a [String], bool);

impl Pieces<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece.chars().next() {
            // One character takes another way.
            Some(char) if piece.len() == char.len_utf8() => fmt::Write::write_char(f, char),
            _ => f.write_str(piece),
        })?;
        if self.1 { Err(fmt::Error) } else { Ok(()) }
    }
}

impl fmt::Debug for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl fmt::Display for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

/// An error with its sources.
struct Chain {
    text: String,
    source: Option<Box<Chain>>,
}

impl Chain {
    fn new(texts: &[String]) -> Self {
        let (text, sources) = texts.split_first().unwrap();
        let source = (!sources.is_empty()).then(|| Box::new(Self::new(sources)));
        Self { text: text.clone(), source }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("an error is written by its `Display`")
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl Held {
    fn value(&self) -> Box<dyn Value + '_> {
        match self {
            Self::I64(value) => Box::new(*value),
            Self::U64(value) => Box::new(*value),
            Self::I128(value) => Box::new(*value),
            Self::U128(value) => Box::new(*value),
            Self::F64(value) => Box::new(*value),
            Self::Bool(value) => Box::new(*value),
            Self::Str(text) => Box::new(text.as_str()),
            Self::Debug(pieces) => Box::new(field::debug(Pieces(pieces, false))),
            Self::Display(pieces, fails) => Box::new(field::display(Pieces(pieces, *fails))),
            Self::Error(texts) => {
                let error: Box<dyn Error + 'static> = Box::new(Chain::new(texts));
                Box::new(error)
            }
            Self::Bytes(bytes) => Box::new(bytes.as_slice()),
            Self::Nothing => Box::new(field::Empty),
        }
    }
}

impl Fields {
    fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn hand_to(&self, fields: &field::FieldSet, take: impl FnOnce(&field::ValueSet<'_>)) {
        let values: Vec<_> = self.fields.iter().map(|(_, held)| held.value()).collect();
        let declared: Vec<_> = fields.iter().collect();
        match declared.first() {
            Some(first) if self.backwards && values.len() <= 32 => {
                let mut set = [(first, None); 32];
                let backwards = declared.iter().zip(&values).rev();
                for (slot, (field, value)) in set.iter_mut().zip(backwards) {
                    *slot = (field, Some(value as &dyn Value));
                }
                take(&fields.value_set(&set));
            }
            _ => {
                let values: Vec<_> = values.iter().map(|value| Some(value as &dyn Value)).collect();
                take(&fields.value_set_all(&values));
            }
        }
    }
}

struct Provided(Vec<(String, String)>);

impl ContextFilter for Provided {
    fn fields(&self) -> Vec<(String, String)> {
        self.0.clone()
    }
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Case {
    /// Logs the event, twice, and returns what was written; the second time nothing is new.
    pub fn log(&self) -> String {
        let format: String = self.format.iter().map(|name| format!("%({name})s")).collect();
        self.log_with(JsonFormatter::new(&format).unwrap())
    }

    /// In this form, which names the fields of the format.
    pub fn log_with(&self, formatter: impl Into<Formatter>) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let (subscriber, logging) = ml_logging::builder()
            .environment(|_| None)
            .level("trace")
            .formatter(formatter)
            .filter(Provided(self.provided.clone()))
            .writer(move || writer.clone())
            .build()
            .unwrap();
        tracing::subscriber::with_default(subscriber, || self.log_inside(&self.spans));
        assert_eq!(logging.lost_records(), 0);
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    fn log_inside(&self, spans: &[SpanCase]) {
        let Some((outer, inner)) = spans.split_first() else {
            let metadata = callsites::event(&self.event.names(), &self.target, self.level);
            for _ in 0..2 {
                self.event.hand_to(metadata.fields(), |values| Event::dispatch(metadata, values));
            }
            return;
        };
        let metadata = callsites::span(&outer.made.names());
        let mut span = Span::none();
        outer.made.hand_to(metadata.fields(), |values| span = Span::new(metadata, values));
        let _entered = span.enter();
        for (index, held) in &outer.recorded {
            if let Some(field) = metadata.fields().iter().nth(*index) {
                span.record(&field, &*held.value());
            }
        }
        self.log_inside(inner);
    }
}
