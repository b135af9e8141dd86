//! W3C Trace Context: the trace that a request belongs to.

use tracing::Span;

use super::known_headers::Values;

/// The trace and the span of the client, from the header `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceContext<'h> {
    trace_id: &'h str,
    span_id: &'h str,
    /// Whether the client records its span.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        allow(dead_code, reason = "read by the export only")
    )]
    is_sampled: bool,
}

impl<'h> TraceContext<'h> {
    /// Reads the trace from its header. The standard requires to ignore a malformed header.
    pub(super) fn of(header: Values<'h>) -> Option<Self> {
        match header {
            Values::One(value) => Self::parse(value.to_str().ok()?),
            Values::None | Values::Several => None,
        }
    }

    /// Parses `00-<trace id>-<span id>-<flags>`. Later versions may have further parts.
    fn parse(text: &'h str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id) = (parts.next()?, parts.next()?);
        let (span_id, flags) = (parts.next()?, parts.next()?);
        let is_known = version != "ff" && (version != "00" || parts.next().is_none());
        let is_valid = is_known
            && is_hex(version, 2)
            && is_hex(trace_id, 32)
            && is_hex(span_id, 16)
            && is_hex(flags, 2)
            && [trace_id, span_id].iter().all(|id| id.bytes().any(|digit| digit != b'0'));
        let is_sampled = flags.as_bytes().last().is_some_and(|digit| b"13579bdf".contains(digit));
        is_valid.then_some(Self { trace_id, span_id, is_sampled })
    }

    /// Opens a span that puts `trace_id` and `span_id` on all records inside it.
    ///
    /// If spans are exported, its parent is the span of the client, and the ids are its own.
    pub(super) fn span(&self) -> Span {
        #[cfg(feature = "opentelemetry")]
        let _caller = self.caller().attach();
        // At the highest level, so that no filter of records removes it.
        tracing::error_span!("request", trace_id = self.trace_id, span_id = self.span_id)
    }

    /// Returns the span of the client in the form of OpenTelemetry.
    #[cfg(feature = "opentelemetry")]
    fn caller(&self) -> opentelemetry::Context {
        use opentelemetry::{
            Context, SpanId, TraceFlags, TraceId,
            trace::{SpanContext, TraceContextExt as _, TraceState},
        };

        let context = Context::new();
        let ids = (TraceId::from_hex(self.trace_id), SpanId::from_hex(self.span_id));
        // `parse` has checked them.
        let (Ok(trace_id), Ok(span_id)) = ids else { return context };
        let flags = TraceFlags::default().with_sampled(self.is_sampled);
        let caller = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
        context.with_remote_span_context(caller)
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::TraceContext;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn well_formed_parents_are_taken() {
        for (text, is_sampled) in [
            (format!("00-{TRACE}-{SPAN}-01"), true),
            (format!("00-{TRACE}-{SPAN}-00"), false),
            (format!("00-{TRACE}-{SPAN}-02"), false),
            (format!("00-{TRACE}-{SPAN}-1b"), true),
            (format!("01-{TRACE}-{SPAN}-01-what-comes-later"), true),
        ] {
            let parsed = TraceContext::parse(&text);
            let expected = TraceContext { trace_id: TRACE, span_id: SPAN, is_sampled };
            assert_eq!(parsed, Some(expected), "{text}");
        }
    }

    #[test]
    fn all_others_are_passed_over() {
        let zeros = "0".repeat(32);
        for text in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{}é-{SPAN}-01", &TRACE[2..]),
        ] {
            assert_eq!(TraceContext::parse(&text), None, "{text}");
        }
    }
}
