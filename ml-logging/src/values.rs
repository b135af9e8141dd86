//! From `tracing`'s values to JSON.

use std::{error::Error, fmt};

use tracing::field::{Field, Visit};

use crate::json;

/// Decides where a field's value goes.
pub(crate) trait Place {
    /// The buffer to append the value to, ready for it; `None` if the value is not wanted. If it is to
    /// be `quoted`, that ends in a quotation mark.
    fn place(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>>;
}

/// Writes each value it visits as JSON where `P` says.
pub(crate) struct ValueWriter<P>(pub(crate) P);

impl<P: Place> Visit for ValueWriter<P> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if let Some(out) = self.0.place(field, false) {
            json::float(out, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if let Some(out) = self.0.place(field, false) {
            json::integer(out, value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if let Some(out) = self.0.place(field, false) {
            json::integer(out, value);
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        if let Some(out) = self.0.place(field, false) {
            json::integer(out, value);
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        if let Some(out) = self.0.place(field, false) {
            json::integer(out, value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if let Some(out) = self.0.place(field, false) {
            json::boolean(out, value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(out) = self.0.place(field, true) {
            json::text(out, value);
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        if let Some(out) = self.0.place(field, true) {
            json::hex(out, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if let Some(out) = self.0.place(field, true) {
            json::error_chain(out, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(out) = self.0.place(field, true) {
            json::formatted(out, format_args!("{value:?}"));
        }
    }
}

/// Writes the milliseconds of one field as nanoseconds, and all others as they are.
pub(crate) struct Nanoseconds<P> {
    pub(crate) values: ValueWriter<P>,
    /// The index of the field.
    pub(crate) milliseconds: usize,
}

impl<P: Place> Nanoseconds<P> {
    /// Whether that was the field; then it is written.
    fn convert(&mut self, field: &Field, milliseconds: f64) -> bool {
        let is_it = field.index() == self.milliseconds;
        if is_it && let Some(out) = self.values.0.place(field, false) {
            if (0.0..1e12).contains(&milliseconds) {
                json::integer(out, (milliseconds * 1e6).round() as u64);
            } else {
                // The schema has whole numbers there, and none for what is no time.
                json::null(out);
            }
        }
        is_it
    }
}

impl<P: Place> Visit for Nanoseconds<P> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if !self.convert(field, value) {
            self.values.record_f64(field, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if !self.convert(field, value as f64) {
            self.values.record_i64(field, value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if !self.convert(field, value as f64) {
            self.values.record_u64(field, value);
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        if !self.convert(field, value as f64) {
            self.values.record_i128(field, value);
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        if !self.convert(field, value as f64) {
            self.values.record_u128(field, value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.values.record_bool(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.values.record_str(field, value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.values.record_bytes(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.values.record_error(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.values.record_debug(field, value);
    }
}
