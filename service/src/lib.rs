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
//! | `command_line` | the flags and environment variables of the program |
//! | `server` | listening, shutting down |
//! | `state` | what is loaded, and what health answers follow from that |
//! | `hosted` | one model behind its endpoint: body in, answer out |
//! | `validation` | the input schema as the contract for bodies |
//! | `routes` | the paths of the API |
//! | [`openapi`] | the OpenAPI document, a pure function of the models' metadata |
//! | `docs` | the document and Swagger UI as pages |
//! | `response` | the JSON form of errors |

mod command_line;
mod docs;
mod hosted;
pub mod openapi;
mod response;
mod routes;
mod server;
mod service;
mod state;
mod validation;

pub use server::ServeError;
pub use service::Service;
