//! Answers as text: tables for a terminal, CSV for other programs.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use crate::query::{FieldName, PredictionRow, QueryError, Reader, Search, known_fields, search};
use crate::record::{text, written_members};

/// Columns before those of the logged fields.
const COLUMNS: [&str; 8] = [
    "requested_at",
    "prediction_id",
    "model",
    "version",
    "instance",
    "status",
    "duration_ms",
    "error_info",
];

/// The columns of a table: those that every prediction has, then the logged fields.
struct Columns {
    /// `input` or `output`, and the name as JSON text.
    fields: Vec<(&'static str, String)>,
}

impl Columns {
    /// Returns the columns of predictions, with their fields in the order of their first occurrence, and of
    /// further fields.
    fn new(predictions: &[PredictionRow], further: BTreeSet<FieldName>) -> Self {
        let mut seen = BTreeSet::new();
        let mut fields = Vec::new();
        let found = predictions.iter().flat_map(sides).flat_map(|(side, object)| {
            written_members(object).map(move |(name, _)| (side, name.to_owned()))
        });
        for field in found.chain(further.into_iter().map(|field| (field.side, field.name))) {
            if seen.insert(field.clone()) {
                fields.push(field);
            }
        }
        Self { fields }
    }

    /// Returns the names of the columns. A field with the name of another column has its side in front.
    fn header(&self) -> Vec<String> {
        let fields = self.fields.iter().map(|(side, name)| {
            let same = self.fields.iter().filter(|(_, other)| other == name).count();
            let is_unique = same == 1 && !COLUMNS.contains(&&**name);
            let shown = text(&format!("\"{name}\"")).map_or_else(|| name.clone(), Cow::into_owned);
            if is_unique { shown } else { format!("{side}.{shown}") }
        });
        COLUMNS.into_iter().map(str::to_owned).chain(fields).collect()
    }

    fn cells(&self, prediction: &PredictionRow) -> Vec<String> {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut cells = vec![
            optional(if prediction.requested_at.is_some() {
                &prediction.requested_at
            } else {
                &prediction.answered_at
            }),
            optional(&prediction.prediction_id),
            prediction.model.clone(),
            prediction.version.clone(),
            prediction.instance.clone(),
            prediction.status.to_owned(),
            prediction.duration_ms.map(|duration| duration.to_string()).unwrap_or_default(),
            optional(&prediction.error_info),
        ];
        let members = sides(prediction).into_iter().flat_map(|(side, object)| {
            written_members(object).map(move |(name, value)| ((side, name), value))
        });
        let members: HashMap<_, _> = members.collect();
        cells.extend(self.fields.iter().map(|(side, name)| {
            match members.get(&(*side, &**name)).copied() {
                None | Some("null") => String::new(),
                Some(value) => text(value).unwrap_or(Cow::Borrowed(value)).into_owned(),
            }
        }));
        cells
    }

    fn write_csv(&self, prediction: &PredictionRow, text: &mut Vec<u8>) {
        write_csv_line(&self.cells(prediction), text);
    }
}

/// Writes predictions as CSV (RFC 4180), page by page.
#[derive(Default)]
pub(crate) struct Csv {
    columns: Option<Columns>,
}

impl Csv {
    /// Appends the predictions that a search finds, and subtracts their number from that of the whole text.
    /// Returns where the search goes on.
    ///
    /// The first page begins with the names of the columns. Later pages may have fields that it does not
    /// have, so that all fields of the range have a column unless it is the last one.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read or the search is invalid.
    pub(crate) fn page(
        &mut self,
        reader: &Reader,
        question: &Search<'_>,
        left: &mut usize,
        text: &mut Vec<u8>,
    ) -> Result<Option<String>, QueryError> {
        let mut waiting = Vec::new();
        let next = search(reader, question, |prediction| {
            *left -= 1;
            match &self.columns {
                Some(columns) => columns.write_csv(&prediction, text),
                None => waiting.push(prediction),
            }
        })?;
        if self.columns.is_none() {
            let is_last = next.is_none() || *left == 0;
            let further =
                if is_last { BTreeSet::new() } else { known_fields(reader, question.range)? };
            let columns = Columns::new(&waiting, further);
            write_csv_line(&columns.header(), text);
            waiting.iter().for_each(|prediction| columns.write_csv(prediction, text));
            self.columns = Some(columns);
        }
        Ok(next)
    }
}

/// Returns the logged fields of a prediction.
fn sides(prediction: &PredictionRow) -> [(&'static str, &str); 2] {
    [("input", prediction.inputs.get()), ("output", prediction.outputs.get())]
}

fn write_csv_line(cells: &[String], text: &mut Vec<u8>) {
    let cells: Vec<_> = cells.iter().map(|cell| csv_cell(cell)).collect();
    text.extend_from_slice(cells.join(",").as_bytes());
    text.extend_from_slice(b"\r\n");
}

/// Quotes a cell if necessary. A spreadsheet would run a text that begins like a formula.
fn csv_cell(cell: &str) -> String {
    let is_formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

/// Writes predictions as a table. Columns without values are left out.
pub(crate) fn table(predictions: &[PredictionRow]) -> String {
    let columns = Columns::new(predictions, BTreeSet::new());
    let header = columns.header();
    let rows: Vec<_> = predictions.iter().map(|prediction| columns.cells(prediction)).collect();
    let is_used = |column: &usize| rows.iter().any(|row| !row[*column].is_empty());
    let used: Vec<_> = (0..header.len()).filter(is_used).collect();
    let select =
        |row: &Vec<String>| used.iter().map(|column| shown(&row[*column])).collect::<Vec<_>>();
    let rows: Vec<_> = std::iter::once(&header).chain(&rows).map(select).collect();
    aligned(&rows)
}

/// Writes rows with their cells below each other.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        row.iter()
            .zip(&mut widths)
            .for_each(|(cell, width)| *width = cell.chars().count().max(*width));
    }
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Escapes what would control the terminal.
pub(crate) fn shown(cell: &str) -> String {
    cell.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}
