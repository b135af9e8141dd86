//! `server:`: address, limits, keys.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ml_configuration::{Kind, Node, Problems};

use super::api_keys::{ApiKeys, is_shared};
use crate::metrics::max_open_files;
use crate::root_path::RootPath;

/// Address and limits of the service.
#[derive(Debug)]
pub(crate) struct ServerSettings {
    pub(crate) address: Option<SocketAddr>,
    /// Maximum number of open connections.
    pub(crate) connection_limit: usize,
    /// Maximum size of the head of a request in bytes.
    pub(crate) head_limit_bytes: usize,
    /// Maximum size of a body in bytes, compressed and decompressed.
    pub(crate) body_limit_bytes: usize,
    /// Maximum number of rows of a batch.
    pub(crate) batch_limit_rows: usize,
    /// Time for the head of a request, including the time between two requests.
    pub(crate) header_timeout: Duration,
    /// Time for the body of a request, and time for a prediction.
    pub(crate) request_timeout: Duration,
    /// Time without progress after which a client that does not take its answer is disconnected.
    pub(crate) write_timeout: Duration,
    /// Time after SIGTERM during which requests are accepted and readiness is refused.
    pub(crate) readiness_delay: Duration,
    /// Time after that during which connections stay open for requests on their way; a part of `drain_limit`.
    pub(crate) close_grace: Duration,
    /// Time after `readiness_delay` for accepted requests and calls to finish.
    pub(crate) drain_limit: Duration,
    pub(crate) compression: bool,
    /// Path under which a proxy publishes the service.
    pub(crate) root_path: Option<RootPath>,
    pub(crate) api_keys: Option<Arc<ApiKeys>>,
    /// Keys that permit to set the levels of the log.
    pub(crate) admin_keys: Option<Arc<ApiKeys>>,
    /// Origins whose pages may call the service; `*` allows any.
    pub(crate) allowed_origins: Vec<String>,
    /// Whether answers contain the reasons of failures inside the service; `None` is the default.
    show_error_details: Option<bool>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            address: None,
            connection_limit: default_connection_limit(),
            head_limit_bytes: 32 * 1024,
            body_limit_bytes: 1024 * 1024,
            batch_limit_rows: 1000,
            header_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            readiness_delay: Duration::ZERO,
            close_grace: Duration::from_millis(500),
            drain_limit: Duration::from_secs(15),
            compression: true,
            root_path: None,
            api_keys: None,
            admin_keys: None,
            allowed_origins: Vec::new(),
            show_error_details: None,
        }
    }
}

impl ServerSettings {
    pub(super) fn read(node: Node<'_>, problems: &mut Problems) -> Self {
        let mut settings = Self::default();
        let Some(mut mapping) = node.mapping(problems) else { return settings };
        for key in ["host", "port"] {
            mapping.refuse(key, "write both in `address`, as in `address: 0.0.0.0:8000`", problems);
        }
        if let Some(node) = mapping.optional("address") {
            settings.address = read_address(node, problems);
        }
        let sizes = [
            ("connection_limit", 1..=1 << 20, &mut settings.connection_limit),
            ("head_limit_bytes", SMALLEST_HEAD_LIMIT..=1 << 20, &mut settings.head_limit_bytes),
            ("body_limit_bytes", 1..=1 << 40, &mut settings.body_limit_bytes),
            ("batch_limit_rows", 1..=1 << 40, &mut settings.batch_limit_rows),
        ];
        for (key, range, size) in sizes {
            let node = mapping.optional(key);
            if let Some(given) = node.and_then(|node| node.integer(range, problems)) {
                *size = given;
            }
        }
        let times = [
            ("header_timeout_s", true, &mut settings.header_timeout),
            ("request_timeout_s", true, &mut settings.request_timeout),
            ("write_timeout_s", true, &mut settings.write_timeout),
            ("readiness_delay_s", false, &mut settings.readiness_delay),
            ("close_grace_s", false, &mut settings.close_grace),
            ("drain_limit_s", false, &mut settings.drain_limit),
        ];
        for (key, takes_time, time) in times {
            let Some(node) = mapping.optional(key) else { continue };
            let Some(given) = node.duration_s(problems) else { continue };
            if takes_time && given.is_zero() {
                node.report(problems, "must be more than 0 seconds");
            }
            *time = given;
        }
        if let Some(given) = mapping.optional("compression").and_then(|node| node.boolean(problems))
        {
            settings.compression = given;
        }
        if let Some(node) = mapping.optional("root_path") {
            settings.root_path = node.string(problems).and_then(RootPath::parse);
            if settings.root_path.is_none() {
                node.report(problems, "expected a path without escapes, as in `/insurance`");
            }
        }
        let details = mapping.optional("show_error_details");
        settings.show_error_details = details.and_then(|node| node.boolean(problems));
        // Not `optional`, so that an empty value cannot disable authentication.
        let empty = |key: &str, without: &str| {
            format!(
                "`{key}` is empty; write `file:` with a path or `environment:` with the name of a variable below it, \
                 or remove the key {without}"
            )
        };
        let remedy = empty("api_keys", "to serve without API keys");
        settings.api_keys =
            mapping.get("api_keys").and_then(|node| read_keys(node, &remedy, problems));
        let remedy = empty("admin_keys", "if the levels of the log are not to be set");
        let admin = mapping.get("admin_keys");
        settings.admin_keys = admin.and_then(|node| read_keys(node, &remedy, problems));
        if let (Some(node), Some(admin), Some(keys)) =
            (admin, &settings.admin_keys, &settings.api_keys)
            && let Some(number) = admin.first_of(keys)
        {
            node.report(problems, is_shared(number));
        }
        if let Some(node) = mapping.optional("allowed_origins") {
            settings.allowed_origins = read_origins(node, problems);
        }
        mapping.finish(problems);
        settings
    }

