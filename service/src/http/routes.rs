//! The paths of the API and their methods.

use std::borrow::Cow;

use hyper::Method;
use percent_encoding::percent_decode_str;

/// Path of the levels of the log.
pub(crate) const LOG_LEVELS: &str = "/api/log/levels";

/// A path of the API, with the segment that names a model or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route<'p> {
    Root,
    Document,
    Page,
    Asset(Segment<'p>),
    Health,
    Ready,
    Startup,
    Models,
    Metadata(Segment<'p>),
    Prediction(Segment<'p>),
    Batch(Segment<'p>),
    LogLevels,
    Metrics,
}

/// A decoded segment of a path; `None` if it is not UTF-8.
pub(super) type Segment<'p> = Option<Cow<'p, str>>;

impl<'p> Route<'p> {
    /// Finds the route of a path.
    pub(super) fn of(path: &'p str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix("/api/models/") {
            let (name, endpoint) = rest.split_once('/')?;
            let route = match endpoint {
                "prediction" => Self::Prediction,
                "predictions" => Self::Batch,
                "metadata" => Self::Metadata,
                _ => return None,
            };
            return (!name.is_empty()).then(|| route(decoded(name)));
        }
        Some(match path {
            "/" => Self::Root,
            "/openapi.json" => Self::Document,
            "/docs" => Self::Page,
            "/api/health" => Self::Health,
            "/api/health/ready" => Self::Ready,
            "/api/health/startup" => Self::Startup,
            "/api/models" => Self::Models,
            LOG_LEVELS => Self::LogLevels,
            "/metrics" => Self::Metrics,
            _ => {
                let name = path.strip_prefix("/docs/")?;
                let is_segment = !name.is_empty() && !name.contains('/');
                return is_segment.then(|| Self::Asset(decoded(name)));
            }
        })
    }

    /// Returns the path with placeholders, the label of the route in metrics.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Document => "/openapi.json",
            Self::Page => "/docs",
            Self::Asset(_) => "/docs/{asset}",
            Self::Health => "/api/health",
            Self::Ready => "/api/health/ready",
            Self::Startup => "/api/health/startup",
            Self::Models => "/api/models",
            Self::Metadata(_) => "/api/models/{qualified_name}/metadata",
            Self::Prediction(_) => "/api/models/{qualified_name}/prediction",
            Self::Batch(_) => "/api/models/{qualified_name}/predictions",
            Self::LogLevels => LOG_LEVELS,
            Self::Metrics => "/metrics",
        }
    }

    /// Returns the methods that the route accepts, as in the header `allow`.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Prediction(_) | Self::Batch(_) => "POST",
            Self::LogLevels => "GET,HEAD,PUT,DELETE",
            _ => "GET,HEAD",
        }
    }

    /// Returns whether the route accepts a method.
    pub(super) fn accepts(&self, method: &Method) -> bool {
        self.methods().split(',').any(|accepted| accepted == method.as_str())
    }
}

fn decoded(segment: &str) -> Segment<'_> {
    percent_decode_str(segment).decode_utf8().ok()
}

/// Returns whether a path belongs to a probe: requested every few seconds, and without keys.
pub(super) fn is_probe(path: &str) -> bool {
    path == "/api/health" || path.starts_with("/api/health/")
}
