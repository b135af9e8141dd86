//! The YAML form of the configuration: the schema of Python's `logging.config.dictConfig`.
//!
//! Reading fills the typed [`Configuration`](super::Configuration), and reports every mistake at its line.

mod class;
mod files;
mod filters;
mod formatters;
pub(crate) mod handlers;
mod level;
mod provided;
mod python;
mod read;

pub use self::filters::Filters;
pub(crate) use self::{
    files::check as check_files,
    read::{read, refuse_service},
};
