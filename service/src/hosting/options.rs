//! How a model is hosted.

/// Where the predictions of a model run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Execution {
    /// On the thread that has read the request.
    Inline,
    /// On the blocking pool, where a model may block, sleep, or drive a runtime of its own.
    #[default]
    Blocking,
}

/// Options of one hosted model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostingOptions {
    pub(crate) execution: Execution,
    /// Maximum number of calls at the same time; more are rejected.
    pub(crate) concurrency_limit: Option<usize>,
    pub(crate) has_endpoint: bool,
}
