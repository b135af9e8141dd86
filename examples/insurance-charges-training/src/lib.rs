//! Trains the model of the demo: produces an artefact, a report and a plot from two CSV files.
//!
//! * [`data`] reads and checks the rows.
//! * [`boost`] fits trees with smartcore.
//! * [`search`] chooses the settings by cross-validation on the training rows.
//! * [`metrics`] scores predictions.
//! * [`report`] and [`plot`] present the result.
//!
//! [`train`] uses the test rows only once, after the settings have been chosen and the model has been fitted.

#![allow(missing_docs, reason = "many names need no explanation")]

pub mod boost;
pub mod data;
mod error;
pub mod metrics;
pub mod plot;
pub mod report;
pub mod search;

use std::path::Path;

use data::Row;
pub use error::TrainError;
use insurance_charges::model::InsuranceChargesModel;
use insurance_charges::trees::TreeEnsemble;
use metrics::Scores;
use search::{Choice, Grid};

/// A trained model and the results of its training.
#[derive(Debug)]
pub struct Trained {
    /// Results of the search.
    pub choice: Choice,
    /// Trees of the model, whose text is the artefact.
    pub trees: TreeEnsemble,
    /// Model with these trees.
    pub model: InsuranceChargesModel,
    /// Scores on the test rows.
    pub scores: Scores,
    /// Predicted charges of the test rows, in the order of the rows.
    pub predicted: Vec<f64>,
}

/// Chooses settings on the training rows, fits a model to all of them and scores it once on the test rows.
///
/// The search uses `jobs` threads, whose number does not change the result. `progress` is called with the number of
/// finished fits and the number of all fits.
///
/// # Errors
/// Fails if there are too few training rows for the folds or if smartcore fails.
pub fn train(
    training: &[Row],
    test: &[Row],
    grid: &Grid,
    jobs: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Trained, TrainError> {
    let choice = search::choose(training, grid, jobs, progress)?;
    let winner = &choice.winner().settings;
    let trees = boost::fit(training, winner)?;
    let model = InsuranceChargesModel::from(trees.clone());

    let predicted: Vec<f64> = test.iter().map(|row| model.charges(&row.input)).collect();
    let actual: Vec<f64> = test.iter().map(|row| row.charges).collect();
    let scores = metrics::score(&actual, &predicted);
    Ok(Trained { choice, trees, model, scores, predicted })
}

/// Writes a file.
///
/// # Errors
/// Fails if the file cannot be written. The error contains its path.
pub fn write(file: &Path, content: &str) -> Result<(), TrainError> {
    std::fs::write(file, content)
        .map_err(|source| TrainError::Write { file: file.to_owned(), source })
}
