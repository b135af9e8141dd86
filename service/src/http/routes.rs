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
        let (index, segment) = PARTS.iter().enumerate().find_map(|(index, (before, after))| {
            let rest = path.strip_prefix(before)?;
            let Some(after) = after else { return rest.is_empty().then_some((index, "")) };
            let segment = rest.strip_suffix(after)?;
            (!segment.is_empty() && !segment.contains('/')).then_some((index, segment))
        })?;
        let (_template, methods, resource) = ROUTES[index];
        let segment = match segment.contains('%') {
            true => percent_decode_str(segment).decode_utf8().ok(),
            false => Some(Cow::Borrowed(segment)),
        };
        Some(Self { index, resource, methods, segment })
    }
}

/// Texts before and after the placeholder of each template.
const PARTS: [(&str, Option<&str>); ROUTES.len()] = {
    let mut parts = [("", None); ROUTES.len()];
    let mut index = 0;
    while index < ROUTES.len() {
        parts[index] = split(ROUTES[index].0);
        index += 1;
    }
    parts
};

const fn split(template: &'static str) -> (&'static str, Option<&'static str>) {
    let bytes = template.as_bytes();
    let (mut open, mut close) = (0, bytes.len());
    while open < bytes.len() && bytes[open] != b'{' {
        open += 1;
    }
    if open == bytes.len() {
        return (template, None);
    }
    while bytes[close - 1] != b'}' {
        close -= 1;
    }
    (template.split_at(open).0, Some(template.split_at(close).1))
}

/// Returns whether a path belongs to a probe: requested every few seconds, and without keys.
pub(super) fn is_probe(path: &str) -> bool {
    path == "/api/health" || path.starts_with("/api/health/")
}
