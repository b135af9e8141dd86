//! Models behind endpoints, without HTTP: a body in, a prediction out.
//!
//! | module | contents |
//! |---|---|
//! | `registered` | the models and decorators that the program has registered |
//! | `options` | how a model is hosted |
//! | `loading` | loading the chosen models |
//! | `endpoint` | one loaded model: checks bodies, calls the model |
//! | `outcome` | the result of a call |
//! | `slow_calls` | slow models that run inline |
//! | `schema` | the input schema as the contract for bodies |
//! | `body` | the JSON of a request as an index over its text |
//! | `shorten` | lengths of messages that quote a request |

pub(crate) mod body;
pub(crate) mod endpoint;
pub(crate) mod loading;
pub(crate) mod options;
pub(crate) mod outcome;
pub(crate) mod registered;
pub(crate) mod schema;
pub(crate) mod shorten;
pub(crate) mod slow_calls;
