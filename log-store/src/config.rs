//! Settings of `ml-logs serve`: the command line, and the file of `--config`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use ml_configuration::{Document, Kind, Mapping, Node, Problems};

/// Folder of the store if none is given.
pub(crate) const STORE: &str = "ml-logs-store";

/// Prefix of environment variables that replace values of the file: `ML_LOGS__ADDRESS`.
const OVERRIDES: &str = "ML_LOGS";

/// Settings that are given; the others have their defaults.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) store: Option<PathBuf>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) retention_days: Option<u32>,
    pub(crate) max_size: Option<u64>,
    pub(crate) min_free: Option<u64>,
    pub(crate) time_zone: Option<TimeZone>,
    pub(crate) token: Option<String>,
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Fails with all mistakes in it.
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let mut document = Document::read(path)?;
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        document.override_from(OVERRIDES, variables)?;
        let mut problems = Problems::new();
        let Some(mapping) = document.root().mapping(&mut problems) else { return Err(problems) };
        let settings = Self::of(mapping, &mut problems);
        problems.into_result(settings)
    }

    fn of(mut mapping: Mapping<'_>, problems: &mut Problems) -> Self {
        let mut settings = Self::default();
        if let Some(node) = mapping.optional("files") {
            let files = match node.kind() {
                Kind::Text => vec![node],
                _ => node.list(problems).unwrap_or_default(),
            };
            settings.files =
                files.iter().filter_map(|file| file.string(problems)).map(PathBuf::from).collect();
        }
        if let Some(node) = mapping.optional("store") {
            settings.store = node.string(problems).map(PathBuf::from);
        }
        settings.address =
            mapping.optional("address").and_then(|node| parsed(node, address, problems));
        if let Some(node) = mapping.optional("retention_days") {
            settings.retention_days = node.integer(0..=36_500, problems);
        }
        settings.max_size =
            mapping.optional("max_size").and_then(|node| parsed(node, size, problems));
        settings.min_free =
            mapping.optional("min_free").and_then(|node| parsed(node, size, problems));
        settings.time_zone =
            mapping.optional("time_zone").and_then(|node| parsed(node, time_zone, problems));
        // Not `optional`, so that an empty value cannot open the page to a network.
        settings.token = mapping.get("token").and_then(|node| token(node, problems));
        mapping.finish(problems);
        settings
    }

    /// Returns these settings, and those of `others` where these have none.
    pub(crate) fn or(self, others: Self) -> Self {
        Self {
            files: if self.files.is_empty() { others.files } else { self.files },
            store: self.store.or(others.store),
            address: self.address.or(others.address),
            retention_days: self.retention_days.or(others.retention_days),
            max_size: self.max_size.or(others.max_size),
            min_free: self.min_free.or(others.min_free),
            time_zone: self.time_zone.or(others.time_zone),
            token: self.token.or(others.token),
        }
    }
}

fn parsed<T>(
    node: Node<'_>,
    parse: impl Fn(&str) -> Result<T, String>,
    problems: &mut Problems,
) -> Option<T> {
    let value = parse(node.string(problems)?);
    value.map_err(|message| node.report(problems, message)).ok()
}

fn token(node: Node<'_>, problems: &mut Problems) -> Option<String> {
    const FORM: &str = "expected `file:` with the path of a file that has the token; the token itself does \
                        not belong in this file";
    if node.kind() != Kind::Mapping {
        node.report(problems, FORM);
        return None;
    }
    let mut mapping = node.mapping(problems)?.hiding_unknown_keys();
    let file = mapping.optional("file");
    mapping.finish(problems);
    let Some(file) = file else {
        node.report(problems, FORM);
        return None;
    };
    let token = token_from_file(Path::new(file.string(problems)?));
    token.map_err(|message| file.report(problems, message)).ok()
}

/// Reads a token from a file.
pub(crate) fn token_from_file(path: &Path) -> Result<String, String> {
    const LEAST: usize = 16;
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the token from {}: {error}", path.display()))?;
    let token = text.trim();
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.len() < LEAST || !token.bytes().all(is_valid) {
        return Err(format!(
            "the token in {} must have at least {LEAST} letters, digits or characters of `-._~+/=`, on one \
             line; `openssl rand -hex 32` makes one",
            path.display()
        ));
    }
    Ok(token.to_owned())
}

/// Reads an address.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected an IP address and a port, as in `127.0.0.1:8001`".to_owned())
}

/// Reads a number of bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let error = || format!("expected a size such as `500MB`, `10GB` or `2GiB`, found `{text}`");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().map_err(|_| error())?;
    let unit = match text[end..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        "tib" => 1_099_511_627_776.0,
        _ => return Err(error()),
    };
    Ok((number * unit) as u64)
}

/// Reads the name of a time zone.
pub(crate) fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| {
        format!("unknown time zone `{text}`; write a name such as `Europe/Berlin` or `UTC`")
    })
}
