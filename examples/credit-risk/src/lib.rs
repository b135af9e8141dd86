//! Decides on applications for loans, by a scorecard and by rules.
//!
//! * [`application`]: the input of both models, with sensitive fields.
//! * [`decision`]: their output, a class and a probability.
//! * [`scorecard`], [`rules`]: the models.
//! * [`decorators`]: a fallback to another model, and a range that a clerk reviews.

#![allow(missing_docs, reason = "many names need no explanation")]

pub mod application;
pub mod decision;
pub mod decorators;
pub mod rules;
pub mod scorecard;
