//! Settings of the export: from code, and from the environment variables of OpenTelemetry.

use std::{ffi::OsString, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use ureq::http::Uri;

use crate::error::Error;

type Environment<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// Export to a collector over OTLP, as protobuf over HTTP.
///
/// Every record becomes a log record, and every `tracing` span becomes a span. All other settings come from the
/// environment variables of OpenTelemetry: the endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT`, or separate variables with
/// `_LOGS_` and `_TRACES_`), the resource (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`), headers, time-outs,
/// batches and the sampler.
///
/// ```no_run
/// # fn main() -> Result<(), ml_logging::Error> {
/// let collector = ml_logging::Otlp::new()
///     .endpoint("http://localhost:4318")
///     .resource_attribute("service.name", "insurance");
/// let _logging = ml_logging::builder().otlp(collector).init()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "nothing is exported before it is given to a handler or a builder"]
pub struct Otlp {
    endpoint: Option<String>,
    resource: Vec<(String, String)>,
}

/// Endpoints of the signals that are exported.
pub(super) struct Endpoints {
    pub(super) logs: Option<Endpoint>,
    pub(super) traces: Option<Endpoint>,
}

/// Endpoint of one signal.
pub(super) struct Endpoint {
    pub(super) url: String,
    /// Time limit for a request with its response.
    pub(super) timeout: Duration,
    /// Largest number of records or spans that wait.
    pub(super) queue: usize,
}

#[derive(Clone, Copy)]
enum Signal {
    Logs,
    Traces,
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

impl Signal {
    fn variable(self, what: &str) -> String {
        match self {
            Self::Logs => format!("OTEL_EXPORTER_OTLP_LOGS_{what}"),
            Self::Traces => format!("OTEL_EXPORTER_OTLP_TRACES_{what}"),
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Logs => "/v1/logs",
            Self::Traces => "/v1/traces",
        }
    }
}

impl Otlp {
    /// Creates an export to the endpoint of the environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the URL of the collector, for example `http://localhost:4318`. `/v1/logs` and `/v1/traces` are
    /// appended to it. Mistakes are reported when the logging is built.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sets an attribute of the resource, such as `service.name`. It replaces an attribute of the
    /// environment.
    pub fn resource_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// Returns the endpoints; `None` if the environment turns the export off.
    pub(super) fn endpoints(
        &self,
        environment: Environment<'_>,
    ) -> Result<Option<Endpoints>, Error> {
        let disabled = variable(environment, "OTEL_SDK_DISABLED");
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let logs = self.endpoint_of(
            Signal::Logs,
            "OTEL_LOGS_EXPORTER",
            "OTEL_BLRP_MAX_QUEUE_SIZE",
            environment,
        )?;
        let traces = self.endpoint_of(
            Signal::Traces,
            "OTEL_TRACES_EXPORTER",
            "OTEL_BSP_MAX_QUEUE_SIZE",
            environment,
        )?;
        let is_off = |name| variable(environment, name).as_deref() == Some("none");
        if logs.is_none()
            && traces.is_none()
            && !(is_off("OTEL_LOGS_EXPORTER") && is_off("OTEL_TRACES_EXPORTER"))
        {
            let problem = format!(
                "the address of the collector is missing; set `endpoint` or the variable {ENDPOINT}"
            );
            return Err(Error::Otlp { problem });
        }
        Ok(Some(Endpoints { logs, traces }))
    }

    fn endpoint_of(
        &self,
        signal: Signal,
        exporter: &str,
        queue: &str,
        environment: Environment<'_>,
    ) -> Result<Option<Endpoint>, Error> {
        match variable(environment, exporter).as_deref() {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(other) => {
                let problem = format!("{exporter} is `{other}`; supported are `otlp` and `none`");
                return Err(Error::Otlp { problem });
            }
        }
        let own = signal.variable("PROTOCOL");
        for name in [own.as_str(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            match variable(environment, name).as_deref() {
                None | Some("http/protobuf") => {}
                Some(other) => {
                    let problem = format!("{name} is `{other}`; only `http/protobuf` is supported");
                    return Err(Error::Otlp { problem });
                }
            }
        }
        let own = signal.variable("ENDPOINT");
        let below = |base: &str| format!("{}{}", base.trim_end_matches('/'), signal.path());
        let (source, url) = if let Some(base) = &self.endpoint {
            ("`endpoint`", below(base))
        } else if let Some(endpoint) = variable(environment, &own) {
            (own.as_str(), endpoint)
        } else if let Some(base) = variable(environment, ENDPOINT) {
            (ENDPOINT, below(&base))
        } else {
            return Ok(None);
        };
        check_url(&url)
            .map_err(|problem| Error::Otlp { problem: format!("{source}: {problem}") })?;
        let own = signal.variable("TIMEOUT");
        let timeout =
            number(environment, &own)?.or(number(environment, "OTEL_EXPORTER_OTLP_TIMEOUT")?);
        let queue = number(environment, queue)?.and_then(|size| usize::try_from(size).ok());
        Ok(Some(Endpoint {
            url,
            timeout: Duration::from_millis(timeout.unwrap_or(10_000)),
            queue: queue.unwrap_or(2048),
        }))
    }

    pub(super) fn resource(&self) -> Resource {
        let attributes = self.resource.iter();
        let attributes = attributes.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        Resource::builder().with_attributes(attributes).build()
    }
}

/// Checks the URL of a collector.
pub(super) fn check_url(url: &str) -> Result<(), String> {
    let example = "write for example `http://localhost:4318`";
    let parsed: Uri =
        url.parse().map_err(|error| format!("`{url}` is not a URL: {error}; {example}"))?;
    match parsed.scheme_str() {
        Some("http") if parsed.query().is_none() => Ok(()),
        Some("http") => Err(format!("`{url}` has a query; {example}")),
        Some("https") => Err(format!(
            "`{url}` requires TLS, which is not supported; use a collector on this machine, {example}"
        )),
        _ => Err(format!("`{url}` is not an HTTP URL; {example}")),
    }
}

/// Returns the value of a variable; `None` if it is empty or not set.
fn variable(environment: Environment<'_>, name: &str) -> Option<String> {
    let value = environment(name)?.to_string_lossy().trim().to_owned();
    (!value.is_empty()).then_some(value)
}

fn number(environment: Environment<'_>, name: &str) -> Result<Option<u64>, Error> {
    let Some(value) = variable(environment, name) else { return Ok(None) };
    match value.parse() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(Error::Otlp {
            problem: format!("{name} is `{value}`; it must be a number above 0"),
        }),
    }
}
