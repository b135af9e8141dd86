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
