//! The service as its documentation describes it.

use crate::root_path::RootPath;

/// Name, version and description of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Info {
    /// Name for people.
    pub(crate) title: String,
    /// Version of the API.
    pub(crate) version: String,
    /// Purpose in CommonMark; may be empty.
    pub(crate) description: String,
    /// Whether requests need an API key, except those for health.
    pub(crate) has_api_keys: bool,
    /// Whether an admin key permits to set the levels of the log.
    pub(crate) has_admin_keys: bool,
    /// Path under which a proxy publishes the service.
    pub(crate) root_path: Option<RootPath>,
}

impl Info {
    /// Describes a service with version `0.1.0`, without a description and without keys.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            version: "0.1.0".to_owned(),
            description: String::new(),
            has_api_keys: false,
            has_admin_keys: false,
            root_path: None,
        }
    }

    /// Returns the title in snake_case: `insurance_charges_service` for `Insurance Charges Service`.
    pub(crate) fn service_name(&self) -> String {
        let words =
            self.title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
    }
}
