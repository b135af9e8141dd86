//! Results as CSV.

use ml_model_core::PredictionId;
use schemars::Schema;
use serde_json::Value;

/// Name of the column of an output that is not an object.
const WHOLE: &str = "prediction";

/// The columns of the results: the line, the prediction id, the members of the output, the error.
#[derive(Debug)]
pub struct ResultColumns(Vec<String>);

impl ResultColumns {
    pub fn of(output_schema: &Schema) -> Self {
        let properties = output_schema.as_value()["properties"].as_object();
        let names = properties.into_iter().flat_map(|properties| properties.keys());
        let mut names: Vec<_> =
            names.filter(|name| *name != PredictionId::FIELD).cloned().collect();
        if names.is_empty() {
            names.push(WHOLE.to_owned());
        }
        Self(names)
    }

    /// Writes the header.
    ///
    /// # Errors
    ///
    /// Fails if writing fails, like [`write`](Self::write).
    pub fn write_header(&self, csv: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
        csv.write_record(
            ["line", PredictionId::FIELD]
                .into_iter()
                .chain(self.0.iter().map(String::as_str))
                .chain(["error"]),
        )
    }

    /// Writes one result.
    ///
    /// # Errors
    ///
    /// Fails if writing fails.
    pub fn write(
        &self,
        csv: &mut csv::Writer<Vec<u8>>,
        line: u64,
        id: &PredictionId,
        result: &Result<Value, String>,
    ) -> csv::Result<()> {
        csv.write_field(line.to_string())?;
        csv.write_field(id.as_str())?;
        for name in &self.0 {
            csv.write_field(match result {
                Ok(Value::Object(members)) => text(members.get(name)),
                Ok(output) => text(Some(output)),
                Err(_) => String::new(),
            })?;
        }
        csv.write_field(result.as_ref().err().map_or("", String::as_str))?;
        csv.write_record(None::<&[u8]>)
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}
