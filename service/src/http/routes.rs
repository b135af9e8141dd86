//! The paths of the API and their methods.

use std::borrow::Cow;

use hyper::Method;
use percent_encoding::percent_decode_str;

/// Path of the levels of the log.
pub(crate) const LOG_LEVELS: &str = "/api/log/levels";

/// Paths of all routes with placeholders, their labels in metrics.
pub(crate) const TEMPLATES: [&str; 13] = [
    "/",
    "/openapi.json",
    "/docs",
    "/docs/{asset}",
    "/api/health",
    "/api/health/ready",
    "/api/health/startup",
    "/api/models",
    "/api/models/{qualified_name}/metadata",
    "/api/models/{qualified_name}/prediction",
    "/api/models/{qualified_name}/predictions",
    LOG_LEVELS,
    "/metrics",
];

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

    /// Returns the index of the route in [`TEMPLATES`].
    pub(super) fn index(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Document => 1,
            Self::Page => 2,
            Self::Asset(_) => 3,
            Self::Health => 4,
            Self::Ready => 5,
            Self::Startup => 6,
            Self::Models => 7,
            Self::Metadata(_) => 8,
            Self::Prediction(_) => 9,
            Self::Batch(_) => 10,
            Self::LogLevels => 11,
            Self::Metrics => 12,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_the_path_of_its_route() {
        for (index, template) in TEMPLATES.into_iter().enumerate() {
            let route = Route::of(template).expect("the template is a path");
            assert_eq!(route.index(), index, "{template}");
        }
    }
}
