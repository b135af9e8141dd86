//! Predicts what a US health insurer charges a customer in a year, with gradient-boosted trees.
//!
//! * [`input`]: what goes in and what comes out, with the descriptions and ranges that reach the API schema.
//! * [`model`]: [`InsuranceChargesModel`], which loads the trained artefact built into the program.
//! * [`features`], [`trees`] and [`scale`]: the numbers the trees look at, the trees themselves with their text
//!   format, and how what they add up to becomes dollars.
//! * `train` (feature `train`, on by default): chooses, fits and scores a model, and writes the artefact.
//!
//! Serving needs none of the training libraries: the artefact holds plain trees, which [`trees`] evaluates.

#![allow(missing_docs, reason = "what is not documented says it by its name")]

mod artefact;
pub mod features;
pub mod input;
pub mod model;
pub mod scale;
#[cfg(feature = "train")]
pub mod train;
pub mod trees;

pub use input::{InsuranceChargesModelInput, InsuranceChargesModelOutput, Region, Sex};
pub use model::InsuranceChargesModel;
pub use trees::LoadError;
