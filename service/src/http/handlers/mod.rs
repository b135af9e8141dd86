//! The endpoints of the API.
//!
//! | module | paths |
//! |---|---|
//! | `predictions` | `/api/models/{qualified_name}/prediction` and `/predictions` |
//! | `models` | `/api/models` and `/api/models/{qualified_name}/metadata` |
//! | `health` | `/api/health`, `/ready` and `/startup` |
//! | `log_levels` | `/api/log/levels` |
//! | `metrics` | `/metrics` |
//! | `docs` | `/`, `/docs` and `/openapi.json` |

pub(super) mod docs;
pub(super) mod health;
pub(crate) mod log_levels;
pub(super) mod metrics;
pub(super) mod models;
pub(super) mod predictions;
