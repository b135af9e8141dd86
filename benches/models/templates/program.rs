//! The parts that do not concern observation: a subscriber that prints records as lines, and the call of
//! each model.

use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Error of every model.
#[derive(Debug)]
pub struct ModelError(pub &'static str);

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ModelError {}

/// A call of one model: its caller's prediction id, and whether the model fails (0) or panics (1).
pub struct Call {
    pub prediction_id: Option<&'static str>,
    pub outcome: u8,
}

const CALLS: [Call; 5] = [
    Call { prediction_id: None, outcome: 2 },
    Call { prediction_id: Some("order-7"), outcome: 2 },
    Call { prediction_id: Some("order-8"), outcome: 0 },
    Call { prediction_id: Some("order-9"), outcome: 1 },
    Call { prediction_id: Some("order 10"), outcome: 2 },
];

/// Calls each model and prints the results between the records. A result is a text with the prediction id
/// and the output, or with the error.
pub fn run(models: &[fn(&Call) -> String]) {
    tracing::subscriber::set_global_default(Lines).expect("no other subscriber is installed");
    set_hook(Box::new(|_| {}));
    for model in models {
        for call in &CALLS {
            match catch_unwind(AssertUnwindSafe(|| model(call))) {
                Ok(result) => println!("{result}"),
                Err(_) => println!("panic"),
            }
        }
    }
}

/// Subscriber that prints every span and every record.
struct Lines;

impl Subscriber for Lines {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(format!("span {}", span.metadata().name()));
        span.record(&mut line);
        println!("{}", line.0);
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
        event.record(&mut line);
        println!("{}", line.0);
    }

    fn enter(&self, _span: &Id) {
        println!("enter");
    }

    fn exit(&self, _span: &Id) {
        println!("exit");
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Errors and texts are equal, however they were recorded.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}
