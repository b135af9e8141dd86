//! `OtlpHandler`: records and spans to a collector.

use ml_configuration::{Mapping, Node, Problems};

#[cfg(feature = "opentelemetry")]
use super::Configuration;
use super::Handler;
use crate::Formatter;

#[cfg(feature = "opentelemetry")]
impl Configuration {
    /// Adds the export that the environment asks for, unless there is one: beside the other handlers
    /// of every logger, with the fields of the first handler that writes JSON.
    pub(super) fn exporting(mut self) -> Self {
        if self.handlers.iter().any(|handler| handler.otlp.is_some()) {
            return self;
        }
        let Some(otlp) = crate::Otlp::of_environment(&*self.environment) else { return self };
        // No name, so that what is said of it does not speak of a handler that nobody has written.
        let like = self.handlers.iter().find_map(|other| other.exporting("", otlp.clone()));
        self.handlers.push(like.unwrap_or_else(|| Handler::otlp("", otlp)));
        for logger in self.loggers.iter_mut().filter(|logger| !logger.handlers.is_empty()) {
            logger.handlers.push(String::new());
        }
        self
    }
}

/// Its name among those that are known.
pub(super) const CLASS: Option<&str> =
    if cfg!(feature = "opentelemetry") { Some("OtlpHandler") } else { None };

/// The outer `Option` says whether the class is known, the inner one whether the keys are right.
#[cfg(feature = "opentelemetry")]
pub(super) fn handler(
    name: &str,
    _class: Node<'_>,
    keys: &mut Mapping<'_>,
    formatter: Option<&Formatter>,
    problems: &mut Problems,
) -> Option<Option<Handler>> {
    let mut otlp = crate::Otlp::new();
    let mut is_right = true;
    if let Some(node) = keys.get("formatter")
        && formatter.is_some_and(|formatter| !formatter.is_json())
    {
        let message =
            "an OtlpHandler takes fields, not lines of text; name a formatter that makes JSON";
        node.report(problems, message);
        is_right = false;
    }
    if let Some(node) = keys.optional("endpoint") {
        match node
            .string(problems)
            .map(|endpoint| (endpoint, crate::otlp::check_endpoint(endpoint)))
        {
            Some((endpoint, Ok(()))) => otlp = otlp.endpoint(endpoint),
            Some((_, Err(problem))) => {
                node.report(problems, problem);
                is_right = false;
            }
            None => is_right = false,
        }
    }
    if let Some(node) = keys.optional("resource_attributes")
        && let Some(mut attributes) = node.mapping(problems)
    {
        for (key, node) in attributes.entries().collect::<Vec<_>>() {
            match node.string(problems) {
                Some(value) => otlp = otlp.resource_attribute(key, value),
                None => is_right = false,
            }
        }
    }
    Some(is_right.then(|| Handler::otlp(name, otlp)))
}

#[cfg(not(feature = "opentelemetry"))]
pub(super) fn handler(
    _name: &str,
    class: Node<'_>,
    _keys: &mut Mapping<'_>,
    _formatter: Option<&Formatter>,
    problems: &mut Problems,
) -> Option<Option<Handler>> {
    let message = "this program is built without OTLP; build it with the feature `opentelemetry` \
         of `ml-logging` or `ml-model-service`, or remove the handler";
    class.report(problems, message);
    None
}
