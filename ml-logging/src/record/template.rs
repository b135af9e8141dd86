//! Templates of records: everything that is known from the callsite.
//!
//! A template consists of text and slots. The text contains the keys and all values that are the same in each
//! record, such as level, source line and host name. Slots are filled with the time, the thread and the values
//! of the event. Key collisions, repeated fields and the position of the message are resolved when the
//! template is built, so that rendering only copies text and fills slots.

use std::{
    process,
    sync::{Arc, LazyLock},
};

use tracing::{Metadata, field::Field};

use crate::format::{JsonLayout, Source, TimeFormat, escape, level};

/// Placeholder for a value.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Asctime,
    /// Time in a format, by its index in the template.
    Time(u16),
    Created,
    Msecs,
    Thread,
    ThreadName,
    /// Value of the event.
    Value,
}

/// A slot with the text before it.
pub(super) struct Segment {
    text: Chunk,
    pub(super) slot: Slot,
}

/// Text between two slots.
///
/// Most chunks are a key, for which a call of `memcpy` would take longer than the copying. The end of each chunk is
/// therefore a block of fixed size, which is copied whole in a few instructions and then cut to its length.
#[derive(Clone, Default)]
pub(super) struct Chunk {
    /// Start and length of the text before the block.
    long: (usize, usize),
    /// End of the chunk, followed by a quotation mark for strings.
    block: [u8; BLOCK],
    length: usize,
}

const BLOCK: usize = 32;

impl Chunk {
    /// Writes the text, and a quotation mark if a string follows.
    #[inline(always)]
    pub(super) fn write(&self, out: &mut Vec<u8>, template: &Template, quoted: bool) {
        let (start, length) = self.long;
        if length > 0 {
            out.extend_from_slice(&template.text[start..start + length]);
        }
        let end = out.len() + self.length + usize::from(quoted);
        out.extend_from_slice(&self.block);
        out.truncate(end);
    }
}

impl Segment {
    /// Writes the text before the slot.
    #[inline(always)]
    pub(super) fn write_text(&self, out: &mut Vec<u8>, template: &Template) -> Slot {
        self.text.write(out, template, false);
        self.slot
    }
}

/// Position of a field of the event. Its size is a power of two, so that indexing is a shift.
pub(super) struct Position {
    /// Index of the segment, or `UNWRITTEN`.
    pub(super) segment: u32,
    /// Same for a value that is not text. `AS_TEXT` for the message.
    pub(super) unquoted: u32,
    /// Text of the segment, so that the usual value needs no second look-up.
    pub(super) text: Chunk,
}

/// Segment of a field that is not written.
pub(super) const UNWRITTEN: u32 = u32::MAX;
/// Segment of a value that must be converted to text first.
pub(super) const AS_TEXT: u32 = u32::MAX - 1;

/// Values of an event that are converted.
#[derive(Clone, Copy, Default)]
pub(super) struct Conversions {
    /// Index of the message, which is always text.
    pub(super) message: Option<usize>,
    /// Index of the field whose milliseconds become nanoseconds.
    pub(super) milliseconds: Option<usize>,
    /// Floats that JSON lacks become `null`.
    pub(super) has_null_floats: bool,
}

impl Default for Position {
    fn default() -> Self {
        Self { segment: UNWRITTEN, unquoted: UNWRITTEN, text: Chunk::default() }
    }
}

/// Template for the records of a callsite.
#[derive(Default)]
pub(super) struct Template {
    text: Vec<u8>,
    /// Length of the text that belongs to a segment already.
    taken: usize,
    segments: Vec<Segment>,
    /// Text after the last slot.
    tail: Chunk,
    /// Position of each declared field.
    positions: Vec<Position>,
    /// Fields that replace a span's field of the same name: all except the message.
    names: Vec<&'static str>,
    times: Vec<Arc<TimeFormat>>,
    conversions: Conversions,
    in_order: bool,
    from_log: bool,
}

impl Template {
    /// Builds the template for a callsite. `from_log` marks the callsites that represent the `log` crate.
    /// Their records have the real metadata in fields named `log.*`.
    pub(super) fn new(layout: &JsonLayout, metadata: &Metadata<'_>, from_log: bool) -> Self {
        let mut template = Self::default();
        template.rebuild(layout, metadata, from_log);
        template
    }

