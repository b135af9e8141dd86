//! Where the collector is and who sends to it: from code, and from the variables that OpenTelemetry
//! has for it.

use std::{ffi::OsString, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use ureq::http::Uri;

use crate::Error;

type Environment<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// Export to a collector over OTLP, as protobuf over HTTP.
///
/// Both signals are exported: every record as a log record, every `tracing` span as a span. What is not
/// set here is looked up in the environment variables of OpenTelemetry: the endpoint
/// (`OTEL_EXPORTER_OTLP_ENDPOINT`, or one for each of `_LOGS_` and `_TRACES_`), the resource
/// (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`), headers, time-outs, batches and the sampler.
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

/// The signals that are exported, and where to.
pub(super) struct Targets {
    pub(super) logs: Option<Target>,
    pub(super) traces: Option<Target>,
}

pub(super) struct Target {
    pub(super) endpoint: String,
    /// For a request with its answer.
    pub(super) timeout: Duration,
    /// How many may wait.
    pub(super) queue: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Signal {
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

    /// The scope of what has no target.
    pub(super) fn scope(self) -> &'static str {
        env!("CARGO_PKG_NAME")
    }
}

impl Otlp {
    /// Export to where the environment says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the address of the collector, `http://localhost:4318`; `/v1/logs` and `/v1/traces` are
    /// added to it. Mistakes in it are reported when the logging is built.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sets an attribute of the resource, such as `service.name`; it beats those of the
    /// environment.
    pub fn resource_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// The export that the environment alone asks for.
    pub(crate) fn of_environment(environment: Environment<'_>) -> Option<Self> {
        let endpoints = [
            ENDPOINT.into(),
            Signal::Logs.variable("ENDPOINT"),
            Signal::Traces.variable("ENDPOINT"),
        ];
        endpoints.iter().any(|name| variable(environment, name).is_some()).then(Self::new)
    }

    /// `None` if the environment switches the export off.
    pub(super) fn targets(&self, environment: Environment<'_>) -> Result<Option<Targets>, Error> {
        let disabled = variable(environment, "OTEL_SDK_DISABLED");
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let logs = self.target(
            Signal::Logs,
            "OTEL_LOGS_EXPORTER",
            "OTEL_BLRP_MAX_QUEUE_SIZE",
            environment,
        )?;
        let traces = self.target(
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
                "nobody says where the collector is; set `endpoint` or the variable {ENDPOINT}"
            );
            return Err(Error::Otlp { problem });
        }
        Ok(Some(Targets { logs, traces }))
    }

    fn target(
        &self,
        signal: Signal,
        exporter: &str,
        queue: &str,
        environment: Environment<'_>,
    ) -> Result<Option<Target>, Error> {
        match variable(environment, exporter).as_deref() {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(other) => {
                let problem = format!("{exporter} is `{other}`; there are `otlp` and `none`");
                return Err(Error::Otlp { problem });
            }
        }
        let own = signal.variable("PROTOCOL");
        for name in [own.as_str(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            match variable(environment, name).as_deref() {
                None | Some("http/protobuf") => {}
                Some(other) => {
                    let problem = format!("{name} is `{other}`; there is only `http/protobuf`");
                    return Err(Error::Otlp { problem });
                }
            }
        }
        let own = signal.variable("ENDPOINT");
        let below = |base: &str| format!("{}{}", base.trim_end_matches('/'), signal.path());
        let (source, endpoint) = if let Some(base) = &self.endpoint {
            ("`endpoint`", below(base))
        } else if let Some(endpoint) = variable(environment, &own) {
            (own.as_str(), endpoint)
        } else if let Some(base) = variable(environment, ENDPOINT) {
            (ENDPOINT, below(&base))
        } else {
            return Ok(None);
        };
        check_endpoint(&endpoint)
            .map_err(|problem| Error::Otlp { problem: format!("{source}: {problem}") })?;
        let own = signal.variable("TIMEOUT");
        let timeout =
            number(environment, &own)?.or(number(environment, "OTEL_EXPORTER_OTLP_TIMEOUT")?);
        let queue = number(environment, queue)?.and_then(|size| usize::try_from(size).ok());
        Ok(Some(Target {
            endpoint,
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

/// Whether there can be a collector at such an address, and what is wrong otherwise.
pub(crate) fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let example = "write for example `http://localhost:4318`";
    let address: Uri = endpoint
        .parse()
        .map_err(|error| format!("`{endpoint}` is no address: {error}; {example}"))?;
    match address.scheme_str() {
        Some("http") if address.query().is_none() => Ok(()),
        Some("http") => Err(format!("`{endpoint}` has a query; {example}")),
        Some("https") => Err(format!(
            "`{endpoint}` wants TLS, which is not built in; send to a collector beside this program, {example}"
        )),
        _ => Err(format!("`{endpoint}` is no address of HTTP; {example}")),
    }
}

/// The variable, if it is set and not empty.
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
