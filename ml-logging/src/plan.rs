//! The plan of a record: all that can be known about it from its callsite.
//!
//! A plan is the text of the record with gaps. The text holds the keys and every value that is the
//! same each time (level, source line, host name, …); the gaps are the time, the thread and the
//! event's values. Which keys collide, which fields are repeated and where the message goes is
//! decided here, once, so that writing a record is copying text and filling gaps.

use tracing::{Metadata, field::Field};

use crate::{
    fork, json,
    layout::{Layout, Source},
    level,
};

/// What fills a gap.
#[derive(Clone, Copy)]
pub(crate) enum Gap {
    Asctime,
    Created,
    Thread,
    ThreadName,
    /// A value of the event.
    Value,
}

/// A gap, and the text between the one before it and itself.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) text_length: usize,
    pub(crate) gap: Gap,
}

/// The position of a field that is not written.
pub(crate) const UNWRITTEN: usize = usize::MAX;

/// The records of one callsite.
#[derive(Default)]
pub(crate) struct Plan {
    text: Vec<u8>,
    steps: Vec<Step>,
    /// For each declared field the step that it fills, or `UNWRITTEN`.
    positions: Vec<usize>,
    /// The fields that beat a span's field of the same name: all but the message.
    names: Vec<&'static str>,
    in_order: bool,
    from_log: bool,
}

impl Plan {
    /// The plan for a callsite. `from_log` says that it is one of those that stand for the `log`
    /// crate: their records carry the real metadata in fields called `log.*`.
    pub(crate) fn new(layout: &Layout, metadata: &Metadata<'_>, from_log: bool) -> Self {
        let mut plan = Self::default();
        plan.make(layout, metadata, from_log);
        plan
    }

    /// Makes this the plan for other metadata, in the memory that it has.
    pub(crate) fn make(&mut self, layout: &Layout, metadata: &Metadata<'_>, from_log: bool) {
        self.text.clear();
        self.steps.clear();
        self.names.clear();
        self.positions.clear();
        self.positions.resize(metadata.fields().len(), UNWRITTEN);
        self.from_log = from_log;

        let mut message = None;
        for field in metadata.fields() {
            if field.name() == "message" {
                message = Some(field);
            }
        }
        for (index, field) in layout.context.iter().enumerate() {
            self.text.extend_from_slice(if index == 0 { b"{\"" } else { b",\"" });
            json::escape(&mut self.text, &field.name);
            self.text.extend_from_slice(b"\":");
            match (&field.source, &message) {
                (Source::Message, Some(message)) => self.value(message),
                (Source::Message, None) => json::null(&mut self.text),
                (source, _) => self.context_value(source, metadata),
            }
        }
        if let (Some(message), false) = (&message, layout.places_message()) {
            self.text.extend_from_slice(b",\"message\":");
            self.value(message);
        }
        for field in metadata.fields() {
            let name = field.name();
            let repeated = || {
                metadata.fields().iter().skip(field.index() + 1).any(|later| later.name() == name)
            };
            if name == "message" || repeated() {
                continue;
            }
            self.names.push(name);
            self.text.push(b',');
            layout.write_key(&mut self.text, name);
            self.value(&field);
        }
        let written = self.positions.iter().filter(|position| **position != UNWRITTEN);
        self.in_order = written.is_sorted();
    }

    fn value(&mut self, field: &Field) {
        self.positions[field.index()] = self.steps.len();
        self.gap(Gap::Value);
    }

    fn gap(&mut self, gap: Gap) {
        let before: usize = self.steps.iter().map(|step| step.text_length).sum();
        self.steps.push(Step { text_length: self.text.len() - before, gap });
    }

    fn context_value(&mut self, source: &Source, metadata: &Metadata<'_>) {
        let (level_name, level_number) = level::python(*metadata.level());
        let out = &mut self.text;
        match source {
            Source::Asctime => {
                out.push(b'"');
                self.gap(Gap::Asctime);
                self.text.push(b'"');
            }
            Source::Created => self.gap(Gap::Created),
            // Plans are made anew in a forked process.
            Source::Process => json::integer(out, fork::process_id()),
            Source::Thread => self.gap(Gap::Thread),
            Source::ThreadName => self.gap(Gap::ThreadName),
            Source::Name => json::string(out, metadata.target()),
            Source::LevelName => json::string(out, level_name),
            Source::LevelNo => json::integer(out, level_number),
            Source::Pathname => optional_string(out, metadata.file()),
            Source::Filename => {
                optional_string(
                    out,
                    metadata.file().and_then(|path| path.rsplit(['/', '\\']).next()),
                );
            }
            Source::Module => optional_string(out, metadata.module_path()),
            Source::Lineno => match metadata.line() {
                Some(line) => json::integer(out, line),
                None => json::null(out),
            },
            Source::Fixed(json) => out.extend_from_slice(json),
            Source::Message => unreachable!("the message is the event's, placed by the caller"),
        }
    }

    /// The text, with all gaps closed.
    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The gaps in order.
    #[inline]
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// For each declared field the step that it fills, or `UNWRITTEN`.
    #[inline]
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// The steps that are filled by values of the event.
    pub(crate) fn value_steps(&self) -> impl Iterator<Item = usize> {
        (0..self.steps.len()).filter(|step| matches!(self.steps[*step].gap, Gap::Value))
    }

    /// Whether values that come in their declared order also come in the order of the steps. Not
    /// so if the message is declared after other fields.
    pub(crate) fn in_order(&self) -> bool {
        self.in_order
    }

    pub(crate) fn is_log(&self) -> bool {
        self.from_log
    }

    /// Whether the event has a field of this name.
    #[inline]
    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}

fn optional_string(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => json::string(out, text),
        None => json::null(out),
    }
}
