//! The path under which a proxy publishes the service.

/// A path such as `/insurance`, which the proxy removes from each request. It is safe in a `location` and
/// in a JSON document: it names no other host and needs no escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootPath(String);

impl RootPath {
    /// Parses segments of letters, digits and `-._~`, each after a `/`. Ignores a `/` at the end.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_segment = |segment: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            segment.bytes().all(is_plain) && !matches!(segment, "" | "." | "..")
        };
        let is_valid = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment));
        is_valid.then(|| Self(path.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_path_names_no_other_host_and_leaves_no_folder() {
        for (path, expected) in [
            ("/insurance", Some("/insurance")),
            ("/team/insurance-v1.2/", Some("/team/insurance-v1.2")),
            ("", None),
            ("/", None),
            ("insurance", None),
            ("//evil.example", None),
            ("/a//b", None),
            ("/a/../b", None),
            ("https://evil.example/", None),
            ("/a b", None),
            ("/a\"b", None),
            ("/a\\b", None),
            ("/ä", None),
        ] {
            let parsed = RootPath::parse(path);
            assert_eq!(parsed.as_ref().map(RootPath::as_str), expected, "{path}");
        }
    }
}
