//! Settings of the metrics, with the names of `prometheus_fastapi_instrumentator`.

use std::fmt;

use regex::RegexSet;

use super::text::is_metric_name;

/// Settings of the metrics at `GET /metrics`.
///
/// Names and defaults are those of the `metrics` section of the Python services.
///
/// ```no_run
/// use ml_model_service::{MetricsSettings, Service};
///
/// let metrics = MetricsSettings { inprogress_labels: true, ..MetricsSettings::from(true) };
/// Service::new("Model Service").metrics(metrics).main();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Enables metrics. Off by default: `/metrics` does not exist.
    pub enabled: bool,
    /// Labels statuses `2xx`, `4xx` instead of `200`, `404`. On by default.
    pub should_group_status_codes: bool,
    /// Excludes requests that match no route.
    pub should_ignore_untemplated: bool,
    /// Rounds durations to [`round_latency_decimals`](Self::round_latency_decimals).
    pub should_round_latency_decimals: bool,
    /// Enables metrics only if the environment variable [`env_var_name`](Self::env_var_name) is
    /// `true` or `1`.
    pub should_respect_env_var: bool,
    /// Adds a gauge of the requests in progress.
    pub should_instrument_requests_inprogress: bool,
    /// Regular expressions; matching handlers are excluded. For requests that match no route the path is
    /// matched.
    pub excluded_handlers: Vec<String>,
    /// Decimals of a second, 4 by default. 9 and more have no effect.
    pub round_latency_decimals: u32,
    /// Name of the variable, `ENABLE_METRICS` by default; see [`should_respect_env_var`](Self::should_respect_env_var).
    pub env_var_name: String,
    /// Name of the gauge of requests in progress, `http_requests_inprogress` by default.
    pub inprogress_name: String,
    /// Labels the gauge of requests in progress with `method` and `handler`.
    pub inprogress_labels: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            should_group_status_codes: true,
            should_ignore_untemplated: false,
            should_round_latency_decimals: false,
            should_respect_env_var: false,
            should_instrument_requests_inprogress: false,
            excluded_handlers: Vec::new(),
            round_latency_decimals: 4,
            env_var_name: "ENABLE_METRICS".to_owned(),
            inprogress_name: "http_requests_inprogress".to_owned(),
            inprogress_labels: false,
        }
    }
}

/// Enables or disables metrics with the default settings.
impl From<bool> for MetricsSettings {
    fn from(enabled: bool) -> Self {
        Self { enabled, ..Self::default() }
    }
}

/// An invalid setting. `Debug` prints the same as `Display`, for `main` functions that return it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`metrics.{key}`: {value:?} {problem}")]
pub struct InvalidMetricsSettings {
    key: &'static str,
    index: Option<usize>,
    value: String,
    problem: String,
}

impl fmt::Debug for InvalidMetricsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl InvalidMetricsSettings {
    /// Returns the name of the setting.
    pub fn key(&self) -> &str {
        self.key
    }

    /// Returns the index of the invalid item of a list.
    pub(crate) fn index(&self) -> Option<usize> {
        self.index
    }

    /// Describes the mistake, without the value, which may come from an environment variable.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// Prefixes of the names of other metrics and of their samples.
const TAKEN: &[&str] = &[
    "http_requests_total",
    "http_request_size_bytes",
    "http_response_size_bytes",
    "http_request_duration_seconds",
    "http_request_duration_highr_seconds",
    "model_prediction",
    "process_",
    "log_",
];

impl MetricsSettings {
    /// Returns whether metrics are enabled in an environment.
    pub(crate) fn is_on(&self, variable: impl FnOnce(&str) -> Option<String>) -> bool {
        let is_true = |value: String| matches!(value.to_lowercase().as_str(), "true" | "1");
        self.enabled
            && (!self.should_respect_env_var || variable(&self.env_var_name).is_some_and(is_true))
    }

    /// Returns all mistakes.
    pub(crate) fn problems(&self) -> Vec<InvalidMetricsSettings> {
        let mut problems = Vec::new();
        let name = &self.inprogress_name;
        let taken = TAKEN.iter().any(|taken| name.starts_with(taken));
        let problem = if !is_metric_name(name) {
            Some("is not the name of a metric: use letters, digits and `_`, a letter first")
        } else {
            taken.then_some("is or may become the name of another metric: choose another one")
        };
        problems.extend(problem.map(|problem| InvalidMetricsSettings {
            key: "inprogress_name",
            index: None,
            value: name.clone(),
            problem: problem.to_owned(),
        }));
        let excluded = patterns("excluded_handlers", &self.excluded_handlers);
        if excluded.is_empty() {
            problems.extend(self.excluded_together().err());
        }
        problems.extend(excluded);
        problems
    }

    /// Compiles the expressions of excluded handlers.
    ///
    /// # Errors
    ///
    /// Fails with the first of [`problems`](Self::problems).
    pub(crate) fn excluded(&self) -> Result<RegexSet, InvalidMetricsSettings> {
        match self.problems().into_iter().next() {
            Some(problem) => Err(problem),
            None => self.excluded_together(),
        }
    }

    /// Compiles all expressions into one set. Valid expressions can be too large together.
    fn excluded_together(&self) -> Result<RegexSet, InvalidMetricsSettings> {
        RegexSet::new(&self.excluded_handlers).map_err(|error| InvalidMetricsSettings {
            key: "excluded_handlers",
            index: None,
            value: self.excluded_handlers.join(", "),
            problem: format!("cannot be used together: {}", last_line(&error)),
        })
    }
}

fn patterns(key: &'static str, patterns: &[String]) -> Vec<InvalidMetricsSettings> {
    let check = |(index, pattern): (usize, &String)| {
        let error = regex::Regex::new(pattern).err()?;
        let problem = format!("is not a regular expression: {}", last_line(&error));
        Some(InvalidMetricsSettings { key, index: Some(index), value: pattern.clone(), problem })
    };
    patterns.iter().enumerate().filter_map(check).collect()
}

/// Returns the last line of an error, the reason; the lines before quote the expression.
fn last_line(error: &regex::Error) -> String {
    let error = error.to_string();
    error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_asked_if_it_should_be() {
        let on = |enabled, should_respect_env_var, value: Option<&str>| {
            let settings =
                MetricsSettings { enabled, should_respect_env_var, ..MetricsSettings::default() };
            settings.is_on(|name| {
                assert_eq!(name, "ENABLE_METRICS");
                value.map(str::to_owned)
            })
        };
        assert!(on(true, false, None));
        assert!(on(true, true, Some("True")));
        assert!(on(true, true, Some("1")));
        assert!(!on(true, true, Some("yes")));
        assert!(!on(true, true, None));
        assert!(!on(false, false, None));
        assert!(!on(false, true, Some("true")));
    }
}
