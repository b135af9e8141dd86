//! Filling the gaps of a plan with an event's values.

use tracing::{Event, field::Field};

use crate::{
    local::Now,
    plan::{Gap, Plan, Step, UNWRITTEN},
    values::{Nanoseconds, Place, ValueWriter},
};

/// Writes the context and the event's own fields, all but the closing brace.
pub(crate) fn write(out: &mut Vec<u8>, plan: &Plan, now: &mut Now, event: &Event<'_>) {
    let start = out.len();
    if plan.in_order() {
        let mut writer = ValueWriter(Cursor::new(out, plan, now));
        event.record(&mut writer);
        if !writer.0.out_of_order {
            return writer.0.finish();
        }
        // Only a set of values that somebody has put together by hand comes in another order than
        // it is declared in. Then, as if the plan were out of order:
        out.truncate(start);
    }
    if let Some(field) = plan.milliseconds() {
        return write_converted(out, plan, now, event, field);
    }
    let mut writer = ValueWriter(One { cursor: Cursor::new(out, plan, now), wanted: 0 });
    for step in plan.value_steps() {
        writer.0.wanted = step;
        event.record(&mut writer);
    }
    writer.0.cursor.finish();
}

/// The same with the milliseconds of this field as nanoseconds.
fn write_converted(
    out: &mut Vec<u8>,
    plan: &Plan,
    now: &mut Now,
    event: &Event<'_>,
    milliseconds: usize,
) {
    let start = out.len();
    let cursor = Cursor::new(out, plan, now);
    let mut writer = Nanoseconds { values: ValueWriter(cursor), milliseconds };
    event.record(&mut writer);
    if !writer.values.0.out_of_order {
        return writer.values.0.finish();
    }
    out.truncate(start);
    let one = One { cursor: Cursor::new(out, plan, now), wanted: 0 };
    let mut writer = Nanoseconds { values: ValueWriter(one), milliseconds };
    for step in plan.value_steps() {
        writer.values.0.wanted = step;
        event.record(&mut writer);
    }
    writer.values.0.cursor.finish();
}

/// A place in the record: everything up to it is written.
struct Cursor<'a> {
    out: &'a mut Vec<u8>,
    plan: &'a Plan,
    steps: &'a [Step],
    positions: &'a [usize],
    now: &'a mut Now,
    /// The step to be filled next.
    next: usize,
    /// A value came for a place that is already behind.
    out_of_order: bool,
}

impl<'a> Cursor<'a> {
    fn new(out: &'a mut Vec<u8>, plan: &'a Plan, now: &'a mut Now) -> Self {
        Self {
            out,
            plan,
            steps: plan.steps(),
            positions: plan.positions(),
            now,
            next: 0,
            out_of_order: false,
        }
    }

    /// Writes the text before the next gap, and a quotation mark if a string is to fill it.
    #[inline(always)]
    fn open(&mut self, quoted: bool) -> Gap {
        let gap = self.steps[self.next].write_text(self.out, self.plan, quoted);
        self.next += 1;
        gap
    }

    /// Fills all gaps before this step: those of the context, and values that are not there.
    // Apart, so that the usual value, which fills the very next gap, does not pay for it.
    #[inline(never)]
    fn advance(&mut self, step: usize) {
        while self.next < step {
            let gap = self.open(false);
            self.now.fill(gap, self.plan.times(), self.out);
        }
    }

    fn finish(mut self) {
        if self.next < self.steps.len() {
            self.advance(self.steps.len());
        }
        self.plan.tail().write(self.out, self.plan, false);
    }
}

impl Place for Cursor<'_> {
    #[inline(always)]
    fn place(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>> {
        // Records of the `log` crate have more fields than the metadata made for them declares.
        let step = *self.positions.get(field.index())?;
        if step != self.next {
            if step == UNWRITTEN {
                return None;
            }
            if step < self.next {
                self.out_of_order = true;
                return None;
            }
            self.advance(step);
        }
        self.open(quoted);
        Some(self.out)
    }
}

/// Lets one value through.
struct One<'a> {
    cursor: Cursor<'a>,
    wanted: usize,
}

impl Place for One<'_> {
    fn place(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>> {
        let wanted = self.cursor.positions.get(field.index()) == Some(&self.wanted);
        if wanted { self.cursor.place(field, quoted) } else { None }
    }
}
