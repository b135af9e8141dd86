//! Model of records, derived only from the documentation, for any event in any spans and any formatter.
//!
//! A [`Case`] is logged through the public interface. [`form`] contains its possible formatters. [`expected`]
//! checks the output, with one module per kind of formatter. Property tests and fuzz targets create the cases.
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]
#![allow(unreachable_pub, reason = "each test binary has a copy")]
#![allow(dead_code, reason = "each test program uses its own part of this")]

mod callsites;
pub mod ecs;
pub mod expected;
pub mod fields;
pub mod form;
pub mod held;
pub mod json;
pub mod names;
pub mod text;
pub mod times;

use std::{
    io,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use ml_logging::{ContextFilter, Error, Formatter};
use tracing::{Event, Level, Span, Value, field};

pub use self::{form::Form, held::Held};

/// An event in its spans, with the form of its record.
#[derive(Debug, Clone)]
pub struct Case {
    pub form: Form,
    /// Fields of a filter.
    pub provided: Vec<(String, String)>,
    pub level: Level,
    pub target: String,
    pub event: Fields,
    /// The outermost first.
    pub spans: Vec<SpanCase>,
}

/// A span with the values that are recorded later.
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
    /// Passes the values in reverse order, if there are at most 32.
    pub backwards: bool,
}

/// Output of a case with its times.
#[derive(Debug)]
pub struct Logged {
    pub text: String,
    /// Time before the output, in microseconds since 1970.
    pub from: u64,
    /// Time after the output.
    pub until: u64,
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
    /// Logs the event twice. The second time all caches are warm.
    ///
    /// # Errors
    ///
    /// The form is invalid.
    pub fn log(&self) -> Result<Logged, Error> {
        self.log_with(self.form.formatter()?)
    }

    /// Logs with this formatter, which must have the form of the case.
    ///
    /// # Errors
    ///
    /// The formatter is invalid.
    pub fn log_with(&self, formatter: impl Into<Formatter>) -> Result<Logged, Error> {
        let memory = Memory::default();
        let writer = memory.clone();
        let (subscriber, logging) = ml_logging::builder()
            .environment(|_| None)
            .level("trace")
            .formatter(formatter)
            .filter(Provided(self.provided.clone()))
            .writer(move || writer.clone())
            .build()?;
        let from = now();
        tracing::subscriber::with_default(subscriber, || self.log_inside(&self.spans));
        let until = now();
        assert_eq!(logging.lost_records(), 0);
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        Ok(Logged { text, from, until })
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

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_micros()).unwrap()
}
