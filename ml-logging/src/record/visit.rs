//! Values of `tracing` as JSON.

use std::{error::Error, fmt};

use tracing::field::{Field, Visit};

use crate::format::escape;

/// Selects the buffer for the value of a field.
pub(super) trait ValueTarget {
    /// Returns the buffer for a value, ready for appending; `None` if the value is not written. If the value
    /// is `quoted`, the buffer ends with the opening quotation mark.
    fn target(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>>;
}

/// Writes each visited value as JSON.
pub(super) struct ValueWriter<P>(pub(super) P);

impl<P: ValueTarget> Visit for ValueWriter<P> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if let Some(out) = self.0.target(field, false) {
            escape::float(out, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if let Some(out) = self.0.target(field, false) {
            escape::integer(out, value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if let Some(out) = self.0.target(field, false) {
            escape::integer(out, value);
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        if let Some(out) = self.0.target(field, false) {
            escape::integer(out, value);
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        if let Some(out) = self.0.target(field, false) {
            escape::integer(out, value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if let Some(out) = self.0.target(field, false) {
            escape::boolean(out, value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(out) = self.0.target(field, true) {
            escape::text(out, value);
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        if let Some(out) = self.0.target(field, true) {
            escape::hex(out, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if let Some(out) = self.0.target(field, true) {
            escape::error_chain(out, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(out) = self.0.target(field, true) {
            escape::formatted(out, format_args!("{value:?}"));
        }
    }
}

/// Writes the milliseconds of one field as nanoseconds, and all other values unchanged.
pub(super) struct Nanoseconds<P> {
    pub(super) values: ValueWriter<P>,
    /// Index of the field.
    pub(super) milliseconds: usize,
}

impl<P: ValueTarget> Nanoseconds<P> {
    /// Writes the value if it belongs to that field, and returns whether it does.
    fn convert(&mut self, field: &Field, milliseconds: f64) -> bool {
        let is_it = field.index() == self.milliseconds;
        if is_it && let Some(out) = self.values.0.target(field, false) {
            if (0.0..1e12).contains(&milliseconds) {
                escape::integer(out, (milliseconds * 1e6).round() as u64);
            } else {
                // The schema requires an integer, and has none for an invalid duration.
                escape::null(out);
            }
        }
        is_it
    }
}

impl<P: ValueTarget> Visit for Nanoseconds<P> {
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
