//! The REST API: from a connection to an answer.
//!
//! A request passes the stations in this order, whatever it asks for and however the service is
//! configured: [`server`] accepts the connection. [`router`] counts the request, answers pre-flight
//! requests ([`cors`]), and waits while the log stalls, except with probes. It checks the head
//! ([`headers`]) and the key ([`auth`]), and calls one of the [`handlers`], whose answer it compresses
//! ([`compression`]).
//!
//! | module | contents |
//! |---|---|
//! | `server` | listening, connections, shutdown |
//! | `admission` | the limit of open connections |
//! | `connection` | state of one connection |
//! | `socket` | its socket, with a time limit for writes |
//! | `timer` | its timer |
//! | `router` | the way of a request through the stations |
//! | `routes` | the paths of the API and their methods |
//! | `cors` | pages of other origins |
//! | `headers` | checks of the head of a request |
//! | `auth` | API keys and admin keys in the head of a request |
//! | `prediction_id` | the prediction id in headers |
//! | `extract` | the body of a request |
//! | `compression` | content codings of bodies and answers |
//! | `trace_context` | the trace that a request belongs to |
//! | `handlers` | the endpoints |
//! | `response` | answers and errors in JSON |

mod admission;
mod auth;
mod compression;
mod connection;
mod cors;
mod extract;
pub(crate) mod handlers;
mod headers;
mod prediction_id;
pub(crate) mod response;
mod router;
pub(crate) mod routes;
pub(crate) mod server;
mod socket;
mod timer;
mod trace_context;
