//! The error of a training run.

use std::path::PathBuf;

use thiserror::Error;

use super::data::DataError;

/// Failure to train a model or to write its files.
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
