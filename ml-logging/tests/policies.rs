//! Policies as they are set up, in code and in a file.

#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

mod support;

use std::{fs, path::Path};

use ml_logging::{Configuration, Error, Handler, Policy, Rotation, Spill};
use serde_json::json;
use support::{Memory, Record, command, is_child, with};
use tracing::info;

fn lines(path: &Path) -> Vec<Record> {
    let text = fs::read_to_string(path).unwrap();
    text.split_inclusive('\n').map(Record::read).collect()
}

#[test]
fn a_policy_for_what_waits_needs_something_that_waits() {
    let handler = || Handler::writer("h", Memory::default());
    let error = with(handler().policy(Policy::Drop)).build().err().unwrap();
    assert_eq!(error, Error::NothingWaits("h".to_owned()));
    assert!(error.to_string().contains("make it a `Handler::queued`"), "{error}");
    // It is one anyway.
    with(handler().policy(Policy::Audit)).build().map(|_| ()).unwrap();
}

#[test]
fn a_spill_file_that_cannot_be_opened_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("spill");
    let spill = Policy::Spill(Spill::new(&path, 0));
    let error = with(Handler::stderr("h").policy(spill)).build().err().unwrap();
    assert!(
        matches!(&error, Error::SpillFile { handler, path: at, .. } if handler == "h" && *at == path)
    );
    assert!(error.to_string().contains("create its folder"), "{error}");
}

/// A spill file that is also the file with the other name, or not.
fn with_spill(log: Handler, spill_file: &Path) -> Result<(), Error> {
    let spill = Policy::Spill(Spill::new(spill_file, 0));
    with(log.policy(spill)).build().map(|_| ())
}

#[test]
fn a_spill_file_that_is_a_log_file_is_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let refused = |log: &Path, spill_file: &Path| {
        for handler in [
            Handler::file("h", log),
            Handler::file("h", log).overwrite(),
            Handler::rotating("h", log, Rotation::by_size(1_000, 1)),
        ] {
            let error = with_spill(handler, spill_file).unwrap_err();
            assert_eq!(
                error,
                Error::SharedSpillFile {
                    handler: "h".to_owned(),
                    path: spill_file.to_owned(),
                    problem: "the handler `h` writes its records to it".to_owned(),
                }
            );
        }
    };
    // Not there yet.
    fs::create_dir(file("sub")).unwrap();
    refused(&file("log"), &file("log"));
    refused(&file("log"), &file("sub/../log"));
    assert!(!file("log").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("log", file("link")).unwrap();
        symlink(".", file("folder")).unwrap();
        refused(&file("log"), &file("link"));
        refused(&file("link"), &file("log"));
        refused(&file("folder/log"), &file("link"));
        assert!(!file("log").exists());
    }
    fs::write(file("log"), "old\n").unwrap();
    fs::hard_link(file("log"), file("hard")).unwrap();
    refused(&file("log"), &file("log"));
    refused(&file("log"), &file("hard"));
    refused(&file("hard"), &file("sub/../log"));
    #[cfg(unix)]
    refused(&file("link"), &file("folder/hard"));
    assert_eq!(fs::read_to_string(file("log")).unwrap(), "old\n");
    with_spill(Handler::file("h", file("log")), &file("log.spill")).unwrap();
}

#[test]
fn a_spill_file_belongs_to_one_handler_and_not_to_the_records_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let text = |first: &str, second: &str, log: &str| {
        format!(
            "version: 1\nhandlers:\n  first:\n    class: FileHandler\n    filename: {:?}\n    policy: spill\n    \
             spill_file: {:?}\n    spill_bytes: 1000000\n  second:\n    class: StreamHandler\n    policy: spill\n    \
             spill_file: {:?}\n    spill_bytes: 1000000\nroot: {{handlers: [first, second]}}\n",
            file(log),
            file(first),
            file(second),
        )
    };
    let mistakes = |text: &str| {
        let document = ml_configuration::Document::parse("f", text).unwrap();
        let mut problems = ml_configuration::Problems::new();
        let filters = ml_logging::Filters::new();
        let read = Configuration::read(document.root(), &filters, &mut problems);
        problems.into_result(read).map(|_| ()).map_err(|problems| problems.to_string())
    };
    assert_eq!(mistakes(&text("a", "b", "log")), Ok(()));
    let problem = "f:7: handlers.first.spill_file: the handler `first` writes its records to it; \
                   name another file";
    assert_eq!(mistakes(&text("log", "b", "log")).unwrap_err().trim_end(), problem);
    let problem = "f:12: handlers.second.spill_file: the handler `first` has it, too; \
                   name another file";
    assert_eq!(mistakes(&text("a", "a", "log")).unwrap_err().trim_end(), problem);
    let problem = "f:12: handlers.second.spill_file: the handler `first` writes its records to it; \
                   name another file";
    assert_eq!(mistakes(&text("a", "log", "log")).unwrap_err().trim_end(), problem);
}

