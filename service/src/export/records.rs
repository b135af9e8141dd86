//! The fields of the program's log records, and the types that an index needs for them.

use ml_logging::EcsKeys;
use ml_model_core::decorators::logging::{FieldError, FieldKind, LoggedField, RECORD_KEYS};
use ml_model_core::{ModelRegistry, PredictionId, RegistryError};
use schemars::Schema;
use serde_json::{Value, json};

use crate::info::Info;

/// Description of the records and models of a program, for indexes, dashboards and alerts.
#[derive(Debug)]
pub(crate) struct DescribedRecords {
    /// Title of the service.
    pub(crate) title: String,
    /// Name of the service in the names of data streams: its title in snake_case.
    pub(crate) service: String,
    /// Qualified names of the models.
    pub(crate) models: Vec<String>,
    /// Keys of the records with their types, in the order of the records.
    pub(crate) fields: Vec<(String, FieldType)>,
    pub(crate) keys: Keys,
    /// Keys of the numeric output fields.
    pub(crate) numeric_outputs: Vec<String>,
    /// Keys of all fields of inputs and outputs.
    pub(crate) logged: Vec<String>,
}

/// Keys of the fields of every prediction, after the formatter has renamed them.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) action: String,
    pub(crate) model: String,
    pub(crate) version: String,
    pub(crate) prediction_id: String,
    pub(crate) status: String,
    pub(crate) duration: String,
    pub(crate) error: String,
    /// The pod if the records contain it, else the host.
    pub(crate) instance: String,
}

/// Type of a field, supported by Elasticsearch and OpenSearch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldType {
    Keyword,
    /// Text that is searched by words.
    Text,
    /// Text that is searched by words, and grouped by its whole value under `.keyword`.
    GroupedText,
    Long,
    /// An integer that may exceed 64 bits.
    WideLong,
    Double,
    Boolean,
    /// The time of the record.
    Timestamp,
    /// A date that the model logs.
    Date,
}

impl FieldType {
    fn of(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Boolean => Self::Boolean,
            FieldKind::Integer => Self::Long,
            FieldKind::WideInteger => Self::WideLong,
            FieldKind::Number => Self::Double,
            FieldKind::Date => Self::Date,
            // A keyword accepts all scalar values.
            _ => Self::Keyword,
        }
    }

    /// Returns the type of a constant value.
    fn of_json(json: &[u8]) -> Self {
        match serde_json::from_slice(json) {
            Ok(Value::Bool(_)) => Self::Boolean,
            Ok(Value::Number(number)) if number.is_i64() => Self::Long,
            Ok(Value::Number(_)) => Self::Double,
            _ => Self::Keyword,
        }
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Long | Self::WideLong | Self::Double)
    }

    /// Renders the type as a mapping.
    pub(crate) fn mapping(self) -> Value {
        // Lucene refuses keywords above 32766 bytes, and with them the record.
        const LONGEST_KEYWORD: u32 = 1024;
        let keyword = json!({"type": "keyword", "ignore_above": LONGEST_KEYWORD});
        match self {
            Self::Keyword => keyword,
            Self::Text => json!({"type": "match_only_text"}),
            Self::GroupedText => json!({"type": "match_only_text", "fields": {"keyword": keyword}}),
            Self::Long => json!({"type": "long"}),
            // A value that does not fit is kept and not indexed, so that the record is not refused.
            Self::WideLong => json!({"type": "long", "ignore_malformed": true}),
            Self::Double => json!({"type": "double"}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Timestamp => json!({"type": "date"}),
            Self::Date => json!({"type": "date", "ignore_malformed": true}),
        }
    }

    /// Returns the type of a field with values of both types.
    fn joined(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, other) if one == other => Some(one),
            (Self::Long, Self::WideLong) | (Self::WideLong, Self::Long) => Some(Self::WideLong),
            (one, other) if one.is_number() && other.is_number() => Some(Self::Double),
            _ => None,
        }
    }
}

/// Types of the context keys of [`ml_logging::EcsFormatter`]. Keys that are not listed are keywords, or have
/// the type of their constant value.
const CONTEXT: [(&str, FieldType); 5] = [
    ("@timestamp", FieldType::Timestamp),
    ("message", FieldType::Text),
    ("log.origin.file.line", FieldType::Long),
    ("process.pid", FieldType::Long),
    ("process.thread.id", FieldType::Long),
];

/// Lists the fields of every prediction and of the service's spans, by their names before a formatter
/// renames them.
fn fields_of_predictions() -> impl Iterator<Item = (&'static str, FieldType)> {
    let mut keys: Vec<_> = RECORD_KEYS.iter().copied().filter(|key| *key != "message").collect();
    // Records hold the prediction id after the model.
    let position = keys.iter().position(|key| *key == "model_version").map_or(0, |index| index + 1);
    keys.insert(position, PredictionId::FIELD);
    keys.extend(["trace_id", "span_id", "transaction_id"]);
    keys.into_iter().map(|key| {
        let kind = match key {
            "row" | "duration_ms" => FieldType::Long,
            "sample_rate" => FieldType::Double,
            "error_info" => FieldType::GroupedText,
            _ => FieldType::Keyword,
        };
        (key, kind)
    })
}

