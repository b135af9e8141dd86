//! The parts of saved objects that Kibana and OpenSearch Dashboards share.

use serde_json::{Value, json};

use super::records::DescribedRecords;

/// Name by which saved objects of both products refer to the index pattern of their search source.
pub(super) const SEARCH_SOURCE: &str = "kibanaSavedObjectMeta.searchSourceJSON.index";

/// Search source with this query on the index pattern that [`SEARCH_SOURCE`] refers to.
pub(super) fn search_source(language: &str, query: &str) -> Value {
    json!({"query": {"language": language, "query": query}, "filter": [], "indexRefName": SEARCH_SOURCE})
}

/// Shows durations, which are nanoseconds in the records, as milliseconds.
pub(super) fn duration_format(records: &DescribedRecords) -> Value {
    let params = json!({"inputFormat": "nanoseconds", "outputFormat": "asMilliseconds", "outputPrecision": 3});
    json!({&records.keys.duration: {"id": "duration", "params": params}})
}

/// Renders JSON as a string: saved objects hold parts of themselves in this form.
pub(super) fn text(value: &Value) -> Value {
    Value::from(value.to_string())
}

/// Makes a reference from one saved object to another.
pub(super) fn reference(name: &str, kind: &str, id: &str) -> Value {
    json!({"name": name, "type": kind, "id": id})
}
