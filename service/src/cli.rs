//! The flags, commands and environment variables of a service.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::{env, io};

use clap::{Parser, Subcommand};
use ml_configuration::Problems;

use crate::config;
use crate::export::Target;

/// Hosts ML models behind a REST API.
#[derive(Debug, Parser)]
#[command(version = None, about)]
pub(crate) struct CommandLine {
    /// Address and port to listen on; port 0 lets the system pick one [env: ML_SERVICE_ADDRESS]
    /// [default: the configured one, or 127.0.0.1:8000].
    #[arg(long, value_name = "IP:PORT", value_parser = config::address)]
    address: Option<SocketAddr>,

    /// The configuration file [env: REST_CONFIG] [default: rest_config.yaml if there is one, else
    /// what is compiled in].
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
    /// Reads the configuration, reports everything that is wrong with it, and ends.
    CheckConfig,
    /// Loads the models, writes the OpenAPI document, and ends.
    #[command(alias = "generate_openapi")]
    GenerateOpenapi {
        /// Where to write: JSON if the name ends in `.json`, YAML otherwise.
        #[arg(long, alias = "output_file", default_value = "openapi.yaml", value_name = "FILE")]
        output_file: PathBuf,
    },
    /// Loads the models, writes files about their records and metrics for another system, and ends.
    Export {
        /// The system.
        #[arg(value_name = "WHAT")]
        target: Target,
        /// Folder to write to; it is made if it is not there.
        #[arg(long, value_name = "DIR")]
        output_dir: PathBuf,
        /// Address of the runbook that alerts link to, each to its own section.
        #[arg(long, value_name = "URL", default_value = "docs/runbook.md")]
        runbook_url: String,
    },
}

/// The file that is read if there is one and none is named.
pub(crate) const DEFAULT_FILE: &str = "rest_config.yaml";

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
        let named = self.file.clone().or_else(|| variable("REST_CONFIG").map(PathBuf::from));
        named.or_else(|| {
            let path = PathBuf::from(DEFAULT_FILE);
            // A dangling link and a file without permission to look at are meant to be read.
            let absent = path.symlink_metadata().err().map(|error| error.kind());
            (absent != Some(io::ErrorKind::NotFound)).then_some(path)
        })
    }
}

/// Returns an environment variable; an empty one is ignored.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
