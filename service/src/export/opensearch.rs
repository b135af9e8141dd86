//! Saved objects of OpenSearch Dashboards: an index pattern, aggregation-based visualizations, and a
//! dashboard that refers to them.

use serde_json::{Value, json};

use super::panels::{self, Chart, PERCENTILES, Panel};
use super::records::{DescribedRecords, FieldType};
use super::saved_objects::{SEARCH_SOURCE, duration_format, reference, search_source, text};

/// Builds the saved objects. Objects come before those that refer to them.
pub(super) fn saved_objects(records: &DescribedRecords) -> Vec<Value> {
    let pattern = panels::object_id(records, "predictions");
    let panels = panels::panels(records);
    let mut objects = vec![index_pattern(records, &pattern)];
    objects.push(id_control(records, &pattern));
    objects.extend(panels.iter().map(|panel| match &panel.chart {
        Chart::Records { columns } => saved_search(records, panel, columns, &pattern),
        _ => visualization(records, panel, &pattern),
    }));
    objects.push(dashboard(records, &panels));
    objects
}

/// Versions that define the form of the objects; newer products migrate them.
fn object(kind: &str, id: &str, attributes: Value, references: Vec<Value>) -> Value {
    let version = match kind {
        "index-pattern" => "7.6.0",
        "visualization" => "7.10.0",
        _ => "7.9.3",
    };
    json!({
        "id": id,
        "type": kind,
        "attributes": attributes,
        "references": references,
        "migrationVersion": {kind: version},
    })
}

fn index_pattern(records: &DescribedRecords, id: &str) -> Value {
    let mut fields = Vec::new();
    for (key, kind) in &records.fields {
        fields.push(field(key, *kind));
        if *kind == FieldType::GroupedText {
            fields.push(field(&format!("{key}.keyword"), FieldType::Keyword));
        }
    }
    let attributes = json!({
        "title": panels::index_pattern(records),
        "timeFieldName": "@timestamp",
        "fields": text(&fields.into()),
        "fieldFormatMap": text(&duration_format(records)),
    });
    object("index-pattern", id, attributes, Vec::new())
}

fn field(name: &str, kind: FieldType) -> Value {
    let (shown, stored) = match kind {
        FieldType::Keyword => ("string", "keyword"),
        FieldType::Text | FieldType::GroupedText => ("string", "match_only_text"),
        FieldType::Long | FieldType::WideLong => ("number", "long"),
        FieldType::Double => ("number", "double"),
        FieldType::Boolean => ("boolean", "boolean"),
        FieldType::Timestamp | FieldType::Date => ("date", "date"),
    };
    let is_aggregatable = stored != "match_only_text";
    json!({
        "name": name,
        "type": shown,
        "esTypes": [stored],
        "count": 0,
        "scripted": false,
        "searchable": true,
        "aggregatable": is_aggregatable,
        "readFromDocValues": is_aggregatable,
    })
}

fn saved_search(
    records: &DescribedRecords,
    panel: &Panel,
    columns: &[String],
    pattern: &str,
) -> Value {
    let attributes = json!({
        "title": format!("{}: {}", records.title, panel.title),
        "columns": columns,
        "sort": [["@timestamp", "desc"]],
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(&search_source("lucene", &panel.filter.lucene()))},
        "version": 1,
    });
    let references = vec![reference(SEARCH_SOURCE, "index-pattern", pattern)];
    object("search", &panels::object_id(records, &panel.id), attributes, references)
}

const ID_CONTROL: &str = "search-by-prediction-id";

/// Builds the control that searches prediction ids.
fn id_control(records: &DescribedRecords, pattern: &str) -> Value {
    let control = json!({
        "id": "prediction-id",
        "fieldName": records.keys.prediction_id,
        "label": "Prediction id",
        "type": "list",
        "parent": "",
        "options": {"type": "terms", "multiselect": true, "dynamicOptions": true, "size": 10, "order": "desc"},
        "indexPatternRefName": "control_0_index_pattern",
    });
    let state = json!({
        "title": "Search by prediction id",
        "type": "input_control_vis",
        "params": {"controls": [control], "updateFiltersOnChange": true, "useTimeFilter": true, "pinFilters": false},
        "aggs": [],
    });
    let attributes = json!({
        "title": format!("{}: Search by prediction id", records.title),
        "visState": text(&state),
        "uiStateJSON": "{}",
        "kibanaSavedObjectMeta": {"searchSourceJSON": "{}"},
        "version": 1,
    });
    let references = vec![reference("control_0_index_pattern", "index-pattern", pattern)];
    object("visualization", &panels::object_id(records, ID_CONTROL), attributes, references)
}

