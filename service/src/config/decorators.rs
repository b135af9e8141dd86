//! `decorators:` of a model: a stack that replaces that of the attributes.

use std::time::Duration;

use ml_configuration::{Kind, Mapping, Node, Place, Problems, nearest};
use ml_model_core::decorators::logging::{FieldError, LoggedField, LoggingOptions, Policy};
use schemars::Schema;
use tracing::Level;

use super::names::{decorator_name, last_segment};
use crate::hosting::registered::{DecoratorRegistration, Layer, ModelRegistration};
use crate::hosting::shorten::shortened;

const PREDICTION_ID: &str = "prediction_id";
const LOGGING: &str = "logging";
const METRICS: &str = "metrics";
pub(super) const BUILT_IN: [&str; 3] = [PREDICTION_ID, LOGGING, METRICS];

/// The decorators outside the one that is being read.
struct Outside<'a> {
    file: &'a str,
    /// `None` if the model is unknown: its fields are not checked.
    model: Option<&'a ModelRegistration>,
    built_in: Vec<&'static str>,
    /// Whether `prediction_id` is in the list.
    lists_id: bool,
}

/// Reads the decorators in `list`, outermost first.
pub(super) fn read(
    list: Vec<Node<'_>>,
    file: &str,
    model: Option<&ModelRegistration>,
    known: &[DecoratorRegistration],
    problems: &mut Problems,
) -> Vec<Layer> {
    let entries: Vec<_> = list
        .into_iter()
        .filter_map(|node| {
            let (name, configuration) = entry(node, known, problems)?;
            Some((node, name, configuration))
        })
        .collect();
    let lists_id = entries.iter().any(|(_, name, _)| decorator_name(name) == PREDICTION_ID);
    let mut outside = Outside { file, model, built_in: Vec::new(), lists_id };
    let layer =
        |(node, name, configuration)| outside.layer(node, name, configuration, known, problems);
    entries.into_iter().filter_map(layer).collect()
}

