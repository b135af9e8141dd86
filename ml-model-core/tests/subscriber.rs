//! Tests the reports of a program or thread without a `tracing` subscriber. Each case is a process of its own.

use std::env;
use std::process::Command;

use ml_model_core::{Infer, MLModel, Request};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::layer::SubscriberExt;

#[derive(MLModel)]
#[decorate(logging)]
struct Double;

impl Infer for Double {
    type Input = f64;
    type Output = f64;
    type Error = std::convert::Infallible;

    const TAKES_BATCHES: bool = true;

    fn infer(&self, input: &f64) -> Result<f64, Self::Error> {
        Ok(2.0 * input)
    }
}

/// Environment variable that marks the child process.
const CHILD: &str = "SUBSCRIBER_TEST_CHILD";

/// Runs `program` in a child process of the test `name`, and returns the reports on its standard error.
fn reports(name: &str, program: fn()) -> Vec<String> {
    if is_child() {
        program();
        return Vec::new();
    }
    let output = Command::new(env::current_exe().expect("the test has a path"))
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("the test can run itself");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stderr).expect("reports are UTF-8");
    text.lines().filter(|line| line.starts_with("ml-model-core:")).map(str::to_owned).collect()
}

fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

fn predict() {
    Double.predict(1.0).expect("the model cannot fail");
}

#[test]
fn a_program_without_a_subscriber_has_one_report() {
    let reports = reports("a_program_without_a_subscriber_has_one_report", || {
        predict();
        std::thread::spawn(predict).join().unwrap();
        predict();
    });
    if !is_child() {
        let [report] = &*reports else { panic!("{reports:?}") };
        assert!(report.contains("records go nowhere"), "{report}");
        assert!(report.contains("let _logging = ml_logging::builder().init()?;"), "{report}");
    }
}

#[test]
fn a_batch_without_a_subscriber_has_one_report() {
    let reports = reports("a_batch_without_a_subscriber_has_one_report", || {
        let results = Double.call_batch(vec![Request::new(1.0), Request::new(2.0)]);
        assert_eq!(results.len(), 2);
    });
    assert!(is_child() || reports.len() == 1, "{reports:?}");
}

#[test]
fn a_level_that_is_off_is_not_reported() {
    let reports = reports("a_level_that_is_off_is_not_reported", || {
        let subscriber = tracing_subscriber::registry().with(LevelFilter::OFF);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        predict();
    });
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn an_explicit_absence_is_not_reported() {
    let reports = reports("an_explicit_absence_is_not_reported", || {
        tracing::subscriber::set_global_default(NoSubscriber::new()).unwrap();
        let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO);
        tracing::subscriber::with_default(subscriber, || {
            std::thread::spawn(predict).join().unwrap();
        });
        predict();
    });
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn a_subscriber_of_a_thread_is_enough() {
    let reports = reports("a_subscriber_of_a_thread_is_enough", || {
        let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO);
        tracing::subscriber::with_default(subscriber, predict);
        predict();
    });
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn a_thread_without_the_subscriber_of_another_has_one_report() {
    let reports = reports("a_thread_without_the_subscriber_of_another_has_one_report", || {
        let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO);
        tracing::subscriber::with_default(subscriber, || {
            std::thread::spawn(predict).join().unwrap();
            std::thread::spawn(predict).join().unwrap();
        });
    });
    if !is_child() {
        let [report] = &*reports else { panic!("{reports:?}") };
        assert!(
            report.contains("`tracing::subscriber::with_default` covers only the thread"),
            "{report}"
        );
    }
}

#[test]
fn a_global_subscriber_covers_all_threads() {
    let reports = reports("a_global_subscriber_covers_all_threads", || {
        let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        std::thread::spawn(predict).join().unwrap();
        predict();
    });
    assert!(reports.is_empty(), "{reports:?}");
}
