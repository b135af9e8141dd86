//! Saved objects of Kibana: a data view, and a dashboard of Lens panels by value.
//!
//! Kibana migrates imported objects of older versions. These have the form of 8.9, which 8.19 and 9.x
//! import.

use serde_json::{Map, Value, json};

use super::panels::{self, Chart, PERCENTILES, Panel};
use super::records::DescribedRecords;
use super::saved_objects::{SEARCH_SOURCE, duration_format, reference, search_source, text};

/// Version of Kibana that defines the form of the panels.
const VERSION: &str = "8.9.0";
/// The one layer of each Lens panel.
const LAYER: &str = "layer";

/// Builds the saved objects. Objects come before those that refer to them.
pub(super) fn saved_objects(records: &DescribedRecords) -> Vec<Value> {
    let view = panels::object_id(records, "predictions");
    let panels = panels::panels(records);
    let mut objects = vec![data_view(records, &view)];
    objects.extend(panels.iter().filter_map(|panel| saved_search(records, panel, &view)));
    objects.push(dashboard(records, &panels, &view));
    objects
}

fn object(kind: &str, version: &str, id: &str, attributes: Value, references: Vec<Value>) -> Value {
    json!({
        "id": id,
        "type": kind,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": "8.8.0",
        "typeMigrationVersion": version,
        "managed": false,
    })
}

fn data_view(records: &DescribedRecords, id: &str) -> Value {
    let attributes = json!({
        "title": panels::index_pattern(records),
        "name": format!("Predictions of {}", records.title),
        "timeFieldName": "@timestamp",
        "fieldFormatMap": text(&duration_format(records)),
    });
    object("index-pattern", "8.0.0", id, attributes, Vec::new())
}

/// Builds the saved search of a panel that lists records.
fn saved_search(records: &DescribedRecords, panel: &Panel, view: &str) -> Option<Value> {
    let Chart::Records { columns } = &panel.chart else { return None };
    let attributes = json!({
        "title": format!("{}: {}", records.title, panel.title),
        "columns": columns,
        "sort": [["@timestamp", "desc"]],
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(&search_source("kuery", &panel.filter.kuery()))},
    });
    let references = vec![reference(SEARCH_SOURCE, "index-pattern", view)];
    let id = panels::object_id(records, &panel.id);
    Some(object("search", "8.0.0", &id, attributes, references))
}

fn dashboard(records: &DescribedRecords, panels: &[Panel], view: &str) -> Value {
    let mut references = Vec::new();
    let mut placed = Vec::new();
    for panel in panels {
        let index = &panel.id;
        let grid = panel.grid;
        let grid = json!({"x": grid.x, "y": grid.y, "w": grid.width, "h": grid.height, "i": index});
        let mut placement = json!({"version": VERSION, "gridData": grid, "panelIndex": index, "title": panel.title});
        if let Chart::Records { .. } = panel.chart {
            let name = format!("panel_{index}");
            placement["type"] = "search".into();
            placement["panelRefName"] = name.as_str().into();
            placement["embeddableConfig"] = json!({"enhancements": {}});
            let id = panels::object_id(records, index);
            references.push(reference(&format!("{index}:{name}"), "search", &id));
        } else {
            let name = format!("indexpattern-datasource-layer-{LAYER}");
            placement["type"] = "lens".into();
            let attributes = lens(panel, &reference(&name, "index-pattern", view));
            placement["embeddableConfig"] = json!({"attributes": attributes, "enhancements": {}});
            references.push(reference(&format!("{index}:{name}"), "index-pattern", view));
        }
        placed.push(placement);
    }
    let mut controls = Map::new();
    let fields = [
        ("Prediction id", &records.keys.prediction_id),
        ("Model", &records.keys.model),
        ("Instance", &records.keys.instance),
    ];
    for (order, (title, field)) in fields.into_iter().enumerate() {
        let id = format!("control-{order}");
        references.push(reference(
            &format!("controlGroup_{id}:optionsListDataView"),
            "index-pattern",
            view,
        ));
        let input = json!({"id": id, "fieldName": field, "title": title, "enhancements": {}});
        controls.insert(
            id,
            json!({"order": order, "width": "medium", "grow": true, "type": "optionsListControl", "explicitInput": input}),
        );
    }
    let attributes = json!({
        "title": format!("Predictions of {}", records.title),
        "description": "Written by `export kibana`.",
        "panelsJSON": text(&placed.into()),
        "optionsJSON": text(&json!({"useMargins": true, "syncColors": true, "syncCursor": true, "syncTooltips": false, "hidePanelTitles": false})),
        "controlGroupInput": {
            "controlStyle": "oneLine",
            "chainingSystem": "HIERARCHICAL",
            "ignoreParentSettingsJSON": text(&json!({"ignoreFilters": false, "ignoreQuery": false, "ignoreTimerange": false, "ignoreValidations": false})),
            "panelsJSON": text(&controls.into()),
        },
        "timeRestore": true,
        "timeFrom": "now-24h",
        "timeTo": "now",
        "refreshInterval": {"pause": true, "value": 60000},
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(&json!({"query": {"language": "kuery", "query": ""}, "filter": []}))},
        "version": 1,
    });
    let id = panels::object_id(records, "dashboard");
    object("dashboard", VERSION, &id, attributes, references)
}

