//! The flags, commands and environment variables of a service.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Hosts ML models behind a REST API.
#[derive(Debug, Parser)]
#[command(version = None, about)]
pub(crate) struct CommandLine {
    /// Address and port to listen on; port 0 lets the system pick one [default: the configured
    /// one, or 127.0.0.1:8000].
    #[arg(long, env = "ML_SERVICE_ADDRESS", value_name = "IP:PORT")]
    pub(crate) address: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) configuration: ConfigurationFile,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigurationFile {
    /// The configuration file [default: rest_config.yaml if there is one, else what is compiled
    /// in].
    #[arg(
        long = "config",
        visible_alias = "configuration-file",
        alias = "configuration_file",
        env = "REST_CONFIG",
        value_name = "FILE",
        global = true
    )]
    pub(crate) path: Option<PathBuf>,
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
}

impl ConfigurationFile {
    /// The file that is meant; `None` for what is compiled in.
    pub(crate) fn existing(&self) -> Option<PathBuf> {
        const DEFAULT: &str = "rest_config.yaml";
        match &self.path {
            Some(path) => Some(path.clone()),
            None => Some(PathBuf::from(DEFAULT)).filter(|path| path.exists()),
        }
    }
}
