//! Metrics, in the text format of Prometheus.
//!
//! | module | contents |
//! |---|---|
//! | `settings` | [`MetricsSettings`] |
//! | `requests` | counts of HTTP requests |
//! | `process` | memory, CPU, file descriptors |
//! | `text` | the text format |
//!
//! The counts of models are in [`ml_model_core::metrics`].

mod process;
mod requests;
mod settings;
mod text;

use std::sync::Arc;

use hyper::Method;
use ml_logging::{HandlerCounts, Logging};
pub(crate) use process::max_open_files;
pub(crate) use requests::InProgress;
use requests::Requests;
pub use settings::{InvalidMetricsSettings, MetricsSettings};
pub(crate) use text::CONTENT_TYPE;
use text::{Kind, Text};

/// The metrics of one service.
pub(crate) struct Metrics {
    requests: Requests,
    /// The log, if its families are shown.
    logging: Option<Arc<Logging>>,
}

impl Metrics {
    /// Creates the metrics of a service with these routes; `None` if the settings disable them.
    ///
    /// # Errors
    ///
    /// Fails if a setting is invalid.
    pub(crate) fn new(
        settings: MetricsSettings,
        logging: Option<Arc<Logging>>,
        routes: &[&'static str],
    ) -> Result<Option<Arc<Self>>, InvalidMetricsSettings> {
        let excluded = settings.excluded()?;
        if !settings.is_on(|name| std::env::var(name).ok()) {
            if settings.enabled {
                let variable = &settings.env_var_name;
                tracing::info!("No metrics: the environment variable {variable} is not `true`.");
            }
            return Ok(None);
        }
        Ok(Some(Arc::new(Self { requests: Requests::new(settings, excluded, routes), logging })))
    }

    /// Begins to count a request, unless the settings exclude it. `route` is the index of its
    /// route.
    pub(crate) fn begin(
        &self,
        method: &Method,
        route: Option<usize>,
        path: &str,
        request_bytes: u64,
    ) -> Option<InProgress<'_>> {
        self.requests.begin(method, route, path, request_bytes)
    }

    /// Renders all metrics.
    pub(crate) fn text(&self, service: &str, is_ready: bool) -> String {
        let mut text = Text::default();
        let mut family = text.family(
            "model_service_ready",
            Kind::Gauge,
            "Whether the service accepts traffic: 1 or 0.",
        );
        family.sample(&[("service", service)], u8::from(is_ready));
        process::write(&mut text);
        self.requests.write(&mut text);
        write_models(&mut text);
        if let Some(logging) = &self.logging {
            text.number(
                "log_records_lost_total",
                Kind::Counter,
                "Log records that could not be written.",
                logging.lost_records(),
            );
            text.number(
                "log_queue_bytes",
                Kind::Gauge,
                "Log records that wait to be written, in bytes.",
                logging.queued_bytes(),
            );
            write_handlers(&mut text, &logging.counts());
        }
        text.into_string()
    }
}

/// Writes the counts of records by handler of the log.
fn write_handlers(text: &mut Text, handlers: &[HandlerCounts]) {
    // A handler without a name is the only one.
    let name = |counts: &HandlerCounts| match counts.handler.as_str() {
        "" => "default".to_owned(),
        name => name.to_owned(),
    };
    let mut family = text.family(
        "log_records_total",
        Kind::Counter,
        "Log records by handler and by what has become of them.",
    );
    for counts in handlers {
        for (outcome, count) in
            [("written", counts.written), ("dropped", counts.dropped), ("lost", counts.lost)]
        {
            family.sample(&[("handler", &name(counts)), ("outcome", outcome)], count);
        }
    }
    type Figure = fn(&HandlerCounts) -> u64;
    let figures: [(&str, Kind, &str, Figure); 2] = [
        (
            "log_rotations_failed_total",
            Kind::Counter,
            "How many times a handler could not rotate its file.",
            |counts| counts.failed_rotations,
        ),
        (
            "log_records_queued",
            Kind::Gauge,
            "Log records that wait to be written, by handler.",
            |counts| counts.queued,
        ),
    ];
    for (family, kind, help, figure) in figures {
        let mut family = text.family(family, kind, help);
        for counts in handlers {
            family.sample(&[("handler", &name(counts))], figure(counts));
        }
    }
}

fn write_models(text: &mut Text) {
    let models: Vec<_> = ml_model_core::metrics::snapshot().collect();
    let mut family = text.family(
        "model_predictions_total",
        Kind::Counter,
        "Total number of predictions by model, version and status.",
    );
    for counts in &models {
        for (status, count) in [("success", counts.succeeded), ("error", counts.failed)] {
            let labels = [("model", counts.model), ("version", counts.version), ("status", status)];
            family.sample(&labels, count);
        }
    }
    let mut family = text.family(
        "model_prediction_duration_seconds",
        Kind::Histogram,
        "Durations of predictions by model and version.",
    );
    for counts in &models {
        let labels = [("model", counts.model), ("version", counts.version)];
        family.histogram(&labels, &counts.durations);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_become_of_log_records_is_shown_by_handler() {
        let mut counts = HandlerCounts::default();
        counts.handler = "file".to_owned();
        (counts.accepted, counts.written, counts.dropped) = (16, 5, 4);
        (counts.lost, counts.queued) = (3, 4);
        counts.failed_rotations = 1;
        let mut text = Text::default();
        write_handlers(&mut text, &[counts]);
        let text = text.into_string();
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            r#"log_records_total{handler="file",outcome="written"} 5"#,
            r#"log_records_total{handler="file",outcome="dropped"} 4"#,
            r#"log_records_total{handler="file",outcome="lost"} 3"#,
            r#"log_rotations_failed_total{handler="file"} 1"#,
            r#"log_records_queued{handler="file"} 4"#,
        ];
        assert_eq!(samples, expected);
    }
}
