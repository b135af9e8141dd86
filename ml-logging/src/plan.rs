//! The plan of a record: all that can be known about it from its callsite.
//!
//! A plan is the text of the record with gaps. The text holds the keys and every value that is the
//! same each time (level, source line, host name, …); the gaps are the time, the thread and the
//! event's values. Which keys collide, which fields are repeated and where the message goes is
//! decided here, once, so that writing a record is copying text and filling gaps.

use std::{
    ops::Range,
    process,
    sync::{Arc, LazyLock},
};

use tracing::{Metadata, field::Field};

use crate::{
    json,
    layout::{JsonLayout, Source},
    level,
    time::TimeFormat,
};

/// What fills a gap.
#[derive(Clone, Copy)]
pub(crate) enum Gap {
    Asctime,
    /// By its index in the plan.
    Time(u16),
    Created,
    Msecs,
    Thread,
    ThreadName,
    /// A value of the event.
    Value,
}

/// A gap, and the text between the one before it and itself.
pub(crate) struct Step {
    text: Text,
    pub(crate) gap: Gap,
}

/// A piece of the record's text.
///
/// Most are a key, too short for a call of `memcpy` to be worth it. So the end of each piece is a block
/// that is copied whole, in a few instructions, and then cut to its length.
#[derive(Default)]
pub(crate) struct Text {
    /// What does not fit into the block, in the text of the plan.
    long: Range<usize>,
    /// With a quotation mark behind it, which strings take along.
    block: [u8; BLOCK],
    length: usize,
}

const BLOCK: usize = 32;

impl Text {
    /// Appends the text, and a quotation mark if it is to begin a string.
    #[inline(always)]
    pub(crate) fn write(&self, out: &mut Vec<u8>, plan: &Plan, quoted: bool) {
        if !self.long.is_empty() {
            out.extend_from_slice(&plan.text[self.long.clone()]);
        }
        let end = out.len() + self.length + usize::from(quoted);
        out.extend_from_slice(&self.block);
        out.truncate(end);
    }
}

impl Step {
    /// Writes the text before the gap, and a quotation mark if the value is to be a string.
    #[inline(always)]
    pub(crate) fn write_text(&self, out: &mut Vec<u8>, plan: &Plan, quoted: bool) -> Gap {
        self.text.write(out, plan, quoted);
        self.gap
    }
}

/// The position of a field that is not written.
pub(crate) const UNWRITTEN: usize = usize::MAX;

/// The records of one callsite.
#[derive(Default)]
pub(crate) struct Plan {
    text: Vec<u8>,
    /// How much of the text is in a step already.
    taken: usize,
    steps: Vec<Step>,
    /// What stands after the last gap.
    tail: Text,
    /// For each declared field the step that it fills, or `UNWRITTEN`.
    positions: Vec<usize>,
    /// The fields that beat a span's field of the same name: all but the message.
    names: Vec<&'static str>,
    times: Vec<Arc<TimeFormat>>,
    /// The index of a field whose milliseconds become nanoseconds, or `UNWRITTEN`.
    milliseconds: usize,
    in_order: bool,
    from_log: bool,
}

impl Plan {
    /// The plan for a callsite. `from_log` says that it is one of those that stand for the `log`
    /// crate: their records carry the real metadata in fields called `log.*`.
    pub(crate) fn new(layout: &JsonLayout, metadata: &Metadata<'_>, from_log: bool) -> Self {
        let mut plan = Self::default();
        plan.make(layout, metadata, from_log);
        plan
    }

