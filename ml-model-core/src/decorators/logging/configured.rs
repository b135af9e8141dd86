//! The logging decorator of a configuration: fields named at start-up, the same records.

use serde::Serialize;
use tracing::Level;

use super::LoggingDecorator;
use super::callsites::LogSites;
use super::extract::{Extracted, FieldTree, extract};
use super::record::{Record, Recorder};
use crate::logged_field::LoggedField;
use crate::model::MLModel;

/// What stands in the records of a configured [`LoggingDecorator`]; see
/// [`LoggingDecorator::configured`].
#[derive(Debug, Clone)]
pub struct LoggingOptions {
    /// Target of the records, which is their `name` in the log.
    pub target: String,
    /// Level of the records of requests and predictions; failures are at ERROR.
    pub level: Level,
    /// Fields of the input, in order.
    pub input_fields: Vec<LoggedField>,
    /// Fields of the output, in order.
    pub output_fields: Vec<LoggedField>,
    /// The file that configures the decorator: `pathname` of the records.
    pub file: String,
    /// The line where it does: `lineno` of the records.
    pub line: u32,
}

impl LoggingOptions {
    /// Records without fields, at INFO, to the logger that a model of this name has by default.
    #[must_use]
    pub fn new(qualified_name: &str) -> Self {
        Self {
            target: format!("{qualified_name}_logger"),
            level: Level::INFO,
            input_fields: Vec::new(),
            output_fields: Vec::new(),
            file: String::new(),
            line: 0,
        }
    }
}

/// Reads fields by their names in the JSON form of input and output; made by
/// [`LoggingDecorator::configured`].
#[derive(Debug)]
pub struct ConfiguredFields {
    sites: &'static LogSites,
    input: Fields,
    output: Fields,
}

#[derive(Debug)]
struct Fields {
    tree: FieldTree,
    len: usize,
}

impl Fields {
    fn new(fields: &[LoggedField]) -> Self {
        let tree = FieldTree::new(fields.iter().map(LoggedField::path));
        Self { tree, len: fields.len() }
    }

    fn record(&self, record: Record<'_>, value: &impl Serialize) {
        let mut extracted = vec![Extracted::Null; self.len];
        extract(value, &self.tree, &mut extracted);
        record.write_all(extracted.iter().map(Extracted::value));
    }
}

impl LoggingDecorator<ConfiguredFields> {
    /// A decorator whose fields are known at start-up only. Its records are those of
    /// `#[decorate(logging(...))]`, field for field, as long as the names that serde writes are
    /// those of the Rust fields.
    ///
    /// For the names of its fields it takes memory that is never given back: `tracing` wants them to live
    /// as long as the program. To be made once per configured decorator.
    #[must_use]
    pub fn configured(options: LoggingOptions) -> Self {
        let LoggingOptions { target, level, input_fields, output_fields, file, line } = options;
        let (input, output) = (Fields::new(&input_fields), Fields::new(&output_fields));
        let listed = |fields: Vec<LoggedField>| -> &'static [&'static str] {
            let fields: Vec<&'static str> =
                fields.iter().map(|field| &*field.to_string().leak()).collect();
            fields.leak()
        };
        let sites = LogSites::at(
            (file.leak(), line),
            target.leak(),
            level,
            listed(input_fields),
            listed(output_fields),
        );
        Self::new(ConfiguredFields { sites: Box::leak(Box::new(sites)), input, output })
    }
}

impl<M> Recorder<M> for ConfiguredFields
where
    M: MLModel,
    M::Input: Serialize,
    M::Output: Serialize,
{
    fn sites(&self) -> &'static LogSites {
        self.sites
    }

    fn requested(&self, record: Record<'_>, input: &M::Input) {
        self.input.record(record, input);
    }

    fn created(&self, record: Record<'_>, output: &M::Output) {
        self.output.record(record, output);
    }
}
