//! The demo goes on predicting whatever becomes of its log, and says what was lost.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

mod common;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use common::{Demo, PUBLISHED};

/// A configuration with these handlers, of which the root has `out`.
fn configuration(folder: &Path, handlers: &str, loggers: &str) -> String {
    let path = folder.join("rest_config.yaml");
    let text = format!(
        "service_title: Insurance\n\
         models: [{{qualified_name: insurance_charges_model, create_endpoint: true}}]\n\
         metrics: {{enabled: true}}\n\
         logging:\n  version: 1\n  flush_limit_s: 0.05\n  handlers:\n{handlers}  loggers:\n    \
         root: {{level: INFO, handlers: [out]}}\n{loggers}"
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const OUT: &str = "    out: {class: StreamHandler, stream: ext://sys.stdout}\n";
const MODEL: &str = "    insurance_charges_model_logger: {handlers: [full], propagate: false}\n";

#[test]
fn a_full_disk_costs_records_and_no_predictions() {
    for policy in ["block", "drop", "audit"] {
        let folder = tempfile::tempdir().unwrap();
        let full =
            format!("    full: {{class: FileHandler, filename: /dev/full, policy: {policy}}}\n");
        let path = configuration(folder.path(), &(OUT.to_owned() + &full), MODEL);
        let demo = Demo::start_with(&[("REST_CONFIG", &path)]);
        for _ in 0..20 {
            assert_eq!(demo.predict(PUBLISHED).0, 200);
        }
        let lost = "log_records_total{handler=\"full\",outcome=\"lost\"} 40\n";
        demo.wait_for_metric(lost);
        let metrics = demo.get("/metrics");
        assert!(metrics.contains("log_records_total{handler=\"full\",outcome=\"written\"} 0\n"));
        assert!(metrics.contains("log_records_lost_total 40\n"), "{metrics}");
    }
}

#[test]
fn a_reader_that_goes_away_costs_records_and_no_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let path = configuration(folder.path(), OUT, "");
    let mut demo = Demo::start_with(&[("REST_CONFIG", &path)]);
    demo.close_log();
    for _ in 0..20 {
        assert_eq!(demo.predict(PUBLISHED).0, 200);
    }
    demo.wait_for_metric("log_records_total{handler=\"out\",outcome=\"lost\"} 40\n");
}

#[test]
fn a_sink_that_stalls_costs_no_predictions_and_the_end_does_not_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = "log_records_total{handler=\"stalled\",outcome=\"dropped\"}";
    let stalled = "    stalled: {class: StreamHandler, queue_bytes: 4096, policy: drop}\n";
    let loggers = MODEL.replace("full", "stalled");
    let path = configuration(folder.path(), &(OUT.to_owned() + stalled), &loggers);
    // A pipe that nobody reads.
    let mut demo = Demo::start_by(&[("REST_CONFIG", &path)], |command| {
        command.stderr(Stdio::piped());
    });
    let count = || {
        let metrics = demo.get("/metrics");
        let line = metrics.lines().find(|line| line.starts_with(outcome)).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let started = Instant::now();
    while count() < 20 {
        assert!(started.elapsed().as_secs() < 60, "too few are dropped");
        for _ in 0..50 {
            assert_eq!(demo.predict(PUBLISHED).0, 200);
        }
    }
    let mut stderr = demo.process.stderr.take().unwrap();
    demo.signal("TERM");
    // Its end is said on the same pipe, so it has to be read now; what it was told to give up
    // is given up by then or written.
    let mut text = String::new();
    stderr.read_to_string(&mut text).unwrap();
    demo.process.wait().unwrap();
    assert!(text.contains("Prediction created."), "{text}");
}
