//! Reading of the CSV files. Every error contains the file and, where known, the line and the column.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use thiserror::Error;

use insurance_charges::input::{InsuranceChargesModelInput, Region, Sex};

const COLUMNS: [&str; 7] = ["age", "sex", "bmi", "children", "smoker", "region", "charges"];

/// A customer and the actual charges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub input: InsuranceChargesModelInput,
    /// US dollars.
    pub charges: f64,
}

/// Failure to read a file.
#[derive(Debug, Error)]
pub enum DataError {
    #[error("{file}: {source}", file = .file.display())]
    Csv { file: PathBuf, source: csv::Error },
    #[error("{file}, line 1: there is no column {column:?}", file = .file.display())]
    NoColumn { file: PathBuf, column: &'static str },
    #[error(
        "{file}, line {line}, column {column:?}: expected {expected}, found {found:?}",
        file = .file.display()
    )]
    Field { file: PathBuf, line: u64, column: &'static str, expected: &'static str, found: String },
    #[error("{file}: there are no rows", file = .file.display())]
    Empty { file: PathBuf },
}

/// Reads all rows of a file, whose columns may be in any order.
///
/// Ages, body mass indices and numbers of children may exceed the ranges of the service, because the values of real
/// customers do. Impossible values are errors.
///
/// # Errors
/// Fails if the file cannot be read, lacks a column, has no rows or contains a bad value.
pub fn read(file: &Path) -> Result<Vec<Row>, DataError> {
    let csv = |source| DataError::Csv { file: file.to_owned(), source };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(csv)?;

    let headers = reader.headers().map_err(csv)?.clone();
    let mut indices = [0; COLUMNS.len()];
    for (index, column) in indices.iter_mut().zip(COLUMNS) {
        *index = headers
            .iter()
            .position(|header| header == column)
            .ok_or_else(|| DataError::NoColumn { file: file.to_owned(), column })?;
    }

    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(csv)?;
        rows.push(Fields { file, record: &record, indices: &indices }.row()?);
    }
    if rows.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    Ok(rows)
}

/// One line of a file.
struct Fields<'a> {
    file: &'a Path,
    record: &'a StringRecord,
    indices: &'a [usize; COLUMNS.len()],
}

impl Fields<'_> {
    fn row(&self) -> Result<Row, DataError> {
        let input = InsuranceChargesModelInput {
            age: self.parse(0, "a whole number from 0 to 120", |text| {
                text.parse().ok().filter(|age| *age <= 120)
            })?,
            sex: self.parse(1, "male or female", |text| match text {
                "male" => Some(Sex::Male),
                "female" => Some(Sex::Female),
                _ => None,
            })?,
            bmi: self.parse(2, "a number from 5 to 150", |text| {
                text.parse().ok().filter(|bmi| (5.0..=150.0).contains(bmi))
            })?,
            children: self.parse(3, "a whole number from 0 to 30", |text| {
                text.parse().ok().filter(|children| *children <= 30)
            })?,
            smoker: self.parse(4, "yes or no", |text| match text {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            })?,
            region: self.parse(5, "a region", |text| match text {
                "southwest" => Some(Region::Southwest),
                "southeast" => Some(Region::Southeast),
                "northwest" => Some(Region::Northwest),
                "northeast" => Some(Region::Northeast),
                _ => None,
            })?,
        };
        let charges = self.parse(6, "an amount above zero", |text| {
            text.parse().ok().filter(|charges| *charges > 0.0 && *charges < 1e8)
        })?;
        Ok(Row { input, charges })
    }

    fn parse<T>(
        &self,
        column: usize,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, DataError> {
        let text = self.record.get(self.indices[column]).unwrap_or_default();
        parse(text).ok_or_else(|| DataError::Field {
            file: self.file.to_owned(),
            line: self.record.position().map_or(0, csv::Position::line),
            column: COLUMNS[column],
            expected,
            found: text.to_owned(),
        })
    }
}
