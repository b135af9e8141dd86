//! Classes of filters.

use std::fmt;

use ml_configuration::{Mapping, Problems};

use crate::filter::{ContextFilter, EnvironmentInfoFilter, HostnameFilter};

type Fields = Vec<(String, String)>;
type Make = Box<dyn Fn(&mut Mapping<'_>, &mut Problems) -> Option<Fields> + Send + Sync>;

/// Classes of filters that a configuration may name: `HostnameFilter`, `EnvironmentInfoFilter`, and those that
/// the program adds.
///
/// ```
/// use ml_logging::{ContextFilter, Filters};
///
/// struct ReleaseFilter(String);
///
/// impl ContextFilter for ReleaseFilter {
///     fn fields(&self) -> Vec<(String, String)> {
///         vec![("release".to_owned(), self.0.clone())]
///     }
/// }
///
/// // filters: {release: {class: ReleaseFilter, prefix: v}}
/// let filters = Filters::new().with("ReleaseFilter", |keys, problems| {
///     let prefix = keys.required("prefix", problems)?.string(problems)?;
///     Some(ReleaseFilter(format!("{prefix}1.0")))
/// });
/// # drop(filters);
/// ```
pub struct Filters {
    known: Vec<(String, Make)>,
}

impl Filters {
    /// Creates the list of the built-in classes.
    pub fn new() -> Self {
        Self { known: Vec::new() }
            .with("HostnameFilter", |_, _| Some(HostnameFilter::new()))
            .with("EnvironmentInfoFilter", environment_info)
    }

    /// Adds a class, and replaces a class of the same name.
    ///
    /// `make` receives the keys of the filter, and reports mistakes in them. Keys that it does not read are
    /// reported as unknown.
    #[must_use]
    pub fn with<F: ContextFilter>(
        mut self,
        class: impl Into<String>,
        make: impl Fn(&mut Mapping<'_>, &mut Problems) -> Option<F> + Send + Sync + 'static,
    ) -> Self {
        let class = class.into();
        self.known.retain(|(known, _)| *known != class);
        let make = move |keys: &mut Mapping<'_>, problems: &mut Problems| {
            Some(make(keys, problems)?.fields())
        };
        self.known.push((class, Box::new(make)));
        self
    }

    /// Returns the names of the classes.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|(class, _)| class.as_str())
    }

    pub(super) fn get(&self, class: &str) -> Option<&Make> {
        self.known.iter().find(|(known, _)| known == class).map(|(_, make)| make)
    }
}

fn environment_info(
    keys: &mut Mapping<'_>,
    problems: &mut Problems,
) -> Option<EnvironmentInfoFilter> {
    let list = keys.required("env_variables", problems)?.list(problems)?;
    let variables: Vec<_> = list.iter().map(|node| node.string(problems)).collect();
    Some(EnvironmentInfoFilter::new(variables.into_iter().collect::<Option<Vec<_>>>()?))
}

impl Default for Filters {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.classes()).finish()
    }
}