#[test]
fn what_somebody_else_has_written_is_never_emptied_for_a_spill_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("theirs"), "not ours\n").unwrap();
    fs::write(file("log"), "old\n").unwrap();
    let handler = || Handler::file("h", file("log")).overwrite();
    let error = with_spill(handler(), &file("theirs")).unwrap_err();
    assert!(matches!(&error, Error::ForeignSpillFile { path, .. } if *path == file("theirs")));
    let text = error.to_string();
    let remedy = "it holds something else; name another file or remove it";
    assert!(text.ends_with(remedy), "{text}");
    assert_eq!(fs::read_to_string(file("theirs")).unwrap(), "not ours\n");
    assert_eq!(fs::read_to_string(file("log")).unwrap(), "old\n");
    fs::remove_file(file("theirs")).unwrap();
    with_spill(handler(), &file("theirs")).unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_none_to_spill_to() {
    let text = with_spill(Handler::stderr("h"), Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(text.contains("it is no regular file"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_spill_file_that_standard_output_leads_to_is_refused() {
    let test = "a_spill_file_that_standard_output_leads_to_is_refused";
    if is_child() {
        let path = std::env::var_os("SPILL_FILE").unwrap();
        let error = with_spill(Handler::stdout("h"), Path::new(&path)).unwrap_err();
        assert!(matches!(error, Error::SharedSpillFile { .. }), "{error}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut command = command(test);
    command.env("SPILL_FILE", &path).stdout(fs::File::create(&path).unwrap());
    assert!(command.status().unwrap().success());
}

#[test]
fn policies_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let text = format!(
        r#"
version: 1
formatters: {{json: {{class: JsonFormatter, format: "%(message)s"}}}}
handlers:
  block: {{class: FileHandler, filename: {block:?}, policy: block, queue_bytes: 4096, formatter: json}}
  drop: {{class: FileHandler, filename: {drop:?}, policy: drop, queue_bytes: 10_000_000, formatter: json}}
  spill:
    class: RotatingFileHandler
    filename: {spill:?}
    maxBytes: 0
    mode: w
    policy: spill
    spill_file: {spilled:?}
    spill_bytes: 1000000
    spill_full: drop
    formatter: json
  audit: {{class: FileHandler, filename: {audit:?}, policy: audit, formatter: json}}
loggers:
  audit: {{handlers: [audit], propagate: false}}
root: {{level: INFO, handlers: [block, drop, spill]}}
flush_limit_s: 2.5
"#,
        block = file("block"),
        drop = file("drop"),
        spill = file("rotating"),
        spilled = file("spill"),
        audit = file("audit"),
    );
    let text = text.replace("10_000_000", "10000000");
    fs::write(file("rotating"), "old\n").unwrap();
    let document = ml_configuration::Document::parse("f", &text).unwrap();
    let mut problems = ml_configuration::Problems::new();
    let configuration =
        Configuration::read(document.root(), &ml_logging::Filters::new(), &mut problems);
    let configuration = problems.into_result(configuration).unwrap().unwrap();
    let (subscriber, logging) = configuration.environment(|_| None).build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!("everywhere");
        info!(target: "audit::x", "audited");
        assert_eq!(lines(&file("audit"))[0]["message"], json!("audited"));
    });
    logging.flush().unwrap();
    for name in ["block", "drop", "rotating"] {
        let records = lines(&file(name));
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["message"], json!("everywhere"));
    }
    let names: Vec<_> = logging.counts().into_iter().map(|counts| counts.handler).collect();
    assert_eq!(names, ["block", "drop", "spill", "audit"]);
}
