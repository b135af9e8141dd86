//! `decorators:` of a model: a stack in place of the compiled-in one.

use ml_configuration::{Kind, Node, Place, Problems, nearest};
use ml_model_core::decorators::logging::{FieldError, LoggedField, LoggingOptions};
use schemars::Schema;
use tracing::Level;

use super::names::{decorator_name, did_you_mean};
use crate::catalogue::{KnownDecorator, KnownModel, Layer};

const PREDICTION_ID: &str = "prediction_id";
const LOGGING: &str = "logging";
const METRICS: &str = "metrics";

/// What stands outside of the decorator that is being read.
struct Outside<'a> {
    file: &'a str,
    model: &'a KnownModel,
    built_in: Vec<&'static str>,
}

/// The decorators in `list`, outermost first.
pub(super) fn read(
    list: Vec<Node<'_>>,
    file: &str,
    model: &KnownModel,
    known: &[KnownDecorator],
    problems: &mut Problems,
) -> Vec<Layer> {
    let mut outside = Outside { file, model, built_in: Vec::new() };
    list.into_iter()
        .filter_map(|node| {
            let (name, configuration) = entry(node, problems)?;
            outside.layer(node, name, configuration, known, problems)
        })
        .collect()
}

/// Name and configuration of one decorator: `prediction_id`, `logging: {...}`, or a `class_path`
/// with a `configuration`.
fn entry<'d>(node: Node<'d>, problems: &mut Problems) -> Option<(&'d str, Option<Node<'d>>)> {
    match node.kind() {
        Kind::Text => Some((node.string(problems)?, None)),
        Kind::Mapping => {
            let mut mapping = node.mapping(problems)?;
            let mut entries = mapping.entries();
            if let (Some((name, configuration)), None) = (entries.next(), entries.next())
                && name != "class_path"
            {
                return Some((name, Some(configuration).filter(|node| !node.is_null())));
            }
            let mut mapping = node.mapping(problems)?;
            let class_path = mapping.required("class_path", problems);
            let configuration = mapping.optional("configuration");
            mapping.finish(problems);
            Some((class_path?.string(problems)?, configuration))
        }
        found => {
            let message = format!("expected a decorator, `name` or `name: {{...}}`, found {found}");
            node.report(problems, message);
            None
        }
    }
}

impl Outside<'_> {
    fn layer(
        &mut self,
        node: Node<'_>,
        written: &str,
        configuration: Option<Node<'_>>,
        known: &[KnownDecorator],
        problems: &mut Problems,
    ) -> Option<Layer> {
        let name = decorator_name(written);
        for built_in in [PREDICTION_ID, LOGGING, METRICS] {
            if name != built_in {
                continue;
            }
            if self.built_in.contains(&built_in) {
                let message = format!("`{name}` is listed twice: remove one of them");
                node.report(problems, message);
            }
            let layer = match built_in {
                LOGGING => Layer::Logging(self.logging(node, configuration, problems)),
                _ => {
                    if let Some(configuration) = configuration {
                        without_options(configuration, &name, problems);
                    }
                    if built_in == METRICS { Layer::Metrics } else { Layer::PredictionId }
                }
            };
            self.built_in.push(built_in);
            return Some(layer);
        }
        if let Some(known) = known.iter().find(|known| decorator_name(&known.name) == name) {
            return known.make(node, configuration, problems).map(Layer::Custom);
        }
        let names = [PREDICTION_ID, LOGGING, METRICS].into_iter();
        let names: Vec<&str> = names.chain(known.iter().map(|known| &*known.name)).collect();
        let did_you_mean = did_you_mean(&name, &names);
        let message = format!(
            "unknown decorator `{written}`; {did_you_mean}This program has: {}",
            names.join(", ")
        );
        node.report(problems, message);
        None
    }

    fn logging(
        &self,
        node: Node<'_>,
        configuration: Option<Node<'_>>,
        problems: &mut Problems,
    ) -> LoggingOptions {
        let mut options = LoggingOptions::new(self.model.metadata.qualified_name);
        options.file = self.file.to_owned();
        if let Place::Line(line) = node.place() {
            options.line = u32::try_from(line).unwrap_or(u32::MAX);
        }
        let Some(mut mapping) = configuration.and_then(|node| node.mapping(problems)) else {
            return options;
        };
        if let Some(node) = mapping.optional("input_fields") {
            options.input_fields = self.fields(node, &(self.model.input_schema)(), problems);
        }
        if let Some(node) = mapping.optional("output_fields") {
            options.output_fields = self.fields(node, &(self.model.output_schema)(), problems);
        }
        if let Some(node) = mapping.optional("target")
            && let Some(target) = node.string(problems)
        {
            if target.is_empty() {
                node.report(problems, "`target` must not be empty");
            }
            options.target = target.to_owned();
        }
        if let Some(level) = mapping.optional("level").and_then(|node| level(node, problems)) {
            options.level = level;
        }
        mapping.finish(problems);
        options
    }

    /// The fields to read. `prediction_id` is not among them: the record holds it anyway.
    fn fields(&self, node: Node<'_>, schema: &Schema, problems: &mut Problems) -> Vec<LoggedField> {
        let mut fields: Vec<LoggedField> = Vec::new();
        let mut names_id = false;
        for node in node.list(problems).unwrap_or_default() {
            let Some(text) = node.string(problems) else { continue };
            let field: LoggedField = match text.parse() {
                Ok(field) => field,
                Err(error) => {
                    node.report(problems, FieldError::to_string(&error));
                    continue;
                }
            };
            if field.is_prediction_id() {
                if names_id {
                    node.report(problems, "`prediction_id` is listed twice");
                } else if !self.built_in.contains(&PREDICTION_ID) {
                    node.report(
                        problems,
                        "no prediction id is known here: list the decorator `prediction_id` \
                         before `logging`",
                    );
                }
                names_id = true;
                continue;
            }
            match field.check(&fields, schema) {
                Ok(()) => fields.push(field),
                Err(error) => {
                    let did_you_mean = match &error {
                        FieldError::Unknown { name, known } => {
                            nearest(name, known.iter().map(String::as_str))
                        }
                        _ => None,
                    };
                    let mut message = error.to_string();
                    if let Some(nearest) = did_you_mean {
                        message.push_str(&format!("; did you mean `{nearest}`?"));
                    }
                    node.report(problems, message);
                }
            }
        }
        fields
    }
}

fn level(node: Node<'_>, problems: &mut Problems) -> Option<Level> {
    const LEVELS: &[(&str, Level)] = &[
        ("trace", Level::TRACE),
        ("debug", Level::DEBUG),
        ("info", Level::INFO),
        ("warn", Level::WARN),
        ("warning", Level::WARN),
        ("error", Level::ERROR),
    ];
    node.choice("level", LEVELS, problems)
}

fn without_options(node: Node<'_>, name: &str, problems: &mut Problems) {
    let mut mapping = match node.kind() {
        Kind::Mapping => node.mapping(problems),
        _ => None,
    };
    let is_empty = mapping.as_mut().is_some_and(|mapping| mapping.entries().next().is_none());
    if !is_empty {
        node.report(problems, format!("`{name}` takes no configuration: remove it"));
    }
}
