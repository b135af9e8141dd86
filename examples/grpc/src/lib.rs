//! Hosts a model behind a gRPC service. The records are those of the REST service.
//!
//! * [`messages`]: the messages and the service of the `.proto` file, generated.
//! * [`predictor`]: the service: converts messages and calls the model.
//! * [`status`]: states of failed calls.
//! * [`server`]: the service with health, reflection and a graceful stop.

pub mod messages;
pub mod predictor;
pub mod server;
pub mod status;
