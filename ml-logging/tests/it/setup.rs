//! Set-up from code, and its mistakes.

use crate::support::{builder, logged_by, only};
use ml_logging::{ContextFilter as _, Filters, Handler, Period, Rotation};
use proptest::prelude::*;
use serde_json::json;
use tracing::{debug, info, level_filters::LevelFilter, warn};

#[test]
fn filters_provide_what_the_format_names() {
    let environment =
        ml_logging::EnvironmentInfoFilter::with_lookup(["NODE_IP", "POD_NAME"], |name| {
            (name == "NODE_IP").then(|| "\"::1\"\n".into())
        });
    let builder = builder()
        .format("%(pod_name)s %(message)s %(node_ip)s")
        .filter(ml_logging::HostnameFilter::new())
        .filter(environment);
    let record = only(logged_by(builder, || info!(hostname = "own", "x")));
    assert_eq!(record.keys(), ["pod_name", "message", "node_ip", "hostname"]);
    assert_eq!(record["pod_name"], json!("N/A"));
    assert_eq!(record["node_ip"], json!("\"::1\"\n"));
    assert_eq!(record["hostname"], json!("own"));
}

#[test]
fn levels_and_targets_are_filtered() {
    let levels = |builder: ml_logging::Builder| {
        let records = logged_by(builder.format("%(message)s"), || {
            debug!("debug");
            info!("info");
            info!(target: "hyper::client", "hyper info");
            warn!(target: "hyper::client", "hyper warn");
        });
        records
            .iter()
            .map(|record| record["message"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let configured = ml_logging::builder().environment(|_| None).level("info,hyper=warn");
    assert_eq!(levels(configured), ["info", "hyper warn"]);
    let overridden = ml_logging::builder()
        .level("info")
        .environment(|name| (name == "RUST_LOG").then(|| "debug,hyper=off".into()));
    assert_eq!(levels(overridden), ["debug", "info"]);
    let empty = ml_logging::builder().level("warn").environment(|_| Some("".into()));
    assert_eq!(levels(empty), ["hyper warn"]);
}

#[test]
fn levels_may_be_values() {
    let initial = |builder: ml_logging::Builder| {
        let builder = builder.environment(|_| None).writer(std::io::sink);
        let (subscriber, logging) = builder.build().unwrap();
        drop(tracing::Dispatch::new(subscriber));
        logging.initial_levels().to_string()
    };
    let levels: ml_logging::Levels = "info,hyper=warn".parse().unwrap();
    assert_eq!(initial(ml_logging::builder().level(tracing::Level::WARN)), "warn");
    assert_eq!(initial(ml_logging::builder().level(LevelFilter::OFF)), "off");
    assert_eq!(initial(ml_logging::builder().level(levels)), "info,hyper=warn");
    assert_eq!(initial(ml_logging::builder().level(String::from("debug"))), "debug");
}

#[test]
fn one_variable_needs_no_list() {
    let filter = ml_logging::EnvironmentInfoFilter::with_lookup("NODE_IP", |_| Some("::1".into()));
    assert_eq!(filter.fields(), [("node_ip".to_owned(), "::1".to_owned())]);
}

#[test]
fn the_handler_of_a_builder_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.jsonl");
    let daily = Rotation::every(1, Period::Midnight).keep(2);
    for builder in
        [builder().file(&path), builder().handler(Handler::rotating("daily", &path, daily))]
    {
        let (subscriber, logging) = builder.format("%(message)s").build().unwrap();
        tracing::subscriber::with_default(subscriber, || info!("x"));
        logging.finish().unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"message\":\"x\"}\n".repeat(2));
}

/// `fn main() -> Result<(), Error>` prints errors by `Debug`.
#[test]
fn errors_of_main_are_readable() {
    let file = ml_logging::Configuration::from_file("absent.yaml", &Filters::new()).unwrap_err();
    assert_eq!(format!("{file:?}"), file.to_string());
    for builder in [
        builder().format("%(time)s"),
        builder().level("verbose,debig"),
        builder().handler(Handler::file("h", "/absent/x")),
    ] {
        let error = builder.build().map(|_| ()).unwrap_err();
        assert_eq!(format!("{error:?}"), error.to_string());
        if let ml_logging::Error::Format(inner) = &error {
            assert_eq!(format!("{inner:?}"), error.to_string());
        }
    }
    let mut problems = ml_logging::Problems::new();
    problems.add("one");
    problems.add("two");
    assert_eq!(format!("{problems:?}"), "\none\ntwo");
}

#[test]
fn mistakes_in_the_set_up_have_types() {
    use ml_logging::{Error, FormatError};

    let error = |builder: ml_logging::Builder| builder.build().map(|_| ()).unwrap_err();
    let unknown = error(
        builder().format("%(asctime)s %(hostnam)s").filter(ml_logging::HostnameFilter::new()),
    );
    assert!(
        matches!(&unknown, Error::Format(FormatError::Unknown { name, column: 13, .. }) if name == "hostnam")
    );
    assert!(unknown.to_string().contains("did you mean `hostname`?"), "{unknown}");
    let syntax = error(builder().format("%(asctime"));
    assert!(matches!(syntax, Error::Format(FormatError::Syntax { column: 1, .. })));
    let level = error(builder().level("info,hyper=inof"));
    assert!(matches!(level, Error::Levels { error, .. } if error.directive == "hyper=inof"));
    let variable = error(builder().environment(|_| Some("wran".into())));
    assert!(
        variable.to_string().starts_with("log levels in RUST_LOG, directive `wran`"),
        "{variable}"
    );
}

proptest! {
    #[test]
    fn any_context_value_comes_back(value: String) {
        let filter = ml_logging::EnvironmentInfoFilter::with_lookup(["A"], |_| Some(value.clone().into()));
        let record = only(logged_by(builder().format("%(a)s").filter(filter), || info!("x")));
        prop_assert_eq!(record["a"].as_str().unwrap(), &value);
    }
}

#[test]
fn the_file_of_a_service_is_one_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rest_config.yaml");
    let text = "service_title: Areas\nmodels: [{qualified_name: area}]\nlogging: {version: 1}\n";
    std::fs::write(&path, text).unwrap();
    let problems = ml_logging::Configuration::from_file(&path, &Filters::new()).unwrap_err();
    let problem = problems.to_string();
    assert_eq!(problem.lines().count(), 1);
    assert!(problem.ends_with(
        ":3: logging: this is the file of a service, which `Service::main` reads; write what is below its `logging:` \
         to a file of its own"
    ), "{problem}");
}

#[test]
fn a_mistake_of_the_only_handler_does_not_name_it() {
    let error = ml_logging::builder().file("no/such/folder/log").init().unwrap_err().to_string();
    assert!(error.starts_with("the handler cannot open the file no/such/folder/log: "), "{error}");
    assert!(
        error.ends_with("create its folder, allow writing to it, or name another file"),
        "{error}"
    );
}
