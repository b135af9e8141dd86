//! Filling the slots of a template with the values of an event.

use tracing::{Event, field::Field};

use super::{
    template::{Position, Segment, Template, UNWRITTEN},
    thread_cache::EventTime,
    visit::{Nanoseconds, ValueTarget, ValueWriter},
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
        if !writer.0.out_of_order {
            return writer.0.finish();
        }
        // Only a hand-written set of values has another order than its declaration. The record starts over
        // with the slow path.
        out.truncate(start);
    }
    if let Some(field) = template.milliseconds() {
        return write_converted(out, template, time, event, field);
    }
    let mut writer = ValueWriter(One { cursor: Cursor::new(out, template, time), wanted: 0 });
    for segment in template.value_segments() {
        writer.0.wanted = segment;
        event.record(&mut writer);
    }
    writer.0.cursor.finish();
}

/// Renders the same with the milliseconds of a field converted to nanoseconds.
fn write_converted(
    out: &mut Vec<u8>,
    template: &Template,
    time: &mut EventTime,
    event: &Event<'_>,
    milliseconds: usize,
) {
    let start = out.len();
    let cursor = Cursor::new(out, template, time);
    let mut writer = Nanoseconds { values: ValueWriter(cursor), milliseconds };
    event.record(&mut writer);
    if !writer.values.0.out_of_order {
        return writer.values.0.finish();
    }
    out.truncate(start);
    let one = One { cursor: Cursor::new(out, template, time), wanted: 0 };
    let mut writer = Nanoseconds { values: ValueWriter(one), milliseconds };
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
    /// A value belongs to an earlier segment.
    out_of_order: bool,
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
            out_of_order: false,
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
        let Position { segment, text } = self.positions.get(field.index())?;
        if *segment != self.next {
            if *segment == UNWRITTEN {
                return None;
            }
            if *segment < self.next {
                self.out_of_order = true;
                return None;
            }
            self.advance(*segment);
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
        if position.segment == self.wanted { self.cursor.target(field, quoted) } else { None }
    }
}