    /// Builds the template for other metadata in the same memory.
    pub(super) fn rebuild(&mut self, layout: &JsonLayout, metadata: &Metadata<'_>, from_log: bool) {
        self.text.clear();
        self.taken = 0;
        self.segments.clear();
        self.names.clear();
        self.times.clear();
        let has_null_floats = layout.has_null_floats();
        self.conversions = Conversions { has_null_floats, ..Conversions::default() };
        self.positions.clear();
        self.positions.resize_with(metadata.fields().len(), Position::default);
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
                (Source::Message, Some(message)) => self.message(message),
                (Source::Message, None) => escape::null(&mut self.text),
                (source, _) => self.context_value(source, metadata),
            }
        }
        if let (Some(message), Some(key)) = (&message, &layout.unplaced_message) {
            self.context_key(b",\"", key);
            self.message(message);
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
            // The fields of a callsite of the `log` crate are metadata, which its records do not contain.
            if !from_log {
                self.names.push(name);
            }
            if !layout.write_key(&mut self.text, name) {
                continue;
            }
            if is_milliseconds {
                self.conversions.milliseconds = Some(field.index());
            }
            self.value(&field);
        }
        for field in &layout.tail {
            self.context_key(b",\"", &field.key);
            self.context_value(&field.source, metadata);
        }
        let segments = self.positions.iter().map(|position| position.segment);
        let written = segments.filter(|segment| *segment != UNWRITTEN);
        self.in_order = written.is_sorted() && !self.converts();
        self.tail = self.take_text();
    }

    /// Returns the capacity of the text. The size of everything else is limited by the format.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    fn context_key(&mut self, before: &[u8], key: &str) {
        self.text.extend_from_slice(before);
        escape::escape(&mut self.text, key);
        self.text.extend_from_slice(b"\":");
    }

    fn value(&mut self, field: &Field) {
        let segment = self.segments.len();
        self.slot(Slot::Value);
        let text = self.segments[segment].text.clone();
        let segment = u32::try_from(segment).unwrap_or(UNWRITTEN);
        self.positions[field.index()] = Position { segment, unquoted: segment, text };
    }

    fn message(&mut self, field: &Field) {
        self.value(field);
        self.positions[field.index()].unquoted = AS_TEXT;
        self.conversions.message = Some(field.index());
    }

    fn slot(&mut self, slot: Slot) {
        let text = self.take_text();
        self.segments.push(Segment { text, slot });
    }

    /// Returns the text since the last slot as a chunk.
    fn take_text(&mut self) -> Chunk {
        let end = self.text.len();
        let start = end - (end - self.taken).min(BLOCK - 1);
        let long = (self.taken, start - self.taken);
        let mut text = Chunk { long, length: end - start, block: [b'"'; BLOCK] };
        text.block[..end - start].copy_from_slice(&self.text[start..]);
        self.taken = end;
        text
    }

    fn context_value(&mut self, source: &Source, metadata: &Metadata<'_>) {
        let slot = match source {
            Source::Asctime => Slot::Asctime,
            Source::Time(format) => {
                self.times.push(Arc::clone(format));
                Slot::Time(u16::try_from(self.times.len() - 1).unwrap_or(u16::MAX))
            }
            Source::Created => return self.slot(Slot::Created),
            Source::Msecs => return self.slot(Slot::Msecs),
            Source::Thread => return self.slot(Slot::Thread),
            Source::ThreadName => return self.slot(Slot::ThreadName),
            source => return write_constant(&mut self.text, source, metadata),
        };
        self.text.push(b'"');
        self.slot(slot);
        self.text.push(b'"');
    }

    /// Returns the text after the last slot.
    #[inline]
    pub(super) fn tail(&self) -> &Chunk {
        &self.tail
    }

    /// Returns the segments in order.
    #[inline]
    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Returns the position of each declared field.
    #[inline]
    pub(super) fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Returns the formats of times, by the indices in the slots.
    #[inline]
    pub(super) fn times(&self) -> &[Arc<TimeFormat>] {
        &self.times
    }

    pub(super) fn conversions(&self) -> Conversions {
        self.conversions
    }

    /// Returns whether values other than the message are converted.
    pub(super) fn converts(&self) -> bool {
        self.conversions.milliseconds.is_some() || self.conversions.has_null_floats
    }

    /// Returns the segments that are filled with values of the event.
    pub(super) fn value_segments(&self) -> impl Iterator<Item = usize> {
        (0..self.segments.len())
            .filter(|segment| matches!(self.segments[*segment].slot, Slot::Value))
    }

    /// Returns whether values in their declared order fill the segments in order, without conversion. This is not the
    /// case if the message is declared after other fields, or if a value is converted.
    pub(super) fn in_order(&self) -> bool {
        self.in_order
    }

    pub(super) fn is_log(&self) -> bool {
        self.from_log
    }

    /// Returns whether the event has a field of this name.
    #[inline]
    pub(super) fn has_field(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}

/// Id of the process, cached because each record of the `log` crate builds a template.
static PROCESS_ID: LazyLock<u32> = LazyLock::new(process::id);

/// Writes a value that is the same in all records of a callsite.
pub(super) fn write_constant(out: &mut Vec<u8>, source: &Source, metadata: &Metadata<'_>) {
    match source {
        Source::Process => escape::integer(out, *PROCESS_ID),
        Source::Name => escape::string(out, metadata.target()),
        Source::LevelName => escape::string(out, level::python_name(*metadata.level())),
        Source::LowerLevelName => {
            escape::string(out, level::lower_case_name(*metadata.level()));
        }
        Source::LevelNo => escape::integer(out, level::python_number(*metadata.level())),
        Source::Pathname => optional_string(out, metadata.file()),
        Source::Filename => {
            optional_string(out, metadata.file().and_then(|path| path.rsplit(['/', '\\']).next()));
        }
        Source::Module => optional_string(out, metadata.module_path()),
        Source::Lineno => match metadata.line() {
            Some(line) => escape::integer(out, line),
            None => escape::null(out),
        },
        Source::Fixed(json) => out.extend_from_slice(json),
        Source::Message => unreachable!("the caller handles the message"),
        Source::Asctime
        | Source::Time(_)
        | Source::Created
        | Source::Msecs
        | Source::Thread
        | Source::ThreadName => unreachable!("these differ in each record"),
    }
}

fn optional_string(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => escape::string(out, text),
        None => escape::null(out),
    }
}
