//! The command line of a service: flags, environment variables, and the commands that do not serve.

pub(crate) mod next_step;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{env, io};

use clap::{Parser, Subcommand};
use ml_configuration::{Document, Problems, nearest};
use ml_logging::{EcsFormatter, Handler};
use ml_model_core::error_chain;
use tracing::Dispatch;

use crate::config::{self, Configuration, OVERRIDES};
use crate::export::{self, DescribedRecords, Target};
use crate::hosting::loading::{load, options_of};
use crate::hosting::registered::{BoxError, ModelRegistration, Registered};
use crate::info::Info;
use crate::openapi;

/// Hosts ML models behind a REST API.
#[derive(Debug, Parser)]
#[command(version = None, about)]
pub(crate) struct CommandLine {
    /// Prints the version of the service and those of its models.
    #[arg(short = 'V', long)]
    pub(crate) version: bool,

    /// Address and port to listen on; port 0 selects a free one [env: ML_SERVICE_ADDRESS]
    /// [default: the configured one, or 127.0.0.1:8000].
    #[arg(long, value_name = "IP:PORT", value_parser = config::address, global = true)]
    address: Option<SocketAddr>,

    /// Not an option: programs with a port of their own have it.
    #[arg(long, hide = true, global = true, value_parser = no_port)]
    port: Option<String>,

    /// The configuration file [env: REST_CONFIG] [default: rest_config.yaml if it exists, else the
    /// registered models with their attributes].
    #[arg(
        long = "config",
        visible_alias = "configuration-file",
        alias = "configuration_file",
        value_name = "FILE",
        global = true
    )]
    file: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the models, as without a command.
    Serve,
    /// Checks the configuration and reports all mistakes in it.
    CheckConfig {
        /// The configuration file, as an alternative to `--config`.
        #[arg(value_name = "FILE", conflicts_with = "file")]
        checked: Option<PathBuf>,
    },
    /// Writes the OpenAPI document. Replaces a file only if this command has written it.
    #[command(alias = "generate_openapi")]
    GenerateOpenapi {
        /// Output file: JSON if the name ends in `.json`, else YAML.
        #[arg(long, alias = "output_file", default_value = "openapi.yaml", value_name = "FILE")]
        output_file: PathBuf,
    },
    /// Writes files about the records and metrics of the models for another system.
    Export {
        /// The other system.
        #[arg(value_name = "WHAT")]
        target: Target,
        /// Output folder; created if necessary.
        #[arg(long, value_name = "DIR")]
        output_dir: PathBuf,
        /// Address of the runbook; each alert links to its section.
        #[arg(long, value_name = "URL", default_value = "docs/runbook.md")]
        runbook_url: String,
    },
}

/// File that is read by default, if it exists.
const DEFAULT_FILE: &str = "rest_config.yaml";

// clap would report empty variables as errors, and without their names.
impl CommandLine {
    /// Returns the address of the flag or the environment.
    pub(crate) fn address(&self, problems: &mut Problems) -> Option<SocketAddr> {
        const VARIABLE: &str = "ML_SERVICE_ADDRESS";
        let given = match self.address {
            Some(address) => return Some(address),
            None => variable(VARIABLE)?,
        };
        let address = config::address(&given.to_string_lossy());
        address
            .map_err(|problem| problems.add(format!("environment variable {VARIABLE}: {problem}")))
            .ok()
    }

    /// Returns the file to read; `None` if there is none.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let checked = match &self.command {
            Some(Command::CheckConfig { checked }) => checked.clone(),
            _ => None,
        };
        let named = self.file.clone().or(checked);
        let named = named.or_else(|| variable("REST_CONFIG").map(PathBuf::from));
        named.or_else(|| {
            let path = PathBuf::from(DEFAULT_FILE);
            // A dangling link and a file without permission to look at are meant to be read.
            let absent = path.symlink_metadata().err().map(|error| error.kind());
            (absent != Some(io::ErrorKind::NotFound)).then_some(path)
        })
    }
}

/// Runs `--version`: prints the version of the service and those of the registered models.
pub(crate) fn print_versions(info: &Info, registered: &Registered) {
    println!("{} {}", info.title, info.version);
    for ModelRegistration { metadata, .. } in &registered.models {
        println!("  {} {}", metadata.qualified_name, metadata.version);
    }
}

/// Reads the configuration file with the overrides of the environment, or the overrides alone. A mistake
/// in one override does not hide mistakes in others.
pub(crate) fn document(path: Option<&Path>, problems: &mut Problems) -> Option<Document> {
    let read = match path {
        Some(path) => Document::read(path),
        None => Document::parse("the configuration", ""),
    };
    let mut document = read.map_err(|mistakes| problems.extend(mistakes)).ok()?;
    // All overrides are Unicode.
    let variables = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    if let Err(mistakes) = document.override_from(OVERRIDES, variables) {
        problems.extend(mistakes);
    }
    Some(document)
}

