//! The headers that the service reads of every request.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Header with the prediction id, of requests and of answers.
pub(super) const PREDICTION_ID: HeaderName = HeaderName::from_static("x-prediction-id");

/// Header with the trace that a request belongs to.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// The headers that the service reads of every request, found in one pass.
pub(super) struct KnownHeaders<'h> {
    /// All headers.
    pub(super) all: &'h HeaderMap,
    pub(super) host: Values<'h>,
    pub(super) content_length: Values<'h>,
    pub(super) content_type: Values<'h>,
    pub(super) content_encoding: Values<'h>,
    pub(super) prediction_id: Values<'h>,
    pub(super) trace_parent: Values<'h>,
}

/// The values of one header.
#[derive(Clone, Copy)]
pub(super) enum Values<'h> {
    None,
    One(&'h HeaderValue),
    Several,
}

impl<'h> KnownHeaders<'h> {
    pub(super) fn of(all: &'h HeaderMap) -> Self {
        let none = Values::None;
        let mut known = Self {
            all,
            host: none,
            content_length: none,
            content_type: none,
            content_encoding: none,
            prediction_id: none,
            trace_parent: none,
        };
        for (name, value) in all {
            let values = match *name {
                header::HOST => &mut known.host,
                header::CONTENT_LENGTH => &mut known.content_length,
                header::CONTENT_TYPE => &mut known.content_type,
                header::CONTENT_ENCODING => &mut known.content_encoding,
                ref name if *name == PREDICTION_ID => &mut known.prediction_id,
                ref name if *name == TRACE_PARENT => &mut known.trace_parent,
                _ => continue,
            };
            *values = match values {
                Values::None => Values::One(value),
                Values::One(_) | Values::Several => Values::Several,
            };
        }
        known
    }
}
