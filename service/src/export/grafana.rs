//! The Grafana dashboard on the metrics of the service and its models.

use serde_json::{Value, json};

use super::prometheus::{PREDICTIONS, models};
use super::records::DescribedRecords;

struct Panel {
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    /// Queries with the legends of their series.
    queries: Vec<(String, &'static str)>,
}

/// Builds the dashboard. Variables on the page choose its data source and jobs.
pub(super) fn dashboard(records: &DescribedRecords) -> Value {
    const COLUMNS: u32 = 2;
    const WIDTH: u32 = 24 / COLUMNS;
    const HEIGHT: u32 = 8;
    let placed = panels(records).into_iter().zip(0_u32..).map(|(panel, index)| {
        let (x, y) = (index % COLUMNS * WIDTH, index / COLUMNS * HEIGHT);
        panel.into_json(index + 1, json!({"x": x, "y": y, "w": WIDTH, "h": HEIGHT}))
    });
    let placed: Vec<Value> = placed.collect();
    json!({
        "uid": records.service.chars().take(40).collect::<String>(),
        "title": records.title,
        "description": "Written by `export grafana`.",
        "tags": ["ml-model"],
        "schemaVersion": 39,
        "editable": false,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "timezone": "",
        "templating": {"list": [data_source(), jobs(records)]},
        "panels": placed,
    })
}

fn data_source() -> Value {
    json!({"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"})
}

fn jobs(records: &DescribedRecords) -> Value {
    // Without a custom value, "All" means the jobs that the query finds, not those of other services.
    let query = format!("label_values(model_predictions_total{{{}}}, job)", models(records));
    json!({
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": source(),
        "query": {"query": query, "refId": "job"},
        "definition": query,
        "refresh": 2,
        "includeAll": true,
        "multi": true,
        "current": {"text": ["All"], "value": ["$__all"]},
    })
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

impl Panel {
    fn into_json(self, id: u32, grid: Value) -> Value {
        let targets: Vec<Value> = self
            .queries
            .into_iter()
            .zip('A'..)
            .map(|((expression, legend), name)| {
                json!({
                    "refId": name,
                    "datasource": source(),
                    "expr": expression,
                    "legendFormat": legend,
                    "range": true,
                })
            })
            .collect();
        json!({
            "id": id,
            "type": "timeseries",
            "title": self.title,
            "description": self.description,
            "datasource": source(),
            // The scrape interval of Prometheus: rates need two samples.
            "interval": "30s",
            "gridPos": grid,
            "fieldConfig": {
                "defaults": {"unit": self.unit, "min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}},
                "overrides": [],
            },
            "options": {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true},
                "tooltip": {"mode": "multi", "sort": "desc"},
            },
            "targets": targets,
        })
    }
}

fn panels(records: &DescribedRecords) -> Vec<Panel> {
    const JOB: &str = "job=~\"$job\"";
    const RATE: &str = "[$__rate_interval]";
    let models = models(records);
    let latency = |quantile: &str| {
        format!(
            "histogram_quantile({quantile}, sum by (model, le) \
             (rate(model_prediction_duration_seconds_bucket{{{JOB},{models}}}{RATE})))"
        )
    };
    let answered = |quantile: &str| {
        format!(
            "histogram_quantile({quantile}, sum by (le) \
             (rate(http_request_duration_highr_seconds_bucket{{{JOB}}}{RATE})))"
        )
    };
    let predictions = |status: &str| {
        format!("sum by (model) (rate(model_predictions_total{{{JOB},{models}{status}}}{RATE}))")
    };
    vec![
        Panel {
            title: "Instances that accept traffic",
            description: "Instances whose readiness probe succeeds, and all that are scraped.",
            unit: "short",
            queries: vec![
                (format!("sum(model_service_ready{{{JOB}}})"), "ready"),
                (format!("count(model_service_ready{{{JOB}}})"), "scraped"),
            ],
        },
        Panel {
            title: "Predictions",
            description: "Predictions per second by model, version and outcome.",
            unit: "reqps",
            queries: vec![(
                format!(
                    "sum by (model, version, status) (rate(model_predictions_total{{{JOB},{models}}}{RATE}))"
                ),
                "{{model}} {{version}} {{status}}",
            )],
        },
        Panel {
            title: "Failed predictions",
            description: "Share of the predictions that fail or are refused.",
            unit: "percentunit",
            queries: vec![(
                format!("{} / {}", predictions(",status=\"error\""), predictions("")),
                "{{model}}",
            )],
        },
        Panel {
            title: "Requests for predictions",
            description: "Requests per second by status of the answer.",
            unit: "reqps",
            queries: vec![(
                format!("sum by (status) (rate(http_requests_total{{{JOB},{PREDICTIONS}}}{RATE}))"),
                "{{status}}",
            )],
        },
        Panel {
            title: "Latency of predictions",
            description: "Time that the decorated model takes.",
            unit: "s",
            queries: vec![
                (latency("0.5"), "{{model}} p50"),
                (latency("0.95"), "{{model}} p95"),
                (latency("0.99"), "{{model}} p99"),
            ],
        },
        Panel {
            title: "Latency of requests",
            description: "Time from the head of a request to its answer.",
            unit: "s",
            queries: vec![
                (answered("0.5"), "p50"),
                (answered("0.95"), "p95"),
                (answered("0.99"), "p99"),
            ],
        },
        Panel {
            title: "Log records",
            description: "Log records per second by handler and outcome. Lost and dropped ones are gone.",
            unit: "cps",
            queries: vec![(
                format!("sum by (handler, outcome) (rate(log_records_total{{{JOB}}}{RATE}))"),
                "{{handler}} {{outcome}}",
            )],
        },
        Panel {
            title: "Log queue",
            description: "Log records that wait to be written.",
            unit: "bytes",
            queries: vec![(
                format!("sum by (instance) (log_queue_bytes{{{JOB}}})"),
                "{{instance}}",
            )],
        },
        Panel {
            title: "CPU",
            description: "CPU seconds per second.",
            unit: "short",
            queries: vec![(
                format!("sum by (instance) (rate(process_cpu_seconds_total{{{JOB}}}{RATE}))"),
                "{{instance}}",
            )],
        },
        Panel {
            title: "Memory",
            description: "Resident memory.",
            unit: "bytes",
            queries: vec![(
                format!("sum by (instance) (process_resident_memory_bytes{{{JOB}}})"),
                "{{instance}}",
            )],
        },
    ]
}
