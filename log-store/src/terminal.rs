//! Answers as text: tables for a terminal, CSV for other programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::query::PredictionRow;

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

/// Writes predictions as CSV (RFC 4180), with a column for each logged field.
pub(crate) fn csv(predictions: &[PredictionRow]) -> String {
    let (header, rows) = cells(predictions);
    let mut text = String::new();
    for row in std::iter::once(header).chain(rows) {
        let cells: Vec<_> = row.iter().map(|cell| csv_cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
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
    let (header, rows) = cells(predictions);
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

fn cells(predictions: &[PredictionRow]) -> (Vec<String>, Vec<Vec<String>>) {
    let fields =
        |object: &str| serde_json::from_str::<Map<String, Value>>(object).unwrap_or_default();
    // The order of the fields is that of their first occurrence.
    let mut columns: BTreeMap<(bool, String), usize> = BTreeMap::new();
    let mut names = Vec::new();
    let mut rows = Vec::new();
    for prediction in predictions {
        let mut values = BTreeMap::new();
        for (is_output, object) in
            [(false, prediction.inputs.get()), (true, prediction.outputs.get())]
        {
            for (name, value) in fields(object) {
                let column = *columns.entry((is_output, name.clone())).or_insert_with(|| {
                    names.push(name);
                    names.len() - 1
                });
                values.insert(column, value);
            }
        }
        rows.push((prediction, values));
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let rows = rows.into_iter().map(|(prediction, values)| {
        let mut cells = vec![
            text(if prediction.requested_at.is_some() {
                &prediction.requested_at
            } else {
                &prediction.answered_at
            }),
            text(&prediction.prediction_id),
            prediction.model.clone(),
            prediction.version.clone(),
            prediction.instance.clone(),
            prediction.status.to_owned(),
            prediction.duration_ms.map(|duration| duration.to_string()).unwrap_or_default(),
            text(&prediction.error_info),
        ];
        cells.extend((0..names.len()).map(|column| match values.get(&column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }));
        cells
    });
    let rows = rows.collect();
    let header = COLUMNS.into_iter().map(str::to_owned).chain(names).collect();
    (header, rows)
}
