//! The configuration of the service: an optional YAML file.
//!
//! All mistakes in it are reported together, before anything is opened or loaded. Files of the Python
//! services are valid: the last part of a class path names the class.
//!
//! | module | contents |
//! |---|---|
//! | `server` | `server:` |
//! | `api_keys` | API keys and admin keys |
//! | `models` | `models:` |
//! | `decorators` | `decorators:` of a model |
//! | `names` | short names and class paths |
//! | `metrics` | `metrics:` |

mod api_keys;
mod decorators;
mod metrics;
mod models;
mod names;
mod server;

use ml_configuration::{Document, Kind, Node, Problems, nearest};
use ml_model_core::decorators::logging::LoggingOptions;

use crate::hosting::loading::ChosenModel;
use crate::hosting::registered::{DecoratorRegistration, Layer, ModelRegistration, Registered};
use crate::info::Info;
use crate::metrics::MetricsSettings;

pub(crate) use api_keys::ApiKeys;
pub(crate) use models::check_hash_key;
pub(crate) use server::{ServerSettings, address};

use decorators::BUILT_IN;
use names::decorator_name;

/// Prefix of environment variables that replace values of the file: `ML_SERVICE__METRICS__ENABLED`
/// replaces `metrics.enabled`.
pub(crate) const OVERRIDES: &str = "ML_SERVICE";

/// The valid configuration of a service.
pub(crate) struct Configuration {
    pub(crate) info: Info,
    pub(crate) server: ServerSettings,
    pub(crate) models: Vec<ChosenModel>,
    pub(crate) logging: Option<ml_logging::Configuration>,
    pub(crate) metrics: MetricsSettings,
    /// Messages to log about metrics settings without effect.
    pub(crate) metrics_notes: Vec<&'static str>,
    /// Names of registered decorators that the configuration does not name.
    pub(crate) unused_decorators: Vec<String>,
    /// Messages to print about settings that may be mistakes.
    pub(crate) warnings: Vec<String>,
}

impl Configuration {
    /// Reads a configuration for a program that has these models and decorators.
    ///
    /// # Errors
    ///
    /// Fails with all mistakes in it.
    pub(crate) fn read(
        document: &Document,
        mut info: Info,
        metrics: MetricsSettings,
        registered: Registered,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let Registered { models: known, decorators, filters } = registered;
        check_names(&known, &decorators, &mut problems);
        let root = document.root();
        let Some(mut mapping) = root.mapping(&mut problems) else { return Err(problems) };
        for (key, text) in [
            ("service_title", &mut info.title),
            ("version", &mut info.version),
            ("description", &mut info.description),
        ] {
            if let Some(given) = mapping.optional(key).and_then(|node| node.string(&mut problems)) {
                *text = given.to_owned();
            }
        }
        let server = mapping.optional("server");
        let listed = mapping.optional("models");
        let logging = mapping.optional("logging");
        let metrics_node = mapping.optional("metrics");
        mapping.finish(&mut problems);

        let server = server
            .map_or_else(ServerSettings::default, |node| ServerSettings::read(node, &mut problems));
        info.has_api_keys = server.api_keys.is_some();
        info.has_admin_keys = server.admin_keys.is_some();
        info.root_path.clone_from(&server.root_path);
        let models = match listed {
            None => models::all(known, &mut problems),
            Some(node) => {
                let list = node.list(&mut problems).unwrap_or_default();
                models::read(list, document.name(), known, &decorators, &mut problems)
            }
        };
        let unused_decorators = decorators
            .iter()
            .filter(|decorator| !decorator.is_used.get())
            .map(|decorator| decorator.name.clone())
            .collect();
        let mut warnings = Vec::new();
        let logging = logging.and_then(|node| {
            if node.kind() != Kind::Mapping {
                let found = node.kind();
                node.report(
                    &mut problems,
                    format!(
                        "expected a mapping, as in `{{version: 1, handlers: {{out: {{class: StreamHandler}}}}, \
                         root: {{level: INFO, handlers: [out]}}}}`, found {found}; without `logging:`, the variable \
                         `RUST_LOG` sets the level"
                    ),
                );
                return None;
            }
            let logging = ml_logging::Configuration::read(node, &filters, &mut problems)?;
            check_routes(node, &logging, &models, &mut warnings, &mut problems);
            Some(logging)
        });
        let (metrics, metrics_notes) = match metrics_node {
            Some(node) => metrics::read(node, &mut problems),
            None => {
                for error in metrics.problems() {
                    problems.add(error.to_string());
                }
                (metrics, Vec::new())
            }
        };
        problems.into_result(Self {
            info,
            server,
            models,
            logging,
            metrics,
            metrics_notes,
            unused_decorators,
            warnings,
        })
    }
}

