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
//! | module | what lives there |
//! |---|---|
//! | `service` | [`Service`]: what the user's `main` builds |
//! | `command_line` | the flags, commands and environment variables of the program |
//! | `catalogue` | the models and decorators that the program has compiled in |
//! | `configuration` | the YAML file: which of these, how |
//! | `server` | listening, shutting down |
//! | `timer` | the timer of a connection |
//! | `state` | what is loaded, and what health answers follow from that |
//! | `head` | what the head of every request is checked for |
//! | `routes` | the paths of the API, and who may take them |
//! | `direct` | the short way of a prediction, past the router |
//! | `predictions` | the endpoints that predict |
//! | `hosted` | one model behind its endpoints: body in, answer out |
//! | `body` | the JSON of a request, borrowed from its text |
//! | `pace` | how long a model's predictions take: inline or on the pool |
//! | `validation` | the input schema as the contract for bodies |
//! | `metrics` | `GET /metrics`: [`MetricsSettings`], what is counted, Prometheus' text format |
//! | `levels` | the levels of the log while the service runs |
//! | `keys`, `trace_context` | what the headers of a request say |
//! | [`openapi`] | the OpenAPI document, a pure function of the models' metadata |
//! | `export` | files for other systems: index template, dashboards, alert rules |
//! | `docs` | the document and Swagger UI as pages |
//! | `response` | the JSON form of errors |

mod body;
mod catalogue;
mod command_line;
mod configuration;
mod direct;
mod docs;
mod export;
mod head;
mod hosted;
mod keys;
mod levels;
mod metrics;
pub mod openapi;
mod pace;
mod predictions;
mod response;
mod routes;
mod server;
mod service;
mod state;
mod timer;
mod trace_context;
mod validation;

pub use catalogue::HostedType;
pub use metrics::{InvalidMetricsSettings, MetricsSettings};
pub use ml_configuration::{Document, Mapping, Problems};
pub use ml_logging::ContextFilter;
pub use server::ServeError;
pub use service::{ConfiguredService, Service};
