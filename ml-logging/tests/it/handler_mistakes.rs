//! Reports of mistakes in the handlers of a file.

use crate::support::{child, mistakes_with};
use ml_logging::{Configuration, Error, Filters, Handler, Logger};

fn mistakes(text: &str) -> String {
    mistakes_with(text, &Filters::new())
}

#[test]
fn a_system_without_a_time_zone() {
    // Same as a system without a time zone database: the name is unknown.
    child("handler_mistakes::a_system_without_a_time_zone", &[("TZ", "Mars/Olympus")], || {
        let text = r#"
version: 1
handlers:
  one: {class: TimedRotatingFileHandler, filename: a}
  two: {class: TimedRotatingFileHandler, filename: b, utc: false}
  three: {class: TimedRotatingFileHandler, filename: c, utc: true}
"#;
        let local = "files are rotated by local time, but the system does not provide its time zone; \
                     write `utc: true`";
        assert_eq!(
            mistakes(text),
            format!("4: handlers.one: {local}\n5: handlers.two.utc: {local}")
        );
    });
}

#[test]
fn rotation_and_policies() {
    let text = r#"
version: 1
handlers:
  size: {class: RotatingFileHandler, filename: a, maxBytes: many, backupCount: -1, maxbytes: 1}
  time: {class: TimedRotatingFileHandler, filename: b, when: W7, interval: 0, utc: local, atTime: 24:00}
  early: {class: TimedRotatingFileHandler, filename: c, utc: true, atTime: "1:30"}
  nameless: {class: TimedRotatingFileHandler, filename: "", utc: true}
  spill: {class: StreamHandler, policy: spill, spill_bytes: 10}
  word: {class: StreamHandler, policy: blok, queue_bytes: 0}
  audit: {class: StreamHandler, policy: audit, queue_bytes: 100}
  short: {class: StreamHandler, record_bytes: 80}
root: {handlers: [size]}
flush_limit_s: soon
"#;
    let at = "expected a time of day such as \"18:30\" or \"18:30:05\"";
    assert_eq!(
        mistakes(text),
        format!(
            "4: handlers.size.maxBytes: expected an integer from 0 to 18446744073709551615, found text\n\
             4: handlers.size.backupCount: expected an integer from 0 to 4294967295, found one outside of this range\n\
             4: handlers.size: unknown key `maxbytes`; did you mean `maxBytes`?\n\
             5: handlers.time.when: unknown period `W7`; did you mean `W0`? Valid are `S`, `M`, `H`, `D`, `midnight`, `W0`, `W1`, `W2`, `W3`, `W4`, `W5`, `W6`\n\
             5: handlers.time.interval: expected an integer from 1 to 4294967295, found one outside of this range\n\
             5: handlers.time.utc: expected true or false, found text\n\
             5: handlers.time.atTime: {at}\n\
             6: handlers.early.atTime: {at}\n\
             7: handlers.nameless.filename: the file has no name\n\
             8: handlers.spill.policy: unknown policy `spill`; valid are `block`, `drop`, `audit`\n\
             8: handlers.spill: unknown key `spill_bytes`; valid are `level`, `formatter`, `record_bytes`, `filters`, `class`, `()`, `stream`, `policy`, `queue_bytes`\n\
             9: handlers.word.policy: unknown policy `blok`; did you mean `block`? Valid are `block`, `drop`, `audit`\n\
             9: handlers.word.queue_bytes: expected an integer from 1 to 18446744073709551615, found one outside of this range\n\
             10: handlers.audit.queue_bytes: with `policy: audit` nothing is queued; remove the key\n\
             11: handlers.short.record_bytes: expected an integer from 1024 to 18446744073709551615, found one outside of this range\n\
             13: flush_limit_s: expected a number of seconds, found text"
        )
    );
}

#[test]
fn too_many_handlers() {
    let handlers: String = (0..65).map(|i| format!("  h{i}: {{class: StreamHandler}}\n")).collect();
    assert_eq!(
        mistakes(&format!("version: 1\nhandlers:\n{handlers}root: {{handlers: [h0]}}\n")),
        "67: handlers.h64: there are more than 64 handlers; remove some"
    );
}

#[test]
fn a_separate_file_is_read_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logging.yaml");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Configuration::from_file(&path, &Filters::new()).map(|configuration| {
            let (_subscriber, logging) = configuration.environment(|_| None).build().unwrap();
            logging.levels().to_string()
        })
    };
    let text =
        "version: 1\nhandlers: {h: {class: StreamHandler}}\nroot: {level: INFO, handlers: [h]}";
    assert_eq!(read(text).unwrap(), "info");
    let file = text.replace("StreamHandler", "FileHandler, filename: /nowhere/at/all/log, levl: 1");
    let problems = read(&file).unwrap_err().to_string();
    let place = format!("{}:2: handlers.h", path.display());
    for problem in [": unknown key `levl`; did you mean `level`?", ".filename: "] {
        assert!(problems.contains(&format!("{place}{problem}")), "{problems}");
    }
    assert_eq!(problems.lines().count(), 2, "{problems}");
    let missing = Configuration::from_file(folder.path().join("none"), &Filters::new());
    assert!(missing.unwrap_err().to_string().contains("none"));
}

#[test]
fn names_of_loggers_in_code() {
    let configuration = Configuration::new()
        .environment(|_| None)
        .handler(Handler::writer("h", std::io::sink))
        .logger(Logger::new("a=b").handler("h"));
    let error = configuration.build().map(|_| ()).unwrap_err();
    assert!(matches!(&error, Error::LoggerName { logger, .. } if logger == "a=b"));
    assert!(
        error.to_string().starts_with("the logger `a=b`: the name of a logger must not contain")
    );
}
