//! The index template of the data streams, and their lifecycle.

use serde_json::{Map, Value, json};

use super::records::{DescribedRecords, stream_pattern};

/// Retention time of records.
const RETENTION: &str = "90d";

/// Builds the body of `PUT _index_template/{service}`, for Elasticsearch and OpenSearch.
///
/// A model's predictions go to `logs-{qualified_name}-{environment}`, all other records to
/// `logs-{service}-{environment}`. Every known field has its type; other fields are kept, but not indexed.
pub(super) fn index_template(records: &DescribedRecords) -> Value {
    let streams = records.models.iter().chain([&records.service]);
    let patterns: Vec<String> = streams.map(|name| stream_pattern(name)).collect();
    let mut properties = Map::new();
    for (key, kind) in &records.fields {
        insert(&mut properties, key, kind.mapping());
    }
    let searched = ["message", &records.keys.error, &records.keys.prediction_id];
    // `logsdb` would ignore a value of the wrong type silently.
    let settings = json!({
        "mapping": {"ignore_malformed": false},
        "query": {"default_field": searched},
    });
    json!({
        "index_patterns": patterns,
        "data_stream": {},
        // Above the built-in template `logs-*-*` of Elasticsearch, which has 100.
        "priority": 500,
        "composed_of": [format!("{}@lifecycle", records.service)],
        "template": {
            "settings": {"index": settings},
            "mappings": {"dynamic": false, "properties": properties},
        },
        "_meta": {"description": format!("Log records of {}. Written by `export elasticsearch`.", records.title)},
    })
}

/// Builds the body of `PUT _component_template/{service}@lifecycle`. OpenSearch knows neither setting
/// and uses an empty component instead.
pub(super) fn lifecycle() -> Value {
    json!({
        "template": {
            "settings": {"index": {"mode": "logsdb"}},
            "lifecycle": {"data_retention": RETENTION},
        },
        "_meta": {"description": "Retention and storage of log records. Written by `export elasticsearch`."},
    })
}

/// Inserts the field at `key`, a path through objects.
fn insert(properties: &mut Map<String, Value>, key: &str, mapping: Value) {
    let Some((first, rest)) = key.split_once('.') else {
        properties.insert(key.to_owned(), mapping);
        return;
    };
    let object = properties.entry(first).or_insert_with(|| json!({"properties": {}}));
    if let Some(inner) = object.get_mut("properties").and_then(Value::as_object_mut) {
        insert(inner, rest, mapping);
    }
}