/// Builds a Lens panel.
fn lens(panel: &Panel, view: &Value) -> Value {
    let count = || ("count".to_owned(), count());
    let time = || ("time".to_owned(), over_time());
    let (visualization, kind, columns) = match &panel.chart {
        Chart::Count => {
            let visualization =
                json!({"layerId": LAYER, "layerType": "data", "metricAccessor": "count"});
            (visualization, "lnsMetric", vec![count()])
        }
        Chart::OverTime => {
            (chart("bar_stacked", "time", vec!["count".to_owned()]), "lnsXY", vec![time(), count()])
        }
        Chart::Top { field, label, size } => {
            let columns = [json!({"columnId": "value"}), json!({"columnId": "count"})];
            let visualization = json!({"layerId": LAYER, "layerType": "data", "columns": columns});
            (
                visualization,
                "lnsDatatable",
                vec![("value".to_owned(), top(field, label, *size)), count()],
            )
        }
        Chart::Percentiles { field } => {
            let of = |percent| (format!("p{percent}"), percentile(field, percent));
            let columns: Vec<_> = PERCENTILES.into_iter().map(of).collect();
            let names = columns.iter().map(|(name, _)| name.clone()).collect();
            (
                chart("line", "time", names),
                "lnsXY",
                std::iter::once(time()).chain(columns).collect(),
            )
        }
        Chart::Distribution { field } => {
            let columns = vec![("value".to_owned(), ranges(field)), count()];
            (chart("bar_stacked", "value", vec!["count".to_owned()]), "lnsXY", columns)
        }
        Chart::Records { .. } => unreachable!("records are a saved search"),
    };
    let order: Vec<&String> = columns.iter().map(|(name, _)| name).collect();
    let layer = json!({
        "columnOrder": order,
        "columns": columns.iter().cloned().collect::<Map<String, Value>>(),
        "incompleteColumns": {},
        "sampling": 1,
    });
    json!({
        "title": panel.title,
        "type": "lens",
        "visualizationType": kind,
        "references": [view],
        "state": {
            "visualization": visualization,
            "query": {"language": "kuery", "query": panel.filter.kuery()},
            "filters": [],
            "datasourceStates": {"formBased": {"layers": {LAYER: layer}}},
            "internalReferences": [],
            "adHocDataViews": {},
        },
    })
}

fn chart(series: &str, x: &str, accessors: Vec<String>) -> Value {
    json!({
        "legend": {"isVisible": accessors.len() > 1, "position": "right"},
        "valueLabels": "hide",
        // Time without records shows as zero, not as a line across the gap.
        "fittingFunction": "Zero",
        "preferredSeriesType": series,
        "layers": [{
            "layerId": LAYER,
            "layerType": "data",
            "seriesType": series,
            "xAccessor": x,
            "accessors": accessors,
        }],
    })
}

fn count() -> Value {
    json!({
        "label": "Records",
        "customLabel": true,
        "dataType": "number",
        "operationType": "count",
        "isBucketed": false,
        "scale": "ratio",
        "sourceField": "___records___",
        "params": {"emptyAsNull": false},
    })
}

fn over_time() -> Value {
    json!({
        "label": "@timestamp",
        "dataType": "date",
        "operationType": "date_histogram",
        "isBucketed": true,
        "scale": "interval",
        "sourceField": "@timestamp",
        "params": {"interval": "auto", "includeEmptyRows": true, "dropPartials": false},
    })
}

fn top(field: &str, label: &str, size: u32) -> Value {
    json!({
        "label": label,
        "customLabel": true,
        "dataType": "string",
        "operationType": "terms",
        "isBucketed": true,
        "scale": "ordinal",
        "sourceField": field,
        "params": {
            "size": size,
            "orderBy": {"type": "column", "columnId": "count"},
            "orderDirection": "desc",
            "otherBucket": true,
            "missingBucket": false,
            "parentFormat": {"id": "terms"},
        },
    })
}

fn percentile(field: &str, percent: u32) -> Value {
    json!({
        "label": format!("p{percent}"),
        "customLabel": true,
        "dataType": "number",
        "operationType": "percentile",
        "isBucketed": false,
        "scale": "ratio",
        "sourceField": field,
        "params": {"percentile": percent},
    })
}

fn ranges(field: &str) -> Value {
    json!({
        "label": field,
        "dataType": "number",
        "operationType": "range",
        "isBucketed": true,
        "scale": "interval",
        "sourceField": field,
        "params": {
            "type": "histogram",
            "ranges": [{"from": 0, "to": 1000, "label": ""}],
            "maxBars": "auto",
            "includeEmptyRows": true,
        },
    })
}
