//! Alert rules on the metrics of the service and its models.

use serde_json::{Value, json};

use super::records::DescribedRecords;

/// Builds the rules file of Prometheus. Each alert links to its section of `runbook`.
pub(super) fn rules(records: &DescribedRecords, runbook: &str) -> Value {
    let alerts = alerts(records).into_iter();
    let alerts: Vec<Value> = alerts.map(|alert| alert.rule(&records.service, runbook)).collect();
    json!({"groups": [{"name": records.service, "rules": alerts}]})
}

/// Builds the same rules as an object of the Prometheus operator.
pub(super) fn prometheus_rule(records: &DescribedRecords, rules: Value) -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": records.service.replace('_', "-")},
        "spec": rules,
    })
}

struct Alert {
    name: &'static str,
    expression: String,
    lasting: &'static str,
    severity: &'static str,
    summary: &'static str,
}

impl Alert {
    fn rule(self, service: &str, runbook: &str) -> Value {
        let Self { name, expression, lasting, severity, summary } = self;
        let section = name.to_lowercase();
        json!({
            "alert": name,
            "expr": expression,
            "for": lasting,
            // The Alertmanager would merge alerts of two services with equal labels.
            "labels": {"severity": severity, "service": service},
            "annotations": {"summary": summary, "runbook_url": format!("{runbook}#{section}")},
        })
    }
}

/// Selects the series of the program's models.
pub(super) fn models(records: &DescribedRecords) -> String {
    format!("model=~\"{}\"", records.models.join("|"))
}

/// Selects the requests for predictions.
pub(super) const PREDICTIONS: &str = "handler=~\"/api/models/.+/predictions?\"";

fn alerts(records: &DescribedRecords) -> Vec<Alert> {
    let models = models(records);
    let ready = format!("model_service_ready{{service=\"{}\"}}", records.service);
    // Other services have metrics of the same names.
    let of_service = |labels: &str| format!("and on ({labels}) group by ({labels}) ({ready})");
    let server_errors = |status: &str| {
        format!("sum by (namespace, job) (rate(http_requests_total{{{PREDICTIONS}{status}}}[5m]))")
    };
    let predictions = |status: &str| {
        format!(
            "sum by (namespace, job, model) (rate(model_predictions_total{{{models}{status}}}[10m]))"
        )
    };
    vec![
        Alert {
            name: "ModelServiceNotReady",
            expression: format!("absent({ready} == 1)"),
            lasting: "2m",
            severity: "critical",
            summary: "No instance of the service accepts traffic.",
        },
        Alert {
            name: "ModelServerErrors",
            expression: format!(
                "{} / {} > 0.01 {}",
                server_errors(",status=~\"5.+\""),
                server_errors(""),
                of_service("namespace, job")
            ),
            lasting: "5m",
            severity: "critical",
            summary: "{{ $value | humanizePercentage }} of the requests for predictions of {{ $labels.job }} fail with a server error.",
        },
        Alert {
            name: "ModelPredictionErrors",
            expression: format!("{} / {} > 0.2", predictions(",status=\"error\""), predictions("")),
            lasting: "15m",
            severity: "warning",
            summary: "{{ $value | humanizePercentage }} of the predictions of {{ $labels.model }} fail or are refused.",
        },
        Alert {
            name: "ModelPredictionLatency",
            expression: format!(
                "histogram_quantile(0.99, sum by (namespace, job, model, le) \
                 (rate(model_prediction_duration_seconds_bucket{{{models}}}[5m]))) > 0.25"
            ),
            lasting: "10m",
            severity: "warning",
            summary: "One of 100 predictions of {{ $labels.model }} takes {{ $value | humanizeDuration }} or longer.",
        },
        Alert {
            name: "LogRecordsLost",
            expression: format!(
                "sum by (namespace, job, instance) \
                 (increase(log_records_total{{outcome=~\"lost|dropped\"}}[10m])) > 0 {}",
                of_service("namespace, job, instance")
            ),
            lasting: "0m",
            severity: "critical",
            summary: "{{ $labels.instance }} has lost {{ $value | humanize }} log records.",
        },
    ]
}
