//! Training: from two CSV files to an artefact, a report and a plot.
//!
//! * [`data`] reads and checks the rows, [`metrics`] scores predictions.
//! * [`boost`] fits trees with the boosting library, [`search`] chooses its settings on the training rows.
//! * [`report`] prints what was found, [`plot`] draws it.
//!
//! The order in [`train`] is the point: the settings are chosen and the model is fitted before the test rows are
//! used for anything, and they are used once.

pub mod boost;
pub mod data;
pub mod metrics;
pub mod plot;
pub mod report;
pub mod search;

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::model::InsuranceChargesModel;
use crate::trees::TreeEnsemble;
use data::{DataError, Row};
use metrics::Scores;
use search::{Choice, Grid};

/// Why no model could be trained.
#[derive(Debug, Error)]
pub enum TrainError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{rows} training rows are too few for {folds} folds")]
    TooFewRows { rows: usize, folds: usize },
    #[error("the boosting library failed: {0}")]
    Library(String),
    #[error("the fitted trees cannot be read out of the boosting library: {0}")]
    Export(#[from] serde_json::Error),
    #[error("{file} cannot be written: {source}", file = .file.display())]
    Write { file: PathBuf, source: std::io::Error },
}

/// A trained model and how it came about.
#[derive(Debug)]
pub struct Trained {
    /// How the settings were chosen.
    pub choice: Choice,
    /// The artefact's content.
    pub trees: TreeEnsemble,
    /// The model as it will be served.
    pub model: InsuranceChargesModel,
    /// How it does on the test rows.
    pub scores: Scores,
    /// Charges of the test rows: what the model says, in the order of the rows.
    pub predicted: Vec<f64>,
}

/// Chooses settings on the training rows, fits a model to all of them and scores it once on the test rows.
///
/// `jobs` threads share the search, which changes its duration and nothing else; `progress` is called with the
/// number of fits done so far and the number of all fits.
///
/// # Errors
/// When there are fewer training rows than folds, or when the boosting library fails.
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

/// Writes a file, with an error that names it.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path, content: &str) -> Result<(), TrainError> {
    std::fs::write(file, content)
        .map_err(|source| TrainError::Write { file: file.to_owned(), source })
}