fn visualization(records: &DescribedRecords, panel: &Panel, pattern: &str) -> Value {
    let count = aggregation("1", "count", "metric", json!({}));
    let over_time = aggregation(
        "2",
        "date_histogram",
        "segment",
        json!({"field": "@timestamp", "interval": "auto", "min_doc_count": 0, "useNormalizedEsInterval": true, "scaleMetricValues": false, "drop_partials": false, "extended_bounds": {}}),
    );
    let (kind, params, aggregations) = match &panel.chart {
        Chart::Count => ("metric", metric(), vec![count]),
        Chart::OverTime => ("histogram", series("histogram", &["1"]), vec![count, over_time]),
        Chart::Top { field, label, size } => {
            let top = aggregation(
                "2",
                "terms",
                "bucket",
                json!({"field": field, "size": size, "orderBy": "1", "order": "desc", "otherBucket": true, "otherBucketLabel": "Other", "missingBucket": false, "missingBucketLabel": "Missing", "customLabel": label}),
            );
            let params = json!({"perPage": 10, "showPartialRows": false, "showMetricsAtAllLevels": false, "showTotal": false, "totalFunc": "sum", "percentageCol": ""});
            ("table", params, vec![count, top])
        }
        Chart::Percentiles { field } => {
            let params = json!({"field": field, "percents": PERCENTILES});
            let latency = aggregation("1", "percentiles", "metric", params);
            let names: Vec<String> =
                PERCENTILES.iter().map(|percent| format!("1.{percent}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            ("line", series("line", &names), vec![latency, over_time])
        }
        Chart::Distribution { field } => {
            let ranges = aggregation(
                "2",
                "histogram",
                "segment",
                json!({"field": field, "interval": "auto", "min_doc_count": true, "has_extended_bounds": false, "extended_bounds": {"min": "", "max": ""}}),
            );
            ("histogram", series("histogram", &["1"]), vec![count, ranges])
        }
        Chart::Records { .. } => unreachable!("records are a saved search"),
    };
    let state = json!({"title": panel.title, "type": kind, "params": params, "aggs": aggregations});
    let attributes = json!({
        "title": format!("{}: {}", records.title, panel.title),
        "visState": text(&state),
        "uiStateJSON": "{}",
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(&search_source("lucene", &panel.filter.lucene()))},
        "version": 1,
    });
    let references = vec![reference(SEARCH_SOURCE, "index-pattern", pattern)];
    object("visualization", &panels::object_id(records, &panel.id), attributes, references)
}

fn aggregation(id: &str, kind: &str, schema: &str, params: Value) -> Value {
    json!({"id": id, "enabled": true, "type": kind, "schema": schema, "params": params})
}

fn metric() -> Value {
    json!({
        "addTooltip": true,
        "addLegend": false,
        "type": "metric",
        "metric": {
            "percentageMode": false,
            "useRanges": false,
            "colorSchema": "Green to Red",
            "metricColorMode": "None",
            "colorsRange": [{"from": 0, "to": 10000}],
            "labels": {"show": true},
            "invertColors": false,
            "style": {"bgFill": "#000", "bgColor": false, "labelColor": false, "subText": "", "fontSize": 48},
        },
    })
}

/// Builds axes and series of a chart, one series per metric.
fn series(kind: &str, metrics: &[&str]) -> Value {
    let one = |metric: &&str| {
        json!({
            "show": true,
            "type": kind,
            "mode": if kind == "line" { "normal" } else { "stacked" },
            "data": {"id": metric, "label": ""},
            "valueAxis": "ValueAxis-1",
            "drawLinesBetweenPoints": true,
            "lineWidth": 2,
            "showCircles": true,
        })
    };
    json!({
        "type": kind,
        "grid": {"categoryLines": false},
        "categoryAxes": [{
            "id": "CategoryAxis-1",
            "type": "category",
            "position": "bottom",
            "show": true,
            "style": {},
            "scale": {"type": "linear"},
            "labels": {"show": true, "filter": true, "truncate": 100},
            "title": {},
        }],
        "valueAxes": [{
            "id": "ValueAxis-1",
            "name": "LeftAxis-1",
            "type": "value",
            "position": "left",
            "show": true,
            "style": {},
            "scale": {"type": "linear", "mode": "normal"},
            "labels": {"show": true, "rotate": 0, "filter": false, "truncate": 100},
            "title": {"text": ""},
        }],
        "seriesParams": metrics.iter().map(one).collect::<Vec<_>>(),
        "addTooltip": true,
        "addLegend": metrics.len() > 1,
        "legendPosition": "right",
        "times": [],
        "addTimeMarker": false,
        "labels": {"show": false},
    })
}

fn dashboard(records: &DescribedRecords, panels: &[Panel]) -> Value {
    /// Height of the control at the top, in rows.
    const CONTROL: u32 = 5;
    let mut placed = Vec::new();
    let mut references = Vec::new();
    let mut place = |id: &str, kind: &str, (x, y, w, h): (u32, u32, u32, u32)| {
        let name = format!("panel_{}", placed.len());
        let grid = json!({"x": x, "y": y, "w": w, "h": h, "i": id});
        placed.push(json!({"version": "7.10.0", "gridData": grid, "panelIndex": id, "embeddableConfig": {}, "panelRefName": name}));
        references.push(reference(&name, kind, &panels::object_id(records, id)));
    };
    place(ID_CONTROL, "visualization", (0, 0, 48, CONTROL));
    for panel in panels {
        let kind =
            if matches!(panel.chart, Chart::Records { .. }) { "search" } else { "visualization" };
        let grid = panel.grid;
        place(&panel.id, kind, (grid.x, grid.y + CONTROL, grid.width, grid.height));
    }
    let attributes = json!({
        "title": format!("Predictions of {}", records.title),
        "description": "Written by `export opensearch`.",
        "panelsJSON": text(&placed.into()),
        "optionsJSON": text(&json!({"useMargins": true, "hidePanelTitles": false})),
        "timeRestore": true,
        "timeFrom": "now-24h",
        "timeTo": "now",
        "refreshInterval": {"pause": true, "value": 60000},
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(&json!({"query": {"language": "kuery", "query": ""}, "filter": []}))},
        "version": 1,
    });
    object("dashboard", &panels::object_id(records, "dashboard"), attributes, references)
}
