//! The service's configuration: one YAML file, or nothing at all.
//!
//! Everything wrong in it is found before anything is opened or loaded, all at once. Files of the
//! Python services are read as they are: the last part of a class path names the class.

mod decorators;
mod metrics;
mod models;
mod names;
mod server;

use ml_configuration::{Document, Problems};

use crate::catalogue::Catalogue;
use crate::metrics::MetricsSettings;
use crate::openapi::Info;

pub(crate) use models::{Execution, Handling, PlannedModel};
pub(crate) use server::ServerSettings;

/// Environment variables that begin so take the place of values in the file:
/// `ML_SERVICE__METRICS__ENABLED` that of `metrics.enabled`.
pub(crate) const OVERRIDES: &str = "ML_SERVICE";

/// What the service is to do.
pub(crate) struct Configuration {
    pub(crate) info: Info,
    pub(crate) server: ServerSettings,
    pub(crate) models: Vec<PlannedModel>,
    pub(crate) logging: Option<ml_logging::Configuration>,
    pub(crate) metrics: MetricsSettings,
}

impl Configuration {
    /// Reads a configuration for a program that has these models and decorators.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub(crate) fn read(
        document: &Document,
        mut info: Info,
        metrics: MetricsSettings,
        catalogue: Catalogue,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let Catalogue { models: known, decorators, filters } = catalogue;
        check_names(
            &known.iter().map(|model| model.metadata.qualified_name).collect::<Vec<_>>(),
            &mut problems,
        );
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
        let models = match listed {
            None => models::all(known, &mut problems),
            Some(node) => {
                let list = node.list(&mut problems).unwrap_or_default();
                models::read(list, document.name(), known, &decorators, &mut problems)
            }
        };
        let logging =
            logging.and_then(|node| ml_logging::Configuration::read(node, &filters, &mut problems));
        let metrics = match metrics_node {
            Some(node) => metrics::read(node, &mut problems),
            None => {
                if let Err(error) = metrics.check() {
                    problems.add(error.to_string());
                }
                metrics
            }
        };
        problems.into_result(Self { info, server, models, logging, metrics })
    }
}

/// The program itself may have registered a name twice.
fn check_names(names: &[&str], problems: &mut Problems) {
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            problems.add(format!(
                "the program has two models named `{name}`: give one of them another `qualified_name`"
            ));
        }
    }
}
