//! Scores the rows of a CSV file with a decorated model.
//!
//! * [`batch`]: the way of the rows from the reader over the workers to the writer.
//! * [`columns`]: a line of the file as a request for the model.
//! * [`lines`]: lines of a bounded length.
//! * [`scored`]: results as CSV.
//! * [`summary`]: counts and failures of a run.

#![allow(missing_docs, reason = "many names need no explanation")]

pub mod batch;
pub mod columns;
pub mod lines;
pub mod scored;
pub mod summary;