/// Reports mistakes in the variables of the logging.
pub(crate) fn check_environment(problems: &mut Problems) {
    match ml_logging::builder().writer(io::sink).build() {
        // A logging that was never in use would be reported.
        Ok((subscriber, _logging)) => drop(Dispatch::new(subscriber)),
        Err(error) => problems.add(error_chain(&error).to_string()),
    }
}

/// Returns a warning for each variable whose name is probably a misspelt one of the service.
///
/// Other variables may begin like those of the service: Kubernetes sets `ML_SERVICE_PORT` for a service `ml-service`.
pub(crate) fn unknown_variables(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let warning = |name: OsString| {
        let name = name.into_string().ok()?;
        let (prefix, known) = match name.strip_prefix(&format!("{OVERRIDES}_")) {
            // The overrides are checked with the file.
            Some(rest) if rest.starts_with('_') => return None,
            Some(rest) if rest.contains("__") => {
                return Some(format!(
                    "unknown environment variable {name}; did you mean {OVERRIDES}__{rest}?"
                ));
            }
            Some(_) => (OVERRIDES, "ADDRESS"),
            None => ("ML_LOG", "HASH_KEY"),
        };
        let rest = name.strip_prefix(prefix)?.strip_prefix('_')?;
        nearest(rest, [known]).filter(|_| rest != known)?;
        Some(format!("unknown environment variable {name}; did you mean {prefix}_{known}?"))
    };
    let mut warnings: Vec<_> = names.filter_map(warning).collect();
    warnings.sort();
    warnings
}

/// Refuses `--port`.
fn no_port(port: &str) -> Result<String, String> {
    Err(format!("an address includes the port; write `--address 127.0.0.1:{port}`"))
}

/// Reports log files that cannot be opened, or that would overwrite the configuration or the keys, even if the file
/// has other mistakes.
pub(crate) fn check_log_files(file: &Document, path: Option<&Path>, problems: &mut Problems) {
    // Mistakes in the structure are reported when the configuration is read.
    let unread = &mut Problems::new();
    let Some(mut root) = file.root().mapping(unread) else { return };
    let mut read: Vec<_> = path.map(|path| ("the configuration file", path)).into_iter().collect();
    if let Some(mut server) = root.optional("server").and_then(|node| node.mapping(unread)) {
        for (key, what) in
            [("api_keys", "the file of API keys"), ("admin_keys", "the file of admin keys")]
        {
            let keys = server.optional(key).and_then(|node| node.mapping(unread));
            let file = keys.and_then(|mut keys| keys.optional("file"));
            let file = file.and_then(|node| node.string(unread));
            read.extend(file.map(|file| (what, Path::new(file))));
        }
    }
    if let Some(logging) = root.optional("logging") {
        ml_logging::Configuration::check_files(logging, &read, problems);
    }
}

/// Runs `check-config` on a valid configuration: prints a summary.
pub(crate) fn describe(configuration: &Configuration, path: Option<&Path>) {
    let Configuration { info, models, server, .. } = configuration;
    let source = match path {
        Some(path) => format!("{} is valid", path.display()),
        None => format!("there is no {DEFAULT_FILE} here; the registered models are valid"),
    };
    println!("{source}: {}, {}", info.title, counted(models.len(), "model"));
    let keys = server.api_keys.as_ref().map_or("none".to_owned(), |keys| keys.len().to_string());
    println!("  API keys: {keys}");
    if let Some(keys) = &server.admin_keys {
        println!("  admin keys: {}", keys.len());
    }
    for model in models {
        let stack = match &model.layers {
            Some(layers) => counted(layers.len(), "configured decorator"),
            None => "its own decorators".to_owned(),
        };
        let endpoint = if model.options.has_endpoint { "" } else { ", no endpoint" };
        println!("  {}: {stack}{endpoint}", model.name);
    }
}

/// Formats a number of things: `1 model`, `2 models`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Runs `generate-openapi`.
pub(crate) fn generate_openapi(
    configuration: Configuration,
    output_file: &Path,
) -> Result<(), BoxError> {
    let Configuration { info, models, .. } = configuration;
    let options = options_of(&models);
    let document = openapi::of_registry(&info, &load(models)?, &options)?;
    openapi::write(&document, output_file)?;
    println!("Wrote the OpenAPI document to {}", output_file.display());
    Ok(())
}

/// Runs `export`: prints the paths of the files.
pub(crate) fn export(
    configuration: Configuration,
    target: Target,
    runbook_url: &str,
    directory: &Path,
) -> Result<(), BoxError> {
    let Configuration { info, models, logging, .. } = configuration;
    let handlers = match logging {
        Some(logging) => logging.ecs_keys(),
        None => ml_logging::Configuration::new()
            .handler(Handler::stdout("stdout").formatter(EcsFormatter::new()))
            .ecs_keys(),
    };
    let registry = load(models)?;
    let records = DescribedRecords::new(&info, &registry, &handlers)?;
    for path in export::write(target, &records, runbook_url, directory)? {
        println!("{}", path.display());
    }
    Ok(())
}

/// Returns an environment variable; an empty one is ignored.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
