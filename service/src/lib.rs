//! Hosts annotated models behind a REST API.
//!
//! ```no_run
//! use ml_model_service::Service;
//! # use ml_model_core::{Infer, MLModel};
//! # #[derive(MLModel)]
//! # struct Model;
//! # impl Model { fn load() -> Result<Self, std::io::Error> { Ok(Self) } }
//! # impl Infer for Model {
//! #     type Input = Vec<f64>;
//! #     type Output = f64;
//! #     type Error = std::convert::Infallible;
//! #     fn infer(&self, input: &Vec<f64>) -> Result<f64, Self::Error> { Ok(input.iter().sum()) }
//! # }
//!
//! fn main() -> std::process::ExitCode {
//!     Service::new("Model Service").model(Model::load).main()
//! }
//! ```
//!
//! | module | contents |
//! |---|---|
//! | `service` | [`Service`], which the `main` of a program builds, and its configured form |
//! | `program` | [`Service::main`]: command line, log, runtime and signals |
//! | `cli` | flags, commands and environment variables of the program |
//! | `config` | the YAML file |
//! | `hosting` | models behind endpoints, without HTTP: a body in, a prediction out |
//! | `signals` | the signals that stop the program, and the limits of its shutdown |
//! | `log_wait` | waiting for a stalled log |
//! | `worker` | long work on a worker of the runtime |
//! | `state` | the loaded models and the phase of the service |
//! | `http` | the REST API: from a connection to an answer |
//! | `metrics` | `GET /metrics`: [`MetricsSettings`], counting, the text format of Prometheus |
//! | `openapi` | the OpenAPI document, a pure function of the models' metadata |
//! | `export` | files for other systems: index template, dashboards, alert rules |
//! | `info` | title, version and description of the service |
//! | `root_path` | the path under which a proxy publishes the service |
//! | `throttle` | a limit on how often a record is written |

mod cli;
mod config;
mod export;
mod hosting;
mod http;
mod info;
mod log_wait;
mod metrics;
mod openapi;
mod program;
mod root_path;
mod service;
mod signals;
mod state;
mod throttle;
mod worker;

pub use hosting::registered::{Constructor, HostedType, LoadResult, MakeDecorator};
pub use http::server::ServeError;
pub use metrics::{InvalidMetricsSettings, MetricsSettings};
pub use ml_configuration::{Document, Mapping, Problems};
pub use ml_logging::ContextFilter;
/// Names that a model or a decorator in the crate of a `main` needs.
pub use ml_model_core::{
    Answer, Decorator, Infer, LogValue, MLModel, PredictionError, Rejection, RejectionKind,
    Request, Sensitive,
};
pub use service::{ConfiguredService, Service};
/// Re-exported, so that the crate of a `main` needs no other dependency of this workspace.
pub use {ml_logging, ml_model_core};

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
