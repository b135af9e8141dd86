//! The `logging` decorator whose fields are known at start-up only.

use schemars::Schema;
use serde::Serialize;
use tracing::Level;

use super::LoggingDecorator;
use super::callsites::{LogSites, Origin};
use super::extract::{Extracted, extract};
use super::field_tree::FieldTree;
use super::record::{Record, Recorder};
use super::sampling::Sampling;
use crate::logged_field::LoggedField;
use crate::model::MLModel;
use crate::policy::Policy;

/// Options of [`LoggingDecorator::configured`].
#[derive(Debug, Clone)]
pub struct LoggingOptions {
    /// Target of the records, their `name` in the log.
    pub target: String,
    /// Level of the records of requests and predictions. Failures have the level ERROR.
    pub level: Level,
    /// Predictions to record; all by default.
    pub sampling: Sampling,
    /// Fields of the input, in the order of the records.
    pub input_fields: Vec<LoggedField>,
    /// Fields of the output, in the order of the records.
    pub output_fields: Vec<LoggedField>,
    /// File that configures the decorator, the `pathname` of the records.
    pub file: String,
    /// Line in that file, the `lineno` of the records.
    pub line: u32,
}

impl LoggingOptions {
    /// Creates the default options for a model of this name: no fields, level INFO, and the target
    /// `{qualified_name}_logger`.
    #[must_use]
    pub fn new(qualified_name: &str) -> Self {
        Self {
            target: format!("{qualified_name}_logger"),
            level: Level::INFO,
            sampling: Sampling::new(),
            input_fields: Vec::new(),
            output_fields: Vec::new(),
            file: String::new(),
            line: 0,
        }
    }
}

/// [`Recorder`] that reads fields by their names in the JSON form of input and output.
#[derive(Debug)]
pub struct ConfiguredFields {
    sites: &'static LogSites,
    input: Fields,
    output: Fields,
}

#[derive(Debug)]
struct Fields {
    tree: FieldTree,
    policies: Vec<Option<Policy>>,
}

impl Fields {
    fn new(fields: &[LoggedField]) -> Self {
        let tree = FieldTree::new(fields.iter().map(LoggedField::path));
        Self { tree, policies: fields.iter().map(LoggedField::policy).collect() }
    }

    fn record(&self, record: Record<'_>, value: &impl Serialize) {
        let extracted = extract(value, &self.tree, &self.policies);
        record.write_all(extracted.iter().map(Extracted::value));
    }
}

impl LoggingDecorator<ConfiguredFields> {
    /// Creates a decorator for a model with these schemas, whose fields are known at start-up only.
    ///
    /// Its records are the same as those of `#[decorate(logging(...))]` if serde writes the names of the
    /// Rust fields. A field that the schemas mark as sensitive is redacted unless it has a policy.
    ///
    /// It leaks the memory of its field names, because `tracing` requires static names. Create it once
    /// per configured decorator.
    #[must_use]
    pub fn configured(
        options: LoggingOptions,
        input_schema: &Schema,
        output_schema: &Schema,
    ) -> Self {
        let LoggingOptions {
            target,
            level,
            sampling,
            mut input_fields,
            mut output_fields,
            file,
            line,
        } = options;
        prepare(&mut input_fields, input_schema);
        prepare(&mut output_fields, output_schema);
        let (input, output) = (Fields::new(&input_fields), Fields::new(&output_fields));
        let names = |fields: Vec<LoggedField>| -> &'static [&'static str] {
            let fields: Vec<&'static str> =
                fields.iter().map(|field| &*field.to_string().leak()).collect();
            fields.leak()
        };
        let origin = Origin { target: target.leak(), level, file: file.leak(), line };
        let fields = [names(input_fields), names(output_fields)];
        let sites = LogSites::of_origin(origin, fields, sampling);
        Self::new(ConfiguredFields { sites: Box::leak(Box::new(sites)), input, output })
    }
}

/// Resolves the names of fields and redacts sensitive ones without a policy.
fn prepare(fields: &mut [LoggedField], schema: &Schema) {
    for field in fields {
        field.resolve(schema);
        if field.is_sensitive(schema) {
            field.redact();
        }
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