impl DescribedRecords {
    /// Describes the records of the models in `registry`, written by handlers with these keys.
    ///
    /// # Errors
    ///
    /// Fails if the records have no single description.
    pub(crate) fn new(
        info: &Info,
        registry: &ModelRegistry,
        handlers: &[EcsKeys],
    ) -> Result<Self, DescribeError> {
        let [first, ..] = handlers else { return Err(DescribeError::NoEcs) };
        let mut fields = Fields::default();
        for (key, value) in handlers.iter().flat_map(EcsKeys::context) {
            let known = CONTEXT.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind);
            let kind =
                known.or_else(|| value.map(FieldType::of_json)).unwrap_or(FieldType::Keyword);
            fields.add(key.to_owned(), kind, "the log's context")?;
        }
        for (name, kind) in fields_of_predictions() {
            for key in handlers.iter().filter_map(|keys| keys.of_field(name)) {
                fields.add(key, kind, "every prediction")?;
            }
        }
        let required = |name: &'static str| {
            first.of_field(name).ok_or(DescribeError::Excluded { field: name })
        };
        let has_pod = first.context().any(|(key, _)| key == POD);
        let keys = Keys {
            action: required("action")?,
            model: required("model_qualified_name")?,
            version: required("model_version")?,
            prediction_id: required("prediction_id")?,
            status: required("status")?,
            duration: required("duration_ms")?,
            error: required("error_info")?,
            instance: if has_pod { POD } else { HOST }.to_owned(),
        };
        let mut described = Self {
            title: info.title.clone(),
            service: info.service_name(),
            models: Vec::new(),
            fields: Vec::new(),
            keys,
            numeric_outputs: Vec::new(),
            logged: Vec::new(),
        };
        for (name, model) in registry.iter() {
            if name != name.to_lowercase() {
                return Err(DescribeError::NotLowerCase { model: name.to_owned() });
            }
            described.models.push(name.to_owned());
            let metadata = registry.metadata(name)?;
            let logged = model.stack().logged_fields;
            let sides = [
                ("input", &logged.input, &metadata.input_schema),
                ("output", &logged.output, &metadata.output_schema),
            ];
            for (side, listed, schema) in sides {
                for field in listed {
                    let kind = kind(name, side, field, schema)?;
                    for key in handlers.iter().filter_map(|keys| keys.of_field(field.key())) {
                        fields.add(key.clone(), kind, &format!("the {side} of `{name}`"))?;
                        if side == "output" && kind.is_number() {
                            add_new(&mut described.numeric_outputs, &key);
                        }
                        add_new(&mut described.logged, &key);
                    }
                }
            }
        }
        described.fields =
            fields.0.into_iter().map(|Field { key, kind, .. }| (key, kind)).collect();
        Ok(described)
    }
}

/// Returns the pattern of the data streams of a model or of the service in all environments.
pub(super) fn stream_pattern(name: &str) -> String {
    format!("logs-{name}-*")
}

const POD: &str = "pod_name";
const HOST: &str = "host.name";

fn add_new(keys: &mut Vec<String>, key: &str) {
    if !keys.iter().any(|known| known == key) {
        keys.push(key.to_owned());
    }
}

fn kind(
    model: &str,
    side: &'static str,
    field: &LoggedField,
    schema: &Schema,
) -> Result<FieldType, DescribeError> {
    field.kind(schema).map(FieldType::of).map_err(|source| DescribeError::Field {
        model: model.to_owned(),
        side,
        field: field.to_string(),
        source,
    })
}

/// Fields with their types, each once.
#[derive(Default)]
struct Fields(Vec<Field>);

struct Field {
    key: String,
    kind: FieldType,
    origin: String,
}

impl Fields {
    fn add(&mut self, key: String, kind: FieldType, origin: &str) -> Result<(), DescribeError> {
        let is_below = |key: &str, object: &str| {
            key.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'))
        };
        let nested = |known: &&Field| is_below(&known.key, &key) || is_below(&key, &known.key);
        if let Some(known) = self.0.iter().find(nested) {
            let (inner, outer) = if key.len() > known.key.len() {
                (key, known.key.clone())
            } else {
                (known.key.clone(), key)
            };
            return Err(DescribeError::ValueAndObject { inner, outer });
        }
        let Some(known) = self.0.iter_mut().find(|known| known.key == key) else {
            self.0.push(Field { key, kind, origin: origin.to_owned() });
            return Ok(());
        };
        known.kind = known.kind.joined(kind).ok_or_else(|| DescribeError::TwoTypes {
            key,
            one: known.origin.clone(),
            other: origin.to_owned(),
        })?;
        Ok(())
    }
}

/// Reason why the records of a program have no single description.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescribeError {
    #[error(
        "no handler of the configuration writes the Elastic Common Schema, which these files describe: \
         give one a formatter of the class `EcsFormatter`"
    )]
    NoEcs,
    #[error(
        "the formatter leaves out `{field}`, which the dashboards need: remove it from `exclude_fields`"
    )]
    Excluded { field: &'static str },
    #[error(
        "the name of `{model}` has capital letters, which the name of a data stream cannot have: give it \
         another `qualified_name`"
    )]
    NotLowerCase { model: String },
    #[error(
        "the type of `{field}` in the {side} of `{model}` is not known; if serde gives the field another \
         name, list the model's decorators in a configuration file, by the names in the JSON"
    )]
    Field { model: String, side: &'static str, field: String, source: FieldError },
    #[error(
        "`{key}` has one type in {one} and another one in {other}: rename one of them, as in \
         `{key} as other_name`"
    )]
    TwoTypes { key: String, one: String, other: String },
    #[error(
        "`{inner}` makes an object of `{outer}`, which is a value as well: rename one of them, as in \
         `{inner} as other_name`"
    )]
    ValueAndObject { inner: String, outer: String },
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
