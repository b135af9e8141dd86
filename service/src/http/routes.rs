//! The paths of the API and their methods.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Path of the levels of the log.
pub(crate) const LOG_LEVELS: &str = "/api/log/levels";

/// A resource of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Prediction,
    Batch,
    Models,
    Metadata,
    Health,
    Ready,
    Startup,
    Metrics,
    LogLevels,
    Root,
    Page,
    Asset,
    Document,
}

/// Template of the path, accepted methods and resource of each route. The most frequent one is first.
const ROUTES: [(&str, &str, Resource); 13] = [
    ("/api/models/{qualified_name}/prediction", "POST", Resource::Prediction),
    ("/api/models/{qualified_name}/predictions", "POST", Resource::Batch),
    ("/api/models", "GET,HEAD", Resource::Models),
    ("/api/models/{qualified_name}/metadata", "GET,HEAD", Resource::Metadata),
    ("/api/health", "GET,HEAD", Resource::Health),
    ("/api/health/ready", "GET,HEAD", Resource::Ready),
    ("/api/health/startup", "GET,HEAD", Resource::Startup),
    ("/metrics", "GET,HEAD", Resource::Metrics),
    (LOG_LEVELS, "GET,HEAD,PUT,DELETE", Resource::LogLevels),
    ("/", "GET,HEAD", Resource::Root),
    ("/docs", "GET,HEAD", Resource::Page),
    ("/docs/{asset}", "GET,HEAD", Resource::Asset),
    ("/openapi.json", "GET,HEAD", Resource::Document),
];

/// Returns the templates of all routes, their labels in metrics.
pub(crate) fn templates() -> [&'static str; ROUTES.len()] {
    ROUTES.map(|(template, ..)| template)
}

/// A route with the decoded segment of the path that its template names.
pub(super) struct Route<'p> {
    /// Index among [`templates`].
    pub(super) index: usize,
    pub(super) resource: Resource,
    /// Accepted methods, as in the header `allow`.
    pub(super) methods: &'static str,
    /// The segment; `None` if it is not UTF-8, empty if the template names none.
    pub(super) segment: Option<Cow<'p, str>>,
}

impl<'p> Route<'p> {
    /// Finds the route of a path.
    pub(super) fn of(path: &'p str) -> Option<Self> {
        ROUTES.iter().enumerate().find_map(|(index, &(template, methods, resource))| {
            let segment = percent_decode_str(segment(template, path)?).decode_utf8().ok();
            Some(Self { index, resource, methods, segment })
        })
    }
}

/// Matches a path with a template. Returns the segment that the template names.
fn segment<'p>(template: &str, path: &'p str) -> Option<&'p str> {
    let Some((before, rest)) = template.split_once('{') else {
        return (path == template).then_some("");
    };
    let (_name, after) = rest.split_once('}')?;
    let segment = path.strip_prefix(before)?.strip_suffix(after)?;
    (!segment.is_empty() && !segment.contains('/')).then_some(segment)
}

/// Returns whether a path belongs to a probe: requested every few seconds, and without keys.
pub(super) fn is_probe(path: &str) -> bool {
    path == "/api/health" || path.starts_with("/api/health/")
}
