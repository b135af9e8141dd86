//! The artefact of the trained model, as written by `train`.

/// Compiled in, so that the program is a single file.
pub(crate) const ARTEFACT: &str = include_str!("../model/insurance_charges.trees");