/// Reports records of predictions that no handler receives. The target is certain for configured decorators only.
fn check_routes(
    node: Node<'_>,
    logging: &ml_logging::Configuration,
    models: &[ChosenModel],
    warnings: &mut Vec<String>,
    problems: &mut Problems,
) {
    const REMEDY: &str = "give that logger or `root` a handler, as in `root: {level: INFO, handlers: [...]}`, \
                          or a NullHandler if they are not wanted";
    for model in models {
        let Some(layers) = &model.layers else {
            let target = LoggingOptions::new(model.name).target;
            if !logging.has_handler_for(&target) {
                warnings.push(format!(
                    "no handler receives the records of predictions by `{}` if their target is the \
                     default, `{target}`; {REMEDY}",
                    model.name
                ));
            }
            continue;
        };
        for layer in layers {
            let Layer::Logging(LoggingOptions { target, .. }) = layer else { continue };
            if !logging.has_handler_for(target) {
                let problem = format!(
                    "no handler receives the records of predictions by `{}`, whose target is `{target}`",
                    model.name
                );
                match logger_like(node, target) {
                    Some(logger) => {
                        logger.report(problems, format!("{problem}; did you mean `{target}`?"));
                    }
                    None => node.report(problems, format!("{problem}; {REMEDY}")),
                }
            }
        }
    }
}

/// Returns the logger whose name is probably meant to be this target.
fn logger_like<'d>(logging: Node<'d>, target: &str) -> Option<Node<'d>> {
    let unread = &mut Problems::new();
    let mut loggers = logging.mapping(unread)?.optional("loggers")?.mapping(unread)?;
    let loggers: Vec<_> = loggers.entries().collect();
    let name =
        nearest(target, loggers.iter().map(|(name, _)| *name)).filter(|name| *name != target)?;
    loggers.into_iter().find(|(own, _)| *own == name).map(|(_, node)| node)
}

/// Reports names that the program has registered twice.
fn check_names(
    models: &[ModelRegistration],
    known: &[DecoratorRegistration],
    problems: &mut Problems,
) {
    for (index, model) in models.iter().enumerate() {
        let name = &*model.metadata.qualified_name;
        let mut others =
            models[..index].iter().filter(|other| other.metadata.qualified_name == name);
        let Some(other) = others.next() else { continue };
        if other.model_type == model.model_type {
            problems.add(format!("the program has the model `{name}` twice: remove one of them"));
        } else {
            problems.add(format!(
                "the program has two models named `{name}`: give one of them another `qualified_name`; of a generic \
                 model, derive `MLModel` for one struct per instance"
            ));
        }
    }
    for (index, decorator) in known.iter().enumerate() {
        let name = &decorator.name;
        let short = decorator_name(name);
        if BUILT_IN.contains(&&*short) {
            problems.add(format!(
                "the program registers a decorator `{name}`, but `{short}` is built in: give it \
                 another name"
            ));
        } else if known[..index].iter().any(|other| decorator_name(&other.name) == short) {
            problems.add(format!(
                "the program has two decorators named `{name}`: give one of them another name"
            ));
        }
    }
}
