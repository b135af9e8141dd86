//! Filters: which records reach which handlers, and the context that handlers add.
//!
//! Levels and routes are evaluated once per callsite, so that a record does not pay for them.

mod context;
mod current;
mod handler_set;
mod levels;
mod routes;
mod target_name;

pub use self::{
    context::{ContextFilter, EnvironmentInfoFilter, HostnameFilter, VariableNames},
    levels::{IntoLevels, Levels, LevelsError},
};
pub(crate) use self::{
    current::{CurrentLevels, LayerFilter},
    handler_set::HandlerSet,
    routes::{Condition, Route, Routes},
    target_name::TargetName,
};
