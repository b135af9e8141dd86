//! A line as a record.
//!
//! A record of a prediction is split by how much its members vary. Those that are the same in many
//! records (host, process, logger, model, …) form its *template*, which the store keeps once. The id,
//! the times, the logged fields and a few others are kept with each prediction.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use jiff::tz::TimeZone;

use super::members::{Members, text, write_member};
use super::role::{Role, is_ecs_object, role};
use super::time::Clock;

/// How a prediction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Success,
    Error,
}

/// Kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Prediction requested.`
    Request,
    /// `Prediction created.` or `Prediction exception.`
    Answer(Outcome),
    /// Any other record.
    Other,
}

/// A record, borrowed from its line.
pub(crate) struct Record<'a> {
    pub(crate) kind: Kind,
    /// Microseconds since 1970.
    pub(crate) time: Option<i64>,
    pub(crate) prediction_id: Option<Cow<'a, str>>,
    pub(crate) level: Cow<'a, str>,
    pub(crate) logger: Cow<'a, str>,
    pub(crate) message: Cow<'a, str>,
    pub(crate) model: Cow<'a, str>,
    pub(crate) version: Cow<'a, str>,
    pub(crate) instance: Cow<'a, str>,
    /// Identifies the thread, as far as the record names host, process and thread.
    pub(crate) thread: u64,
    /// Whether the record names a thread.
    pub(crate) names_thread: bool,
    /// Whether the record is that of a request that did not reach the model.
    pub(crate) is_refused: bool,
    pub(crate) duration_ns: Option<i64>,
    pub(crate) error: Option<Cow<'a, str>>,
    /// Number of predictions that this one stands for: more than 1 if the logger samples.
    pub(crate) weight: f64,
}

/// Decodes lines. Holds the parts of the last record that are kept as JSON text.
pub(crate) struct Decoder {
    clock: Clock,
    /// Members that many records share, and the places of those that vary, whose value is `null`.
    pub(crate) template: String,
    /// Inputs of a request, outputs of an answer.
    pub(crate) fields: String,
    /// Varying members that are neither.
    pub(crate) extra: String,
}

impl Decoder {
    /// Creates a decoder. Times without an offset are in `zone`.
    pub(crate) fn new(zone: TimeZone) -> Self {
        let [template, fields, extra] = [const { String::new() }; 3];
        Self { clock: Clock::new(zone), template, fields, extra }
    }

    /// Reads a time from JSON text, in microseconds since 1970.
    pub(crate) fn time(&mut self, value: &str) -> Option<i64> {
        self.clock.read(value)
    }

    /// Reads a line; `None` if it is no record: no JSON object with a `message`.
    pub(crate) fn decode<'a>(&mut self, line: &'a str) -> Option<Record<'a>> {
        let mut members = Members::read(line)?;
        expand_objects(&mut members);
        [&mut self.template, &mut self.fields, &mut self.extra].into_iter().for_each(String::clear);
        let mut record = Record::empty();
        let mut message = None;
        let mut status = None;
        let mut action = None;
        let mut sample_rate = 1.0_f64;
        let (mut host, mut process, mut thread) = ("", "", "");
        for &(ref name, value) in &members.0 {
            let role = role(name, action.is_some());
            let is_kept_with_prediction = match role {
                Role::Time => {
                    record.time = record.time.or_else(|| self.clock.read(value));
                    true
                }
                Role::PredictionId => {
                    record.prediction_id = text(value);
                    true
                }
                Role::Status => {
                    status = Some(value);
                    true
                }
                Role::DurationMs => {
                    record.duration_ns = nanoseconds(value, 1e6);
                    true
                }
                Role::DurationNs => {
                    record.duration_ns = nanoseconds(value, 1.0);
                    true
                }
                Role::Error => {
                    record.error = text(value);
                    true
                }
                Role::Varying => {
                    write_member(&mut self.extra, name, value);
                    continue;
                }
                Role::Other if name == "endpoint" && is_of_service(&record, action) => {
                    record.model = model_of_endpoint(value);
                    record.is_refused = !record.model.is_empty();
                    false
                }
                Role::Other if action.is_some() => {
                    write_member(&mut self.fields, name, value);
                    continue;
                }
                _ => false,
            };
            if is_kept_with_prediction {
                write_member(&mut self.template, name, "null");
                continue;
            }
            write_member(&mut self.template, name, value);
            match role {
                Role::Message => message = text(value).or(message),
                Role::Action => action = Some(value),
                Role::Level => record.level = text(value).unwrap_or_default(),
                Role::Logger => record.logger = text(value).unwrap_or_default(),
                Role::Model => record.model = text(value).unwrap_or_default(),
                Role::Version => record.version = text(value).unwrap_or_default(),
                Role::SampleRate => sample_rate = value.parse().unwrap_or(1.0),
                Role::Pod => {
                    record.instance = text(value).filter(|pod| pod != "N/A").unwrap_or_default()
                }
                Role::Host => host = value,
                Role::Process => process = value,
                Role::Thread => thread = value,
                _ => {}
            }
        }
        record.message = message?;
        if record.instance.is_empty() {
            record.instance = text(host).unwrap_or_default();
        }
        let mut hasher = FixedState::default().build_hasher();
        [host, process, thread].into_iter().for_each(|part| hasher.write(part.as_bytes()));
        (record.thread, record.names_thread) = (hasher.finish(), !thread.is_empty());
        record.kind = match (action, status) {
            (Some("\"predict\""), Some("\"success\"")) => Kind::Answer(Outcome::Success),
            (Some("\"predict\""), Some("\"error\"")) => Kind::Answer(Outcome::Error),
            (Some("\"predict\""), None) if record.error.is_none() => Kind::Request,
            (Some("\"predict\""), None) => Kind::Answer(Outcome::Error),
            _ => Kind::Other,
        };
        if sample_rate > 1e-9 && sample_rate < 1.0 {
            record.weight = 1.0 / sample_rate;
        }
        Some(record)
    }
}

