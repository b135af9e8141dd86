//! logforth behind the `log` crate, as in its documentation. A static diagnostic holds the context.

use std::io::Write as _;

use logforth::append::Append;
use logforth::diagnostic::StaticDiagnostic;
use logforth::layout::JsonLayout;
use logforth::record::Record;
use logforth::{Diagnostic, Error, Layout};

use super::{HOST, POD};
use crate::sink::Sink;
use crate::{Event, Log};

/// Appender for the counting sink; logforth's own ones write to standard streams and files.
#[derive(Debug)]
struct ToSink(JsonLayout);

impl Append for ToSink {
    fn append(
        &self,
        record: &Record<'_>,
        diagnostics: &[Box<dyn Diagnostic>],
    ) -> Result<(), Error> {
        let mut line = self.0.format(record, diagnostics)?;
        line.push(b'\n');
        Sink.write_all(&line).map_err(Error::from_io_error)
    }

    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }
}

pub(super) fn set_up() -> Log {
    let mut context = StaticDiagnostic::default();
    context.insert("hostname", HOST);
    context.insert("pod_name", POD);
    context.insert("process", std::process::id().to_string());
    context.insert("thread", "1");
    let logger = logforth::core::builder()
        .dispatch(|dispatch| dispatch.diagnostic(context).append(ToSink(JsonLayout::default())))
        .build();
    let bridge = logforth::bridge::log::LogBridge::new(logger);
    log::set_boxed_logger(Box::new(bridge)).expect("no other logger is installed");
    log::set_max_level(log::LevelFilter::Info);
    |event: &Event| {
        log::info!(
            action = event.action,
            model_qualified_name = event.model_qualified_name,
            model_version = event.model_version,
            prediction_id = event.prediction_id,
            status = event.status,
            duration_ms = event.duration_ms,
            age = event.age,
            charges = event.charges;
            "Prediction created."
        );
    }
}