/// Reads the name and the configuration of one decorator: `prediction_id`, `logging: {...}`, or a
/// `class_path` with a `configuration`.
fn entry<'d>(
    node: Node<'d>,
    known: &[DecoratorRegistration],
    problems: &mut Problems,
) -> Option<(&'d str, Option<Node<'d>>)> {
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
            if let Some((name, message)) = misplaced(&mut mapping, known) {
                node.report(problems, message);
                return Some((name, None));
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

/// Finds the mistake in a mapping of several keys, one of which is the name of a decorator. Returns the
/// name and the message.
fn misplaced<'d>(
    mapping: &mut Mapping<'d>,
    known: &[DecoratorRegistration],
) -> Option<(&'d str, String)> {
    let entries: Vec<_> = mapping.entries().collect();
    let is_decorator = |key: &str| {
        let name = decorator_name(key);
        BUILT_IN.contains(&&*name) || known.iter().any(|known| decorator_name(&known.name) == name)
    };
    if entries.iter().any(|(key, _)| *key == "class_path") {
        return None;
    }
    let mut names = entries.iter().filter(|(key, _)| is_decorator(key));
    let (name, configuration) = *names.next()?;
    if names.next().is_some() {
        let message = "one decorator per item: begin each with a `- ` of its own";
        return Some((name, message.to_owned()));
    }
    let others = entries.iter().filter(|(key, _)| *key != name);
    let others = others.map(|(key, _)| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let message = if configuration.is_null() {
        format!("indent {others} below `{name}:`")
    } else {
        format!("move {others} into `{name}:`, or to an item of its own")
    };
    Some((name, message))
}

impl Outside<'_> {
    fn layer(
        &mut self,
        node: Node<'_>,
        written: &str,
        configuration: Option<Node<'_>>,
        known: &[DecoratorRegistration],
        problems: &mut Problems,
    ) -> Option<Layer> {
        let name = decorator_name(written);
        for built_in in BUILT_IN {
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
            known.is_used.set(true);
            return (known.make.0)(node, configuration, problems).map(Layer::Custom);
        }
        let names = BUILT_IN.into_iter().chain(known.iter().map(|known| &*known.name));
        let name = last_segment(written);
        if nearest(name, names.clone()).is_some() || node.is_variable() {
            node.report_unknown(problems, "decorator", name, names);
        } else {
            let names = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let name = shortened(name);
            node.report(
                problems,
                format!(
                    "unknown decorator `{name}`; valid are {names}; for one of the program's own, call \
                     `Service::decorator(\"{name}\", ...)` in its `main`"
                ),
            );
        }
        None
    }

    fn logging(
        &self,
        node: Node<'_>,
        configuration: Option<Node<'_>>,
        problems: &mut Problems,
    ) -> LoggingOptions {
        let qualified_name = self.model.map_or("", |model| &*model.metadata.qualified_name);
        let mut options = LoggingOptions::new(qualified_name);
        options.file = self.file.to_owned();
        if let Place::Line(line) = node.place() {
            options.line = u32::try_from(line).unwrap_or(u32::MAX);
        }
        if let Some(node) = configuration.filter(|node| node.kind() == Kind::List) {
            let message = "expected a mapping, found a list; name it, as in \
                           `logging: {input_fields: [...], output_fields: [...]}`";
            node.report(problems, message);
            return options;
        }
        let Some(mut mapping) = configuration.and_then(|node| node.mapping(problems)) else {
            return options;
        };
        if let Some(node) = mapping.optional("input_fields") {
            options.input_fields = self.fields(node, "input", problems);
        }
        if let Some(node) = mapping.optional("output_fields") {
            options.output_fields = self.fields(node, "output", problems);
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
        if let Some(node) = mapping.optional("sample") {
            self.check_id(node, problems);
            if let Some(rate) = share(node, problems) {
                options.sampling = options.sampling.sample(rate);
            }
        }
        if let Some(limit) = mapping.optional("slow").and_then(|node| slow(node, problems)) {
            options.sampling = options.sampling.slow(limit);
        }
        mapping.finish(problems);
        options
    }

    /// Reports that `node` needs a prediction id, if there is none.
    fn check_id(&self, node: Node<'_>, problems: &mut Problems) {
        if self.built_in.contains(&PREDICTION_ID) {
            return;
        }
        // Probably the order in the file of a Python service.
        let message = if self.lists_id {
            "no prediction id is known here: list `prediction_id` before `logging`; the outermost \
             decorator is the first here, in files of Python services the last"
        } else {
            "no prediction id is known here: list the decorator `prediction_id` before `logging`"
        };
        node.report(problems, message);
    }

    /// Reads the fields to log, without `prediction_id`, which every record has.
    fn fields(&self, node: Node<'_>, what: &str, problems: &mut Problems) -> Vec<LoggedField> {
        // Without a model any name may be a field.
        let schema_of = |what| {
            self.model.map_or_else(Schema::default, |model| match what {
                "input" => (model.input_schema)(),
                _ => (model.output_schema)(),
            })
        };
        let schema = schema_of(what);
        let other = if what == "input" { "output" } else { "input" };
        let mut fields: Vec<LoggedField> = Vec::new();
        let mut names_id = false;
        let mut nodes = node.list(problems).unwrap_or_default().into_iter().peekable();
        while let Some(node) = nodes.next() {
            if let Some(halves) = nodes.peek().and_then(|next| halves(node, *next)) {
                node.report(problems, format!("put the field in quotes: `\"{halves}\"`"));
                nodes.next();
                continue;
            }
            let Some(text) = node.string(problems) else { continue };
            let field: LoggedField = match text.parse() {
                Ok(field) => field,
                Err(error) => {
                    report_field(node, error, what, problems);
                    continue;
                }
            };
            if field.is_prediction_id() {
                if names_id {
                    node.report(problems, "`prediction_id` is listed twice");
                } else {
                    self.check_id(node, problems);
                }
                names_id = true;
                continue;
            }
            match field.check(&fields, &schema) {
                Ok(()) => fields.push(field),
                Err(FieldError::Unknown { .. })
                    if !node.is_variable() && field.check(&[], &schema_of(other)).is_ok() =>
                {
                    let message =
                        format!("`{text}` is a field of the {other}: list it in `{other}_fields`");
                    node.report(problems, message);
                }
                Err(error) => report_field(node, error, what, problems),
            }
        }
        fields
    }
}

/// Returns the field of which YAML has made two items, at a comma in its parentheses.
fn halves(first: Node<'_>, second: Node<'_>) -> Option<String> {
    if first.is_variable() || second.is_variable() {
        return None;
    }
    let unread = &mut Problems::new();
    let (first, second) = (first.string(unread)?, second.string(unread)?);
    let is_cut = first.contains('(') && !first.contains(')') && !second.contains('(');
    (is_cut && second.contains(')')).then(|| format!("{first}, {second}"))
}

/// Reports a mistake in a field of the input or output. Hides text from an environment variable.
fn report_field(node: Node<'_>, error: FieldError, what: &str, problems: &mut Problems) {
    let is_hidden = node.is_variable();
    let message = match error {
        FieldError::Unknown { name, known } => {
            return node.report_unknown(problems, "field", &name, known.iter().map(String::as_str));
        }
        FieldError::UnknownPolicy { name } => {
            return node.report_unknown(problems, "policy", &name, Policy::NAMES);
        }
        FieldError::NoFields { of: None, kind } => {
            format!("this {what} is {kind} and has no fields")
        }
        FieldError::List { name: None } => {
            format!("this {what} is a list: lists cannot be logged")
        }
        FieldError::Syntax { .. } if is_hidden => {
            FieldError::Syntax { text: "…".to_owned() }.to_string()
        }
        FieldError::Width { .. } if is_hidden => {
            FieldError::Width { width: "…".to_owned() }.to_string()
        }
        FieldError::NoWidth { .. } if is_hidden => {
            FieldError::NoWidth { path: "age".to_owned() }.to_string()
        }
        FieldError::PolicyAsKey { policy, .. } if is_hidden => {
            FieldError::PolicyAsKey { policy, path: "age".to_owned() }.to_string()
        }
        FieldError::Repeated { .. } if is_hidden => {
            "another field has this name already: choose another one".to_owned()
        }
        error => error.to_string(),
    };
    node.report(problems, message);
}

fn share(node: Node<'_>, problems: &mut Problems) -> Option<f64> {
    let share = node.number(&mut Problems::new()).filter(|share| *share > 0.0 && *share <= 1.0);
    if share.is_none() {
        node.report(problems, "expected a number above 0 and up to 1, such as 0.1");
    }
    share
}

fn slow(node: Node<'_>, problems: &mut Problems) -> Option<Duration> {
    let limit = node.string(&mut Problems::new());
    let limit = limit.and_then(|limit| humantime::parse_duration(limit).ok());
    let limit = limit.filter(|limit| !limit.is_zero());
    if limit.is_none() {
        node.report(problems, "expected a duration above 0 with its unit, such as `50ms` or `2s`");
    }
    limit
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
