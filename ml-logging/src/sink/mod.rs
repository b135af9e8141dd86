//! Sinks, which write rendered records.
//!
//! A [`RecordSink`] takes one record after the other and counts each of them. There are three kinds: a
//! [`WriterSink`] calls a writer of the program on the thread that logs, a
//! [`Queue`] hands bytes to a [`ByteSink`] (a standard stream, a file,
//! a [rolling file](rolling)), and the OTLP export has one of its own.
//!
//! | module | contents |
//! |---|---|
//! | `record_sink` | the trait of all sinks |
//! | `set` | all sinks of the installed logging, and their final flush |
//! | `writer` | the sink that calls a writer of the program |
//! | `queue` | the sink with a queue in front of a byte sink; its delivery policies |
//! | `byte_sink` | the trait of byte sinks |
//! | `stdio`, `file`, `rolling` | standard streams, files, rotated files |
//! | `torn_line` | detection of incomplete last lines in files |
//! | `counts` | the outcomes of records, for the program |
//! | `report` | messages on standard error about the log itself |
//! | `guard` | protection against writers that log |

mod byte_sink;
mod counts;
mod file;
mod guard;
mod queue;
pub(crate) mod record_sink;
mod report;
mod rolling;
mod set;
mod stdio;
mod torn_line;
mod writer;

pub(crate) use self::{
    byte_sink::{ByteSink, Stream},
    file::{is_stream, open},
    guard::is_writing,
    queue::{DEFAULT_QUEUE_BYTES, Queue, QueueSettings},
    record_sink::{Record, RecordSink, write},
    report::{report, report_not_installed, report_unused},
    rolling::RollingFile,
    set::SinkSet,
    stdio::{stderr, stdout},
    writer::WriterSink,
};
pub use self::{
    counts::{FlushError, HandlerCounts},
    queue::Policy,
    rolling::{Period, Rotation},
    writer::RecordWriter,
};
