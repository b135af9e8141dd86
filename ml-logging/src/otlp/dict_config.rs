//! The class `OtlpHandler` of a file.

use ml_configuration::Problems;

use super::settings::{Otlp, check_url};
use crate::{
    config::{Handler, dict_config::handlers::HandlerKeys},
    format::Formatter,
};

/// Reads a handler. The inner `Option` is `None` if the keys are invalid.
pub(super) fn read(
    handler: &mut HandlerKeys<'_, '_>,
    problems: &mut Problems,
) -> Option<Option<Handler>> {
    let mut otlp = Otlp::new();
    let mut is_valid = true;
    if let Some(node) = handler.keys.get("formatter")
        && !handler.formatter.is_none_or(Formatter::is_json)
    {
        let message =
            "an OtlpHandler takes fields, not lines of text; name a formatter that writes JSON";
        node.report(problems, message);
        is_valid = false;
    }
    if let Some(node) = handler.keys.optional("endpoint") {
        match node.string(problems).map(|url| (url, check_url(url))) {
            Some((url, Ok(()))) => otlp = otlp.endpoint(url),
            Some((_, Err(problem))) => {
                node.report(problems, problem);
                is_valid = false;
            }
            None => is_valid = false,
        }
    }
    if let Some(node) = handler.keys.optional("resource_attributes")
        && let Some(mut attributes) = node.mapping(problems)
    {
        for (key, node) in attributes.entries().collect::<Vec<_>>() {
            match node.string(problems) {
                Some(value) => otlp = otlp.resource_attribute(key, value),
                None => is_valid = false,
            }
        }
    }
    Some(is_valid.then(|| Handler::otlp(handler.name, otlp)))
}
