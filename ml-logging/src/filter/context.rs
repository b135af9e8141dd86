//! Context filters: fields that describe where the program runs.
//!
//! The name comes from Python, where a `logging.Filter` adds attributes to a record, which the format string
//! then names. Here the values are fixed when the logging is built.

use std::{env, ffi::OsString};

/// Provides context fields that a format string may name.
///
/// The values are fixed when the logging is set up. Only fields that the format names are written.
///
/// ```
/// use ml_logging::ContextFilter;
///
/// struct Release;
///
/// impl ContextFilter for Release {
///     fn fields(&self) -> Vec<(String, String)> {
///         vec![("release".to_owned(), "2026-03".to_owned())]
///     }
/// }
///
/// let (subscriber, _logging) = ml_logging::builder()
///     .format("%(asctime)s %(release)s %(message)s")
///     .filter(Release)
///     .build()?;
/// # drop(subscriber);
/// # Ok::<(), ml_logging::Error>(())
/// ```
pub trait ContextFilter {
    /// Returns the names and values of the fields. Called once.
    fn fields(&self) -> Vec<(String, String)>;
}

/// Value of a field that is not available, as in the Python services.
const NOT_AVAILABLE: &str = "N/A";

/// Provides `hostname`, the name of the machine, pod or container, or `N/A`.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostnameFilter;

impl HostnameFilter {
    /// Creates the filter.
    pub fn new() -> Self {
        Self
    }
}

impl ContextFilter for HostnameFilter {
    fn fields(&self) -> Vec<(String, String)> {
        let name = hostname::get().ok().and_then(|name| name.into_string().ok());
        vec![("hostname".to_owned(), name.unwrap_or_else(|| NOT_AVAILABLE.to_owned()))]
    }
}

/// Names of environment variables: one, or a list.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name environment variables",
    label = "expected a name or a list of names",
    note = "write one name, as in `\"NODE_IP\"`, or a list, as in `[\"NODE_IP\", \"POD_NAME\"]`"
)]
pub trait VariableNames {
    /// Returns the names.
    fn into_names(self) -> Vec<String>;
}

impl VariableNames for &str {
    fn into_names(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl<S: Into<String>> VariableNames for Vec<S> {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Into<String>, const N: usize> VariableNames for [S; N] {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Clone + Into<String>> VariableNames for &[S] {
    fn into_names(self) -> Vec<String> {
        self.iter().cloned().map(Into::into).collect()
    }
}

/// Provides environment variables as fields. The name of a field is the name of its variable in lower case. The
/// value is `N/A` if the variable is not set or not Unicode.
#[derive(Debug, Clone)]
pub struct EnvironmentInfoFilter {
    fields: Vec<(String, String)>,
}

impl EnvironmentInfoFilter {
    /// Creates the filter, and reads the variables immediately.
    pub fn new(variables: impl VariableNames) -> Self {
        Self::with_lookup(variables, |name| env::var_os(name))
    }

    /// Creates the filter, and reads the variables through a function instead of the environment.
    ///
    /// ```
    /// use ml_logging::{ContextFilter, EnvironmentInfoFilter};
    ///
    /// let filter = EnvironmentInfoFilter::with_lookup(["POD_NAME", "NODE_NAME"], |name| {
    ///     (name == "POD_NAME").then(|| "pod-1".into())
    /// });
    /// assert_eq!(
    ///     filter.fields(),
    ///     [("pod_name".into(), "pod-1".into()), ("node_name".into(), "N/A".into())],
    /// );
    /// ```
    pub fn with_lookup(
        variables: impl VariableNames,
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let field = |variable: String| {
            let value = lookup(&variable).and_then(|value| value.into_string().ok());
            (variable.to_lowercase(), value.unwrap_or_else(|| NOT_AVAILABLE.to_owned()))
        };
        Self { fields: variables.into_names().into_iter().map(field).collect() }
    }
}

impl ContextFilter for EnvironmentInfoFilter {
    fn fields(&self) -> Vec<(String, String)> {
        self.fields.clone()
    }
}
