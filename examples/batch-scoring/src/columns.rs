//! A line of the file as a request for the model.
//!
//! The types, ranges and required columns come from the schema of the model's input.

use std::collections::HashSet;
use std::iter;

use csv_core::Reader;
use ml_model_core::{PredictionId, Request, Violation};
use schemars::Schema;
use serde_json::{Map, Number, Value};

/// The columns of the file, in their order.
#[derive(Debug)]
pub struct Columns(Vec<Column>);

#[derive(Debug)]
struct Column {
    name: String,
    kind: Kind,
    is_required: bool,
    minimum: Option<f64>,
    maximum: Option<f64>,
}

#[derive(Debug)]
enum Kind {
    Number,
    Boolean,
    Text,
}

impl Columns {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// Fails if a column that the model requires is missing, or if two columns have the same name.
    pub fn of(header: &str, input_schema: &Schema) -> Result<Self, String> {
        let header = cells(&mut Reader::new(), header)?;
        let schema = input_schema.as_value();
        let required: HashSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let names: HashSet<&str> = header.iter().map(String::as_str).collect();
        if names.len() < header.len() {
            return Err("two columns have the same name: remove one".to_owned());
        }
        let mut missing: Vec<_> = required.difference(&names).copied().collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            return Err(format!("the header has no column {}: add it", missing.join(", ")));
        }
        let column = |name: &str| {
            let property = &schema["properties"][name];
            let is = |kind: &str| match &property["type"] {
                Value::Array(kinds) => kinds.iter().any(|of| of == kind),
                of => of == kind,
            };
            let kind = match () {
                () if is("integer") || is("number") => Kind::Number,
                () if is("boolean") => Kind::Boolean,
                () => Kind::Text,
            };
            Column {
                name: name.to_owned(),
                kind,
                is_required: required.contains(name),
                minimum: property["minimum"].as_f64(),
                maximum: property["maximum"].as_f64(),
            }
        };
        Ok(Self(header.iter().map(|name| column(name)).collect()))
    }

    /// Converts a line to a request with an id: that of the column `prediction_id`, or a new one. The request is
    /// invalid if the line has no row or a number is outside of its range.
    ///
    /// The parser is reused, because building its tables takes longer than a prediction.
    pub fn request(
        &self,
        parser: &mut Reader,
        line: Result<&str, &str>,
    ) -> (PredictionId, Request<Value>) {
        let row = match line {
            Ok(line) => self.row(parser, line),
            Err(reason) => Err(Violation::new("", reason)),
        };
        let (mut row, mut violations) = match row {
            Ok(row) => row,
            Err(violation) => {
                let id = PredictionId::random();
                let request = Request::invalid(vec![violation]).with_prediction_id(id.clone());
                return (id, request);
            }
        };
        let id = match PredictionId::take_from(&mut row) {
            Some(Ok(id)) => id,
            Some(Err(violation)) => {
                violations.push(violation);
                PredictionId::random()
            }
            None => PredictionId::random(),
        };
        let mut request = Request::new(row).with_prediction_id(id.clone());
        violations.into_iter().for_each(|violation| request.add_violation(violation));
        (id, request)
    }

    /// Returns the row as an object, and the numbers outside of their ranges.
    fn row(&self, parser: &mut Reader, line: &str) -> Result<(Value, Vec<Violation>), Violation> {
        let cells = cells(parser, line).map_err(|reason| Violation::new("", reason))?;
        if cells.len() != self.0.len() {
            let reason = format!("{} cells for {} columns", cells.len(), self.0.len());
            return Err(Violation::new("", reason));
        }
        let mut row = Map::new();
        let mut violations = Vec::new();
        for (column, cell) in self.0.iter().zip(&cells) {
            // An empty cell is an absent value.
            if !cell.is_empty() || column.is_required {
                let value = column.value(cell);
                // The values stay out of the messages, because they may be sensitive.
                let mut refuse = |reason| violations.push(Violation::new(&column.name, reason));
                match value.as_f64() {
                    Some(number) if column.minimum.is_some_and(|minimum| number < minimum) => {
                        refuse(format!("less than {}", column.minimum.unwrap_or_default()));
                    }
                    Some(number) if column.maximum.is_some_and(|maximum| number > maximum) => {
                        refuse(format!("more than {}", column.maximum.unwrap_or_default()));
                    }
                    _ => {}
                }
                row.insert(column.name.clone(), value);
            }
        }
        Ok((Value::Object(row), violations))
    }
}

impl Column {
    /// Converts a cell. One that is not of the column's type stays text, which the model's type refuses.
    fn value(&self, cell: &str) -> Value {
        let text = || Value::from(cell);
        match self.kind {
            Kind::Number => cell.trim().parse::<Number>().map_or_else(|_| text(), Value::Number),
            Kind::Boolean => cell.trim().parse::<bool>().map_or_else(|_| text(), Value::Bool),
            Kind::Text => text(),
        }
    }
}

/// Splits a line into cells.
fn cells(parser: &mut Reader, line: &str) -> Result<Vec<String>, String> {
    if !line.matches('"').count().is_multiple_of(2) {
        return Err("a quote is not closed".to_owned());
    }
    if line.contains('\r') {
        return Err("a carriage return inside of the line".to_owned());
    }
    parser.reset();
    // One more than needed, because the parser waits for room when either is full.
    let mut text = vec![0; line.len() + 1];
    let mut ends = vec![0; line.matches(',').count() + 2];
    let (_, _, written, before) = parser.read_record(line.as_bytes(), &mut text, &mut ends);
    // The end of the input ends the last cell.
    let (_, _, _, last) = parser.read_record(&[], &mut [], &mut ends[before..]);
    text.truncate(written);
    ends.truncate(before + last);
    let starts = iter::once(0).chain(ends.iter().copied());
    let cell = |(start, end): (usize, &usize)| String::from_utf8(text[start..*end].to_vec());
    starts.zip(&ends).map(cell).collect::<Result<_, _>>().map_err(|error| error.to_string())
}
