//! Export of records and spans over OTLP, the protocol of OpenTelemetry.
//!
//! A record is exported from the JSON of its formatter, so that it has the same fields as the JSON line
//! ([`sink`]). The spans of `tracing` become spans of OpenTelemetry ([`spans`]). The SDK of OpenTelemetry batches,
//! retries and encodes on threads of its own. It drops records silently, so that a [`tally`] counts around it.
//!
//! Everything except the registration in this file requires the feature `opentelemetry`.

#[cfg(feature = "opentelemetry")]
mod client;
#[cfg(feature = "opentelemetry")]
mod dict_config;
#[cfg(feature = "opentelemetry")]
mod export;
#[cfg(feature = "opentelemetry")]
mod settings;
#[cfg(feature = "opentelemetry")]
mod sink;
#[cfg(feature = "opentelemetry")]
mod spans;
#[cfg(feature = "opentelemetry")]
mod tally;
#[cfg(feature = "opentelemetry")]
mod value;

use std::ffi::OsString;

#[cfg(feature = "opentelemetry")]
pub use self::settings::Otlp;
use crate::config::{dict_config::handlers::ExtraClass, export::Export};

/// Class of the handler in a file.
pub(crate) const HANDLER_CLASS: ExtraClass = ExtraClass {
    name: "OtlpHandler",
    is_listed: cfg!(feature = "opentelemetry"),
    #[cfg(feature = "opentelemetry")]
    read: dict_config::read,
    #[cfg(not(feature = "opentelemetry"))]
    read: |handler, problems| {
        let message = "this program is built without OTLP; build it with the feature \
             `opentelemetry` of `ml-logging` or `ml-model-service`, or remove the handler";
        handler.class.report(problems, message);
        None
    },
};

/// Variables that request an export.
const ENDPOINTS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];

/// Returns the export that environment variables request. Without the feature, reports the variable on standard
/// error.
pub(crate) fn from_environment(
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Option<Box<dyn Export>> {
    let is_set = |name: &&str| {
        environment(name).is_some_and(|value| !value.to_string_lossy().trim().is_empty())
    };
    let _endpoint = ENDPOINTS.iter().find(|name| is_set(name))?;
    #[cfg(feature = "opentelemetry")]
    return Some(Box::new(Otlp::new()));
    #[cfg(not(feature = "opentelemetry"))]
    {
        let disabled = environment("OTEL_SDK_DISABLED");
        if !disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            crate::sink::report(format_args!(
                "{_endpoint} is set, but this program is built without the feature \
                 `opentelemetry`: nothing is exported"
            ));
        }
        None
    }
}