impl Record<'_> {
    fn empty() -> Self {
        let none = || Cow::Borrowed("");
        Self {
            kind: Kind::Other,
            time: None,
            prediction_id: None,
            level: none(),
            logger: none(),
            message: none(),
            model: none(),
            version: none(),
            instance: none(),
            thread: 0,
            names_thread: false,
            is_refused: false,
            duration_ns: None,
            error: None,
            weight: 1.0,
        }
    }
}

/// Returns whether a record of `rest-model-service` itself is read: it names an endpoint and no model.
fn is_of_service(record: &Record<'_>, action: Option<&str>) -> bool {
    action.is_some() && record.model.is_empty()
}

/// Returns the model in `http://host/api/models/insurance_charges_model/prediction`.
fn model_of_endpoint(value: &str) -> Cow<'_, str> {
    let path = value.split_once("/api/models/").map(|(_, path)| path);
    path.and_then(|path| path.strip_suffix("/prediction\"")).unwrap_or_default().into()
}

/// Replaces the objects of the Elastic Common Schema by their members: `"log":{"level":…}` becomes
/// `"log.level":…`.
fn expand_objects(members: &mut Members<'_>) {
    let mut index = 0;
    while let Some((name, value)) = members.0.get(index) {
        let is_object =
            value.starts_with('{') && (is_ecs_object(name) || role(name, false) == Role::Ecs);
        let Some(Members(inner)) = is_object.then(|| Members::read(value)).flatten() else {
            index += 1;
            continue;
        };
        let inner = inner.into_iter().map(|(key, value)| (format!("{name}.{key}").into(), value));
        let inner: Vec<_> = inner.collect();
        members.0.splice(index..=index, inner);
    }
}

fn nanoseconds(value: &str, unit: f64) -> Option<i64> {
    let nanoseconds = value.parse::<f64>().ok()? * unit;
    (nanoseconds.is_finite() && nanoseconds.abs() < 1e18).then_some(nanoseconds.round() as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop::collection::vec(inner, 0..3).prop_map(Value::from)
        })
    }

    proptest! {
        #[test]
        fn no_line_panics(line in any::<String>()) {
            let mut decoder = Decoder::new(TimeZone::UTC);
            let _record = decoder.decode(&line);
            let _record = decoder.decode(&format!("{{\"message\":\"x\",\"log\":{{{line}}}}}"));
            let _piece = crate::record::unwrap(&line);
        }

        #[test]
        fn logged_fields_are_kept_unchanged(
            fields in prop::collection::btree_map("[a-z\"\\\\ü]{1,8}_f", value(), 0..5),
        ) {
            let mut record = json!({ "message": "Prediction requested.", "action": "predict", "prediction_id": "x" });
            let members = record.as_object_mut().unwrap();
            members.extend(fields.clone());
            let mut decoder = Decoder::new(TimeZone::UTC);
            let line = record.to_string();
            let decoded = decoder.decode(&line).unwrap();
            prop_assert_eq!(decoded.kind, Kind::Request);
            prop_assert_eq!(decoded.prediction_id.as_deref(), Some("x"));
            let closed = if fields.is_empty() { "{}".to_owned() } else { format!("{}}}", decoder.fields) };
            prop_assert_eq!(serde_json::from_str::<Value>(&closed).unwrap(), json!(fields));
            let values: Vec<_> = crate::record::written_members(&closed)
                .map(|(_, value)| serde_json::from_str::<Value>(value).unwrap())
                .collect();
            prop_assert_eq!(json!(values), json!(fields.values().collect::<Vec<_>>()));
        }
    }
}
