//! Values of `tracing` as JSON.

use std::{error::Error, fmt};

use tracing::field::{Field, Visit};

use super::template::Conversions;
use crate::format::escape;

/// Selects the buffer for the value of a field.
pub(super) trait ValueTarget {
    /// Writes a float. The default is JSON.
    fn float(out: &mut Vec<u8>, value: f64) {
        escape::float(out, value);
    }

    /// Returns the buffer for a value, ready for appending; `None` if the value is not written. If the value
    /// is `quoted`, the buffer ends with the opening quotation mark.
    fn target(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>>;
}

/// Writes each visited value as JSON.
pub(super) struct ValueWriter<P>(pub(super) P);

impl<P: ValueTarget> Visit for ValueWriter<P> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if let Some(out) = self.0.target(field, false) {
            P::float(out, value);
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

/// Converts some values, and writes all others unchanged.
pub(super) struct Converter<P> {
    pub(super) values: ValueWriter<P>,
    pub(super) conversions: Conversions,
}

impl<P: ValueTarget> Converter<P> {
    /// Writes a number as text if it is the message, or as nanoseconds. Returns whether it has.
    fn convert(
        &mut self,
        field: &Field,
        write: impl FnOnce(&mut Vec<u8>),
        milliseconds: f64,
    ) -> bool {
        if Some(field.index()) == self.conversions.message {
            if let Some(out) = self.values.0.target(field, true) {
                write(out);
                out.push(b'"');
            }
            return true;
        }
        if Some(field.index()) != self.conversions.milliseconds {
            return false;
        }
        if let Some(out) = self.values.0.target(field, false) {
            if (0.0..1e12).contains(&milliseconds) {
                escape::integer(out, (milliseconds * 1e6).round() as u64);
            } else {
                // The schema requires an integer, and has none for an invalid duration.
                escape::null(out);
            }
        }
        true
    }
}

impl<P: ValueTarget> Visit for Converter<P> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if self.convert(field, |out| escape::float_or_word(out, value), value) {
            return;
        }
        if value.is_finite() || !self.conversions.has_null_floats {
            self.values.record_f64(field, value);
        } else if let Some(out) = self.values.0.target(field, false) {
            escape::null(out);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if !self.convert(field, |out| escape::integer(out, value), value as f64) {
            self.values.record_i64(field, value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if !self.convert(field, |out| escape::integer(out, value), value as f64) {
            self.values.record_u64(field, value);
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        if !self.convert(field, |out| escape::integer(out, value), value as f64) {
            self.values.record_i128(field, value);
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        if !self.convert(field, |out| escape::integer(out, value), value as f64) {
            self.values.record_u128(field, value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if Some(field.index()) == self.conversions.message {
            self.values.record_debug(field, &value);
        } else {
            self.values.record_bool(field, value);
        }
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
