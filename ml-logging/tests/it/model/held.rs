//! Values of every type that `tracing` supports.

use std::{error::Error, fmt};

use tracing::{Value, field};

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
    /// Written in pieces by `Display`, which may fail at the end.
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
    pub fn value(&self) -> Box<dyn Value + '_> {
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
