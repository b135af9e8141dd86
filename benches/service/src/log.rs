//! Check that the log has all records of every prediction.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use uuid::Uuid;

use crate::Result;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
    prediction_id: Option<Uuid>,
}

/// Numbers of records of a prediction.
#[derive(Clone, Copy, Default)]
pub(crate) struct Records {
    requested: u8,
    created: u8,
}

impl Records {
    #[cfg(test)]
    pub(crate) fn complete() -> Self {
        Self { requested: 1, created: 1 }
    }

    /// Returns whether there is exactly one of each.
    pub(crate) fn are_complete(self) -> bool {
        (self.requested, self.created) == (1, 1)
    }
}

/// Reads the predictions in a log, by their ids.
///
/// # Errors
///
/// Fails if a line is not JSON or has a prediction id with another message.
pub(crate) fn predictions(log: &Path) -> Result<HashMap<Uuid, Records>> {
    let mut predictions: HashMap<Uuid, Records> = HashMap::new();
    let mut reader = BufReader::with_capacity(1 << 20, File::open(log)?);
    let mut text = Vec::new();
    for number in 1_u64.. {
        text.clear();
        if reader.read_until(b'\n', &mut text)? == 0 {
            break;
        }
        let line: Line<'_> = serde_json::from_slice(&text)
            .map_err(|error| format!("{}, line {number}: {error}", log.display()))?;
        let Some(id) = line.prediction_id else { continue };
        let records = predictions.entry(id).or_default();
        let count = match &*line.message {
            "Prediction requested." => &mut records.requested,
            "Prediction created." => &mut records.created,
            message => return Err(format!("line {number}: {message}").into()),
        };
        *count = count.saturating_add(1);
    }
    Ok(predictions)
}

/// Checks that the log has `answered` predictions, each with exactly two records. It may have up to
/// `abandoned` more, whose connections were closed before the answer.
pub(crate) fn check(log: &Path, answered: u64, abandoned: u64) -> Result<()> {
    let predictions = predictions(log)?;
    let incomplete = predictions.values().filter(|records| !records.are_complete()).count();
    if incomplete > 0 {
        return Err(format!("{incomplete} predictions do not have exactly two records").into());
    }
    let recorded = predictions.len() as u64;
    if !(answered..=answered + abandoned).contains(&recorded) {
        return Err(format!("{answered} predictions were answered, {recorded} recorded").into());
    }
    Ok(())
}