    /// Makes this the plan for other metadata, in the memory that it has.
    pub(crate) fn make(&mut self, layout: &JsonLayout, metadata: &Metadata<'_>, from_log: bool) {
        self.text.clear();
        self.taken = 0;
        self.steps.clear();
        self.names.clear();
        self.times.clear();
        self.milliseconds = UNWRITTEN;
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
            self.context_key(if index == 0 { b"{\"" } else { b",\"" }, &field.key);
            match (&field.source, &message) {
                (Source::Message, Some(message)) => self.value(message),
                (Source::Message, None) => json::null(&mut self.text),
                (source, _) => self.context_value(source, metadata),
            }
        }
        if let (Some(message), Some(key)) = (&message, &layout.unplaced_message) {
            self.context_key(b",\"", key);
            self.value(message);
        }
        for field in metadata.fields() {
            let (name, is_milliseconds) = layout.event_name(field.name());
            let repeated = || {
                let mut later = metadata.fields().iter().skip(field.index() + 1);
                later.any(|later| layout.event_name(later.name()).0 == name)
            };
            if name == "message" || repeated() {
                continue;
            }
            self.names.push(name);
            if !layout.write_key(&mut self.text, name) {
                continue;
            }
            if is_milliseconds {
                self.milliseconds = field.index();
            }
            self.value(&field);
        }
        for field in &layout.tail {
            self.context_key(b",\"", &field.key);
            self.context_value(&field.source, metadata);
        }
        let written = self.positions.iter().filter(|position| **position != UNWRITTEN);
        self.in_order = written.is_sorted() && self.milliseconds == UNWRITTEN;
        self.tail = self.take_text();
    }

    /// How many bytes of text there is memory for. All else is bounded by the format.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    fn context_key(&mut self, before: &[u8], key: &str) {
        self.text.extend_from_slice(before);
        json::escape(&mut self.text, key);
        self.text.extend_from_slice(b"\":");
    }

    fn value(&mut self, field: &Field) {
        self.positions[field.index()] = self.steps.len();
        self.gap(Gap::Value);
    }

    fn gap(&mut self, gap: Gap) {
        let text = self.take_text();
        self.steps.push(Step { text, gap });
    }

    /// The text since the last gap.
    fn take_text(&mut self) -> Text {
        let end = self.text.len();
        let start = end - (end - self.taken).min(BLOCK - 1);
        let mut text = Text { long: self.taken..start, length: end - start, block: [b'"'; BLOCK] };
        text.block[..end - start].copy_from_slice(&self.text[start..]);
        self.taken = end;
        text
    }

    fn context_value(&mut self, source: &Source, metadata: &Metadata<'_>) {
        let gap = match source {
            Source::Asctime => Gap::Asctime,
            Source::Time(format) => {
                self.times.push(Arc::clone(format));
                Gap::Time(u16::try_from(self.times.len() - 1).unwrap_or(u16::MAX))
            }
            Source::Created => return self.gap(Gap::Created),
            Source::Msecs => return self.gap(Gap::Msecs),
            Source::Thread => return self.gap(Gap::Thread),
            Source::ThreadName => return self.gap(Gap::ThreadName),
            source => return write_constant(&mut self.text, source, metadata),
        };
        self.text.push(b'"');
        self.gap(gap);
        self.text.push(b'"');
    }

    /// The text after the last gap.
    #[inline]
    pub(crate) fn tail(&self) -> &Text {
        &self.tail
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

    /// The formats of times, by the indices in the gaps.
    #[inline]
    pub(crate) fn times(&self) -> &[Arc<TimeFormat>] {
        &self.times
    }

    /// The index of the field whose milliseconds become nanoseconds.
    pub(crate) fn milliseconds(&self) -> Option<usize> {
        (self.milliseconds != UNWRITTEN).then_some(self.milliseconds)
    }

    /// The steps that are filled by values of the event.
    pub(crate) fn value_steps(&self) -> impl Iterator<Item = usize> {
        (0..self.steps.len()).filter(|step| matches!(self.steps[*step].gap, Gap::Value))
    }

    /// Whether values that come in their declared order are written as they are, in the order of the
    /// steps. Not so if the message is declared after other fields, or one of them is converted.
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

/// Asked for once: it is a system call, and the records of the `log` crate make a plan each.
static PROCESS_ID: LazyLock<u32> = LazyLock::new(process::id);

/// Writes what is the same in all records of a callsite.
pub(crate) fn write_constant(out: &mut Vec<u8>, source: &Source, metadata: &Metadata<'_>) {
    let (level_name, level_number) = level::python(*metadata.level());
    match source {
        Source::Process => json::integer(out, *PROCESS_ID),
        Source::Name => json::string(out, metadata.target()),
        Source::LevelName => json::string(out, level_name),
        Source::LowerLevelName => json::string(out, &level_name.to_ascii_lowercase()),
        Source::LevelNo => json::integer(out, level_number),
        Source::Pathname => optional_string(out, metadata.file()),
        Source::Filename => {
            optional_string(out, metadata.file().and_then(|path| path.rsplit(['/', '\\']).next()));
        }
        Source::Module => optional_string(out, metadata.module_path()),
        Source::Lineno => match metadata.line() {
            Some(line) => json::integer(out, line),
            None => json::null(out),
        },
        Source::Fixed(json) => out.extend_from_slice(json),
        Source::Message => unreachable!("the message is the event's, placed by the caller"),
        Source::Asctime
        | Source::Time(_)
        | Source::Created
        | Source::Msecs
        | Source::Thread
        | Source::ThreadName => unreachable!("it is another one in each record"),
    }
}

fn optional_string(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => json::string(out, text),
        None => json::null(out),
    }
}
