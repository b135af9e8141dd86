//! The flags and environment variables of a service.

use std::net::SocketAddr;

use clap::Parser;

/// Hosts ML models behind a REST API.
#[derive(Debug, Parser)]
#[command(version = None, about)]
pub(crate) struct CommandLine {
    /// Address and port to listen on; port 0 lets the system pick one.
    #[arg(
        long,
        env = "ML_SERVICE_ADDRESS",
        default_value = "127.0.0.1:8000",
        value_name = "IP:PORT"
    )]
    pub(crate) address: SocketAddr,
}
