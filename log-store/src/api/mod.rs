//! HTTP: the page and the API below `/api`.
//!
//! | module | contents |
//! |---|---|
//! | `server` | connections, shutdown |
//! | `router` | from a request to an answer |
//! | `access` | token, allowed hosts |
//! | `parameters` | the query of an address |
//! | `questions` | the answers below `/api` |
//! | `predictions` | a page of predictions, or all of them |
//! | `response` | answers and errors |
//! | `openapi` | the OpenAPI document |

mod access;
mod openapi;
mod parameters;
mod predictions;
mod questions;
mod response;
mod router;
mod server;

pub(crate) use access::Access;
pub(crate) use router::Router;
pub(crate) use server::serve;
