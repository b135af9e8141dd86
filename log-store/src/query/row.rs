//! A prediction as it is shown.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::record::{Members, Role, role};
use crate::store::Day;
use crate::store::day_file::{ERROR, SUCCESS};

/// Columns of a prediction, in the order of [`PredictionRow::read`].
pub(super) const COLUMNS: &str = "seq, id, at, answered, duration, status, request, answer, inputs, outputs, \
                                  error, request_extra, answer_extra";

/// A prediction.
#[derive(Debug, Serialize)]
pub(crate) struct PredictionRow {
    pub(crate) prediction_id: Option<String>,
    /// Identifies the prediction in the store, also if it has no id.
    pub(crate) key: String,
    pub(crate) model: String,
    pub(crate) version: String,
    pub(crate) instance: String,
    pub(crate) status: &'static str,
    pub(crate) requested_at: Option<String>,
    pub(crate) answered_at: Option<String>,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) inputs: Box<RawValue>,
    pub(crate) outputs: Box<RawValue>,
    pub(crate) error_info: Option<String>,
    /// The records as they were logged, with their times in RFC 3339. Lists leave them out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) records: Vec<Value>,
}

/// Part that a record shares with others.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) level: String,
    pub(super) logger: String,
    pub(super) model: String,
    pub(super) version: String,
    pub(super) instance: String,
    body: String,
}

/// The templates of a day by their numbers.
pub(super) type Templates = HashMap<i64, Template>;

/// Reads the templates of a file.
pub(super) fn templates(connection: &Connection) -> rusqlite::Result<Templates> {
    let sql = "SELECT id, level, logger, model, version, instance, body FROM templates";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let template = Template {
            level: row.get(1)?,
            logger: row.get(2)?,
            model: row.get(3)?,
            version: row.get(4)?,
            instance: row.get(5)?,
            body: row.get(6)?,
        };
        Ok((row.get(0)?, template))
    })?;
    rows.collect()
}

/// Returns the text of a prediction's id.
pub(super) fn id_text(id: ValueRef<'_>) -> Option<String> {
    match id {
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => {
            let mut text = String::with_capacity(36);
            for (index, byte) in bytes.iter().enumerate() {
                if matches!(index, 4 | 6 | 8 | 10) {
                    text.push('-');
                }
                text.push_str(&format!("{byte:02x}"));
            }
            Some(text)
        }
        _ => None,
    }
}

/// Returns the name of a status.
pub(super) fn status_name(status: i64) -> &'static str {
    match status {
        SUCCESS => "success",
        ERROR => "error",
        _ => "pending",
    }
}

/// Writes a time in microseconds since 1970 in RFC 3339.
pub(crate) fn timestamp(micros: i64) -> String {
    Timestamp::from_microsecond(micros).unwrap_or_default().to_string()
}

impl PredictionRow {
    /// Reads a row of [`COLUMNS`].
    pub(super) fn read(
        row: &Row<'_>,
        day: Day,
        templates: &Templates,
        with_records: bool,
    ) -> rusqlite::Result<Self> {
        let seq: i64 = row.get(0)?;
        let at = day.start() + row.get::<_, i64>(2)?;
        let answered: Option<i64> = row.get(3)?;
        let duration: Option<i64> = row.get(4)?;
        let request = row.get::<_, Option<i64>>(6)?.and_then(|id| templates.get(&id));
        let answer = row.get::<_, Option<i64>>(7)?.and_then(|id| templates.get(&id));
        let any = answer.or(request);
        let text = |part: fn(&Template) -> &String| any.map(part).cloned().unwrap_or_default();
        let mut prediction = Self {
            prediction_id: id_text(row.get_ref(1)?),
            key: format!("{day}.{seq}"),
            model: text(|template| &template.model),
            version: text(|template| &template.version),
            instance: text(|template| &template.instance),
            status: status_name(row.get(5)?),
            requested_at: request.map(|_| timestamp(at)),
            answered_at: answered.map(|answered| timestamp(at + answered)),
            duration_ms: duration.map(|duration| duration as f64 / 1e6),
            inputs: object(row.get(8)?),
            outputs: object(row.get(9)?),
            error_info: row.get(10)?,
            records: Vec::new(),
        };
        if with_records {
            let halves = [
                (request, &prediction.requested_at, &prediction.inputs, row.get(11)?),
                (answer, &prediction.answered_at, &prediction.outputs, row.get(12)?),
            ];
            let records = halves.into_iter().filter_map(|(template, time, fields, extra)| {
                let extra: Option<String> = extra;
                Some(prediction.record(template?, time.as_deref(), fields.get(), extra.as_deref()))
            });
            prediction.records = records.collect();
        }
        Ok(prediction)
    }

    /// Returns the approximate size of the prediction in an answer, without its records.
    pub(super) fn size(&self) -> usize {
        let error = self.error_info.as_ref().map_or(0, String::len);
        size_of::<Self>() + self.inputs.get().len() + self.outputs.get().len() + error
    }

    /// Puts a record together from its template and what was kept with the prediction.
    fn record(
        &self,
        template: &Template,
        time: Option<&str>,
        fields: &str,
        extra: Option<&str>,
    ) -> Value {
        let mut record = Map::new();
        let body = format!("{}}}", template.body);
        let mut is_event = false;
        for (name, value) in Members::read(&body).map_or_else(Vec::new, |members| members.0) {
            let role = role(&name, is_event);
            is_event |= role == Role::Action;
            let value = match role {
                Role::Time => time.into(),
                Role::PredictionId => self.prediction_id.as_deref().into(),
                Role::Status => self.status.into(),
                Role::DurationMs => self.duration_ms.into(),
                Role::DurationNs => {
                    self.duration_ms.map(|duration| (duration * 1e6).round() as i64).into()
                }
                Role::Error => self.error_info.as_deref().into(),
                _ => serde_json::from_str(value).unwrap_or_default(),
            };
            record.insert(name.into_owned(), value);
        }
        for object in [extra.unwrap_or("{}"), fields] {
            if let Ok(Value::Object(members)) = serde_json::from_str(object) {
                record.extend(members);
            }
        }
        record.into()
    }
}

/// Returns an object as JSON; an empty one for null.
fn object(text: Option<String>) -> Box<RawValue> {
    json(text.unwrap_or_else(|| "{}".to_owned()))
}

/// Returns a text as JSON; null if it is none.
pub(super) fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
