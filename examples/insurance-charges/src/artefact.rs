//! The trained model as `train` wrote it.

/// Compiled in, so that the program is one file and cannot lose its model.
pub(crate) const ARTEFACT: &str = include_str!("../model/insurance_charges.trees");
