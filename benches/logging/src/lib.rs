//! The same JSON log record through several libraries.
//!
//! A record has nine context fields (time, host name, pod name, process, thread, file, line, level,
//! message) and eight event fields. Each library is set up in the fastest way of its documentation and
//! writes each record at once to a [`sink`] that only counts bytes. A [`Case`] is one measured set-up.

#![allow(clippy::expect_used, reason = "a benchmark cannot continue without its set-up")]

mod contenders;
mod growth;
pub mod sink;

use std::hint::black_box;
use std::str::FromStr;

pub use contenders::{CONTENDERS, Contender, HOST, MESSAGE, POD};
pub use growth::{CONTEXT, SIZES};

/// Fields of the event.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the values have no meaning")]
pub struct Event {
    pub action: &'static str,
    pub model_qualified_name: &'static str,
    pub model_version: &'static str,
    pub prediction_id: &'static str,
    pub status: &'static str,
    pub duration_ms: f64,
    pub age: u64,
    pub charges: f64,
}

impl Event {
    /// The event of every record here.
    pub const EXAMPLE: Self = Self {
        action: "predict",
        model_qualified_name: "insurance_charges_model",
        model_version: "0.1.0",
        prediction_id: "05351f67-d5bd-4302-b762-1d9dfe251f99",
        status: "success",
        duration_ms: 0.042,
        age: 42,
        charges: 2696.69,
    };
}

/// Logs one record.
pub type Log = fn(&Event);

/// A measured set-up.
#[derive(Clone, Debug, PartialEq)]
pub enum Case {
    /// The record through a library; its index in [`CONTENDERS`].
    Contender(usize),
    /// A record with integer fields.
    Fields {
        /// Index in [`SIZES`].
        size: usize,
        /// Whether tracing-subscriber writes it.
        theirs: bool,
    },
    /// A message with the context field of this name.
    Context(String),
    /// ml-logging through its queue to a file.
    Queue,
}

/// Failure to parse a name that no case has.
#[derive(Debug)]
pub struct NoCase;

impl FromStr for Case {
    type Err = NoCase;

    fn from_str(text: &str) -> Result<Self, NoCase> {
        if let Some(name) = text.strip_prefix("context/") {
            return Ok(Self::Context(name.to_owned()));
        }
        if let Some(case) = text.strip_prefix("fields/") {
            let (theirs, size) = match case.strip_prefix("theirs/") {
                Some(size) => (true, size),
                None => (false, case),
            };
            let size: usize = size.parse().map_err(|_| NoCase)?;
            let size = SIZES.iter().position(|known| *known == size).ok_or(NoCase)?;
            return Ok(Self::Fields { size, theirs });
        }
        if text == "queue" {
            return Ok(Self::Queue);
        }
        let index = CONTENDERS.iter().position(|contender| contender.name == text);
        index.map(Self::Contender).ok_or(NoCase)
    }
}

/// A case that is ready to log.
#[allow(missing_debug_implementations, reason = "holds a guard of ml-logging and a function")]
pub struct Ready {
    log: Log,
    logging: Option<ml_logging::Logging>,
}

impl Case {
    /// Sets the library up for the whole process. A process can do this once.
    ///
    /// # Panics
    ///
    /// Panics if the library cannot be set up.
    #[must_use]
    pub fn set_up(&self) -> Ready {
        let (log, logging) = match self {
            Self::Contender(index) => ((CONTENDERS[*index].set_up)(), None),
            Self::Fields { size, theirs } => (growth::fields(*size, *theirs), None),
            Self::Context(name) => (growth::context(name), None),
            Self::Queue => {
                let (log, logging) = contenders::ml_logging_to_a_file();
                (log, Some(logging))
            }
        };
        Ready { log, logging }
    }
}

impl Ready {
    /// Logs `records` records.
    pub fn log(&self, records: u64) {
        for _ in 0..records {
            (self.log)(black_box(&Event::EXAMPLE));
        }
    }

    /// Returns whether the case has a queue.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.logging.is_some()
    }

    /// Waits until all queued records are written.
    ///
    /// # Panics
    ///
    /// Panics if a record was not written.
    pub fn flush(&self) {
        if let Some(logging) = &self.logging {
            logging.flush().expect("every record is written to the file");
            assert_eq!(logging.lost_records(), 0);
        }
    }
}