    /// Returns whether answers contain the reasons of failures inside the service. By default they do if
    /// only programs of this machine can reach the address, and no keys tell clients apart.
    pub(crate) fn shows_error_details(&self, address: IpAddr) -> bool {
        let is_local = address.is_loopback() && self.api_keys.is_none();
        self.show_error_details.unwrap_or(is_local)
    }
}

/// Smallest buffer of hyper.
const SMALLEST_HEAD_LIMIT: usize = 8192;

/// Returns the default connection limit, which leaves file descriptors for other purposes.
fn default_connection_limit() -> usize {
    const LIMIT: usize = 1024;
    const OTHER_DESCRIPTORS: usize = 128;
    let descriptors = max_open_files().map_or(usize::MAX, |limit| limit as usize);
    descriptors.saturating_sub(OTHER_DESCRIPTORS).clamp(16, LIMIT)
}

fn read_address(node: Node<'_>, problems: &mut Problems) -> Option<SocketAddr> {
    // A port alone is a number, for which the usual message suggests quotes.
    let text = match node.kind() {
        Kind::Text => node.string(problems),
        _ => None,
    };
    let address = text.and_then(|text| address(text).ok());
    if address.is_none() {
        node.report(problems, NO_ADDRESS);
    }
    address
}

const NO_ADDRESS: &str =
    "expected an IP address or `localhost`, and a port, as in `127.0.0.1:8000`";

/// Parses an address; `localhost` is 127.0.0.1. The error shows the expected form.
pub(crate) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    match local {
        Some(port) => Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
        None => text.parse().map_err(|_| NO_ADDRESS),
    }
}

fn read_keys(node: Node<'_>, empty: &str, problems: &mut Problems) -> Option<Arc<ApiKeys>> {
    const FORM: &str = "expected `file:` with a path or `environment:` with the name of a variable; \
                        the keys themselves do not belong in this file";
    if node.is_null() {
        node.report(problems, empty);
        return None;
    }
    if node.kind() != Kind::Mapping {
        node.report(problems, FORM);
        return None;
    }
    let mut mapping = node.mapping(problems)?.hiding_unknown_keys();
    let file = mapping.optional("file");
    let environment = mapping.optional("environment");
    let mut unknown = Problems::new();
    mapping.finish(&mut unknown);
    let has_unknown = !unknown.is_empty();
    problems.extend(unknown);
    let (source, keys) = match (file, environment) {
        (Some(file), None) => (file, ApiKeys::from_file(Path::new(file.string(problems)?))),
        (None, Some(variable)) => (variable, ApiKeys::from_environment(variable.string(problems)?)),
        (Some(_), Some(_)) => {
            node.report(problems, "give `file` or `environment`, not both");
            return None;
        }
        // The unknown key is probably a misspelt one of the two.
        (None, None) if has_unknown => return None,
        (None, None) => {
            node.report(problems, FORM);
            return None;
        }
    };
    match keys {
        Ok(keys) => Some(Arc::new(keys)),
        Err(message) => {
            source.report(problems, message);
            None
        }
    }
}

fn read_origins(node: Node<'_>, problems: &mut Problems) -> Vec<String> {
    let mut origins = Vec::new();
    for node in node.list(problems).unwrap_or_default() {
        let Some(origin) = node.string(problems) else { continue };
        let is_origin = origin == "*"
            || origin.split_once("://").is_some_and(|(scheme, host)| {
                !scheme.is_empty() && !host.is_empty() && !host.contains('/')
            });
        if !is_origin {
            let message =
                "expected an origin, as in `https://app.example.com` (without a path), or `*`";
            node.report(problems, message);
        }
        origins.push(origin.to_owned());
    }
    if origins.len() > 1 && origins.iter().any(|origin| origin == "*") {
        node.report(problems, "`*` allows every origin: list nothing else beside it");
    }
    origins
}
