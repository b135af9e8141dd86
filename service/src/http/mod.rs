//! The REST API: from a connection to an answer.
//!
//! Every request passes these steps in this order, in all configurations: [`server`] accepts the connection.
//! [`router`] counts the request and answers pre-flight requests ([`cors`]). Requests other than probes wait
//! while the log stalls. The router checks the head ([`headers`]) and the key ([`auth`]), calls one of the
//! [`handlers`], and compresses the answer ([`compression`]).
//!
//! | module | contents |
//! |---|---|
//! | `server` | listening, connections, shutdown |
//! | `admission` | the limit of open connections |
//! | `connection` | state of one connection |
//! | `socket` | socket of a connection, with a time limit for writes |
//! | `timer` | timer of a connection |
//! | `router` | the steps of a request, in order |
//! | `routes` | the paths of the API and their methods |
//! | `cors` | pages of other origins |
//! | `known_headers` | the headers that the service reads of every request |
//! | `headers` | checks of them |
//! | `auth` | API keys and admin keys in the head of a request |
//! | `prediction_id` | the prediction id in the headers of a request |
//! | `extract` | the body of a request |
//! | `compression` | gzip of bodies and answers |
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
mod known_headers;
mod prediction_id;
pub(crate) mod response;
mod router;
pub(crate) mod routes;
pub(crate) mod server;
mod socket;
mod timer;
mod trace_context;
