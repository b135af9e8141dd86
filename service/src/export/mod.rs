//! Files for other systems about the program's models: `export WHAT --output-dir DIR`.
//!
//! The files are a pure function of the models' schemas, the fields that their decorators log, and the
//! `logging` of the configuration: a changed field changes index template, dashboards and alerts together.
//!
//! | module | contents |
//! |---|---|
//! | `records` | the fields of the log records and their types |
//! | `elasticsearch` | index template and lifecycle |
//! | `panels` | the panels that the log dashboards share |
//! | `saved_objects` | the parts of saved objects that Kibana and OpenSearch share |
//! | `kibana`, `opensearch` | the panels as saved objects of each product |
//! | `grafana` | the dashboard on the metrics |
//! | `prometheus` | the alert rules |

mod elasticsearch;
mod grafana;
mod kibana;
mod opensearch;
mod panels;
mod prometheus;
mod records;
mod saved_objects;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub(crate) use records::DescribedRecords;

/// Systems with files of their own.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Target {
    /// Index template and lifecycle of the data streams.
    Elasticsearch,
    /// Dashboard of the log records, as saved objects of Kibana.
    Kibana,
    /// The same dashboard, as saved objects of OpenSearch Dashboards.
    Opensearch,
    /// Dashboard of the metrics.
    Grafana,
    /// Alert rules on the metrics.
    Prometheus,
}

/// Writes the files of `target` to `directory`, which is created if necessary. Returns their paths.
///
/// # Errors
///
/// Fails with the file that cannot be written.
pub(crate) fn write(
    target: Target,
    records: &DescribedRecords,
    runbook: &str,
    directory: &Path,
) -> Result<Vec<PathBuf>, WriteError> {
    let files: Vec<(&str, String)> = match target {
        Target::Elasticsearch => vec![
            ("index-template.json", pretty(&elasticsearch::index_template(records))),
            ("lifecycle.json", pretty(&elasticsearch::lifecycle())),
        ],
        Target::Kibana => vec![("dashboard.kibana.ndjson", lines(&kibana::saved_objects(records)))],
        Target::Opensearch => {
            vec![("dashboard.opensearch.ndjson", lines(&opensearch::saved_objects(records)))]
        }
        Target::Grafana => vec![("dashboard.grafana.json", pretty(&grafana::dashboard(records)))],
        Target::Prometheus => {
            let rules = prometheus::rules(records, runbook);
            vec![
                ("rules.yaml", yaml(&rules)?),
                ("prometheus-rule.yaml", yaml(&prometheus::prometheus_rule(records, rules))?),
            ]
        }
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError::Write { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    let mut written = Vec::new();
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
        written.push(path);
    }
    Ok(written)
}

/// Reason why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the rules cannot be written as YAML")]
    Yaml(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Renders one object per line, the import format of both products.
fn lines(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("{object}\n")).collect()
}

fn yaml(value: &Value) -> Result<String, WriteError> {
    const HEAD: &str = "# Written by `export prometheus`. Do not edit.\n";
    let text = serde_saphyr::to_string(value).map_err(|error| WriteError::Yaml(error.into()))?;
    Ok(format!("{HEAD}{text}"))
}
