//! The panels of the dashboard on the log records, for all products.

use super::records::{DescribedRecords, stream_pattern};

/// A panel: its content, and its position on a grid of 48 columns.
#[derive(Debug)]
pub(super) struct Panel {
    /// Identifier, unique in the dashboard.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) filter: Filter,
    pub(super) chart: Chart,
    pub(super) grid: Grid,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

#[derive(Debug)]
pub(super) enum Chart {
    /// The number of records.
    Count,
    /// The number of records over time.
    OverTime,
    /// The number of records for each of the most frequent values of a field.
    Top { field: String, label: &'static str, size: u32 },
    /// Percentiles of a number over time.
    Percentiles { field: String },
    /// The number of records for each range of a number.
    Distribution { field: String },
    /// The records themselves, the newest first.
    Records { columns: Vec<String> },
}

/// Percentiles of latency panels.
pub(super) const PERCENTILES: [u32; 3] = [50, 95, 99];

/// Filter of records by the values of fields.
#[derive(Debug, Clone)]
pub(super) struct Filter(pub(super) Vec<(String, &'static str)>);

impl Filter {
    /// Renders the query in the language of Kibana.
    pub(super) fn kuery(&self) -> String {
        self.joined(" and ", |key, value| format!("{key}: \"{value}\""))
    }

    /// Renders the query in the language of Lucene.
    pub(super) fn lucene(&self) -> String {
        self.joined(" AND ", |key, value| format!("{key}:\"{value}\""))
    }

    fn joined(&self, between: &str, term: impl Fn(&str, &str) -> String) -> String {
        let terms: Vec<String> = self.0.iter().map(|(key, value)| term(key, value)).collect();
        terms.join(between)
    }
}

/// Returns the pattern of the data streams of predictions in all environments.
pub(super) fn index_pattern(records: &DescribedRecords) -> String {
    let streams: Vec<String> = records.models.iter().map(|name| stream_pattern(name)).collect();
    streams.join(",")
}

/// Returns the identifier of a saved object of the program.
pub(super) fn object_id(records: &DescribedRecords, name: &str) -> String {
    format!("{}-{name}", records.service.replace('_', "-"))
}

/// Returns the panels in the order of the dashboard.
pub(super) fn panels(records: &DescribedRecords) -> Vec<Panel> {
    let keys = &records.keys;
    let all = Filter(vec![(keys.action.clone(), "predict")]);
    let with_status = |status| Filter(vec![all.0[0].clone(), (keys.status.clone(), status)]);
    let (good, bad) = (with_status("success"), with_status("error"));
    let top = |field: &str, label| Chart::Top { field: field.to_owned(), label, size: 20 };
    let cause = format!("{}.keyword", keys.error);
    let mut columns = vec!["message".to_owned(), keys.model.clone(), keys.prediction_id.clone()];
    columns.extend(records.logged.iter().cloned());
    columns.extend([keys.error.clone(), keys.instance.clone()]);
    let failure_columns =
        [&keys.model, &keys.version, &keys.prediction_id, &keys.error, &keys.instance];
    let failure_columns = failure_columns.into_iter().cloned().collect();

    let mut rows = Rows::default();
    rows.add("predictions", "Predictions", &good, Chart::Count, (8, 6));
    rows.add("failures", "Failed predictions", &bad, Chart::Count, (8, 6));
    rows.add("by-model", "Predictions by model", &good, top(&keys.model, "Model"), (16, 6));
    rows.add(
        "by-version",
        "Predictions by model version",
        &good,
        top(&keys.version, "Version"),
        (16, 6),
    );
    rows.add("over-time", "Predictions over time", &good, Chart::OverTime, (24, 12));
    rows.add("failures-over-time", "Failed predictions over time", &bad, Chart::OverTime, (24, 12));
    rows.add("by-cause", "Failed predictions by cause", &bad, top(&cause, "Cause"), (24, 12));
    rows.add(
        "by-instance",
        "Predictions by instance",
        &good,
        top(&keys.instance, "Instance"),
        (24, 12),
    );
    let latency = Chart::Percentiles { field: keys.duration.clone() };
    rows.add("latency", "Latency of predictions", &good, latency, (24, 12));
    for field in &records.numeric_outputs {
        let (id, title) = (format!("distribution-of-{field}"), format!("Distribution of {field}"));
        rows.add(&id, &title, &good, Chart::Distribution { field: field.clone() }, (24, 12));
    }
    let failed = Chart::Records { columns: failure_columns };
    rows.add("last-failures", "Last failed predictions", &bad, failed, (48, 14));
    // The control or the query bar of the dashboard filters by id.
    rows.add("records", "Records of predictions", &all, Chart::Records { columns }, (48, 18));
    rows.panels
}

/// Places panels from left to right, row by row.
#[derive(Default)]
struct Rows {
    panels: Vec<Panel>,
    x: u32,
    y: u32,
    height: u32,
}

impl Rows {
    fn add(&mut self, id: &str, title: &str, filter: &Filter, chart: Chart, size: (u32, u32)) {
        const WIDTH: u32 = 48;
        let (width, height) = size;
        if self.x + width > WIDTH {
            (self.x, self.y, self.height) = (0, self.y + self.height, 0);
        }
        let grid = Grid { x: self.x, y: self.y, width, height };
        self.panels.push(Panel {
            id: id.to_owned(),
            title: title.to_owned(),
            filter: filter.clone(),
            chart,
            grid,
        });
        self.x += width;
        self.height = self.height.max(height);
    }
}
