//! Questions to a store, and their answers.
//!
//! | module | contents |
//! |---|---|
//! | `filter` | the filter language: `age>60 status=error` |
//! | `time_range` | `from` and `to`: instants, dates, days of the week, times ago |
//! | `reader` | the files of a store, open for reading |
//! | `row` | a prediction as it is shown |
//! | `search` | predictions that match a filter, the newest first |
//! | `scan` | the matches in one segment of a file |
//! | `lookup` | one prediction, with everything logged under its id |
//! | `series` | roll-ups, restricted to a model, a version or an instance |
//! | `overview` | counts and latencies over time |
//! | `failures` | failed predictions by cause |
//! | `fields` | values of a logged field, and their drift |
//! | `records` | records that are not those of a prediction, lines that are no records |

mod failures;
mod fields;
mod filter;
mod lookup;
mod overview;
mod reader;
mod records;
mod row;
mod scan;
mod search;
mod series;
mod time_range;

pub(crate) use failures::failures;
pub(crate) use fields::{FieldName, field, known_fields};
pub(crate) use filter::{Filter, FilterError};
pub(crate) use lookup::lookup;
pub(crate) use overview::overview;
pub(crate) use reader::{QueryError, Reader};
pub(crate) use records::{records, rejected_lines};
pub(crate) use row::PredictionRow;
pub(crate) use search::{Search, search};
pub(crate) use series::Scope;
pub(crate) use time_range::TimeRange;
