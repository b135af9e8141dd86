//! Predicts what a US health insurer charges a customer in a year, with gradient-boosted trees.
//!
//! * [`input`]: input and output of the model, with the descriptions and ranges of the API schema.
//! * [`model`]: [`InsuranceChargesModel`], which loads the artefact that is compiled into the program.
//! * [`features`]: the numbers that the trees split on.
//! * [`trees`]: the trees and their text format.
//! * [`scale`]: conversion of the trees' sum to US dollars.
//!
//! The package `insurance-charges-training` chooses, fits and scores a model, and writes the artefact. Serving needs
//! none of its libraries: [`trees`] evaluates the artefact's trees.

#![allow(missing_docs, reason = "many names need no explanation")]

mod artefact;
pub mod features;
pub mod input;
pub mod model;
pub mod scale;
pub mod trees;

pub use input::{InsuranceChargesModelInput, InsuranceChargesModelOutput, Region, Sex};
pub use model::InsuranceChargesModel;
pub use trees::LoadError;
