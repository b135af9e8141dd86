//! Filling the slots of a template with the values of an event.

use tracing::{Event, field::Field};

use super::{
    template::{AS_TEXT, Position, Segment, Template, UNWRITTEN},
    thread_cache::EventTime,
    visit::{Converter, ValueTarget, ValueWriter},
};

/// Renders the context and the fields of the event, without the closing brace.
pub(super) fn render(
    out: &mut Vec<u8>,
    template: &Template,
    time: &mut EventTime,
    event: &Event<'_>,
) {
    let start = out.len();
    if template.in_order() {
        let mut writer = ValueWriter(Cursor::new(out, template, time));
        event.record(&mut writer);
        if !writer.0.is_unfit {
            return writer.0.finish();
        }
        // Only a message that is not text, or a hand-written set of values in another order than its
        // declaration. The record starts over.
        out.truncate(start);
    }
    let conversions = template.conversions();
    if template.in_order() || template.converts() {
        let cursor = Cursor::new(out, template, time);
        let mut writer = Converter { values: ValueWriter(cursor), conversions };
        event.record(&mut writer);
        if !writer.values.0.is_unfit {
            return writer.values.0.finish();
        }
        out.truncate(start);
    }
    let one = One { cursor: Cursor::new(out, template, time), wanted: 0 };
    let mut writer = Converter { values: ValueWriter(one), conversions };
    for segment in template.value_segments() {
        writer.values.0.wanted = segment;
        event.record(&mut writer);
    }
    writer.values.0.cursor.finish();
}

/// Position in the record: everything before it is written.
struct Cursor<'a> {
    out: &'a mut Vec<u8>,
    template: &'a Template,
    segments: &'a [Segment],
    positions: &'a [Position],
    time: &'a mut EventTime,
    /// The next segment.
    next: usize,
    /// A value belongs to an earlier segment, or must be converted.
    is_unfit: bool,
}

impl<'a> Cursor<'a> {
    fn new(out: &'a mut Vec<u8>, template: &'a Template, time: &'a mut EventTime) -> Self {
        Self {
            out,
            template,
            segments: template.segments(),
            positions: template.positions(),
            time,
            next: 0,
            is_unfit: false,
        }
    }

    /// Fills all slots before this segment: those of the context, and missing values.
    // Not inlined, because the usual value fills the next slot.
    #[inline(never)]
    fn advance(&mut self, segment: usize) {
        for segment in &self.segments[self.next..segment] {
            let slot = segment.write_text(self.out, self.template);
            self.time.fill(slot, self.template.times(), self.out);
        }
        self.next = segment;
    }

    fn finish(mut self) {
        if self.next < self.segments.len() {
            self.advance(self.segments.len());
        }
        self.template.tail().write(self.out, self.template, false);
    }
}

impl ValueTarget for Cursor<'_> {
    #[inline(always)]
    fn target(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>> {
        // Records of the `log` crate have more fields than their normalized metadata declares.
        let Position { segment, unquoted, text } = self.positions.get(field.index())?;
        let position = if quoted { *segment } else { *unquoted };
        let segment = position as usize;
        if segment != self.next {
            if position == UNWRITTEN {
                return None;
            }
            if position == AS_TEXT || segment < self.next {
                self.is_unfit = true;
                return None;
            }
            self.advance(segment);
        }
        text.write(self.out, self.template, quoted);
        self.next = segment + 1;
        Some(self.out)
    }
}

/// Writes only one of the values.
struct One<'a> {
    cursor: Cursor<'a>,
    wanted: usize,
}

impl ValueTarget for One<'_> {
    fn target(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>> {
        let position = self.cursor.positions.get(field.index())?;
        if position.segment as usize == self.wanted {
            self.cursor.target(field, quoted)
        } else {
            None
        }
    }
}
