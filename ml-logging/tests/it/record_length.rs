//! The limit for the length of a record.

use std::fs;

use ml_logging::{
    Configuration, EcsFormatter, Filters, Formatter, Handler, JsonFormatter, Logger, TextFormatter,
};
use proptest::prelude::*;
use serde_json::Value;
use tracing::{info, level_filters::LevelFilter};

use crate::support::{Memory, Record, builder, only};

/// Returns the lines that `run` logs with this formatter and limit.
fn lines(formatter: impl Into<Formatter>, limit: Option<usize>, run: impl FnOnce()) -> Vec<String> {
    let memory = Memory::default();
    let mut builder = builder().formatter(formatter).writer(memory.clone());
    if let Some(limit) = limit {
        builder = builder.record_bytes(limit);
    }
    let (subscriber, _logging) = builder.build().unwrap();
    tracing::subscriber::with_default(subscriber, run);
    memory.writes()
}

fn json() -> JsonFormatter {
    JsonFormatter::new("%(levelname)s %(message)s").unwrap()
}

/// Returns the start of a text that was cut, after checking the number of bytes in its mark.
fn start_of<'v>(value: &'v Value, whole: &str) -> &'v str {
    let (start, mark) = value.as_str().unwrap().rsplit_once("… [").unwrap();
    let rest = whole.strip_prefix(start).unwrap();
    assert_eq!(mark, format!("{} bytes cut]", rest.len()));
    start
}

#[test]
fn a_record_has_16_kib_by_default() {
    let text = "x".repeat(100_000);
    let [line] = &lines(json(), None, || info!(text, n = 7, "Long."))[..] else { panic!() };
    assert!((16 * 1024 - 4..=16 * 1024).contains(&line.len()), "{}", line.len());
    let record = Record::read(line);
    assert_eq!(record.keys(), ["levelname", "message", "text", "n"]);
    assert_eq!((&record["message"], &record["n"]), (&"Long.".into(), &7.into()));
    assert!(start_of(&record["text"], &text).len() > 16_000);
}

#[test]
fn a_record_at_the_limit_stays_as_it_is() {
    let log = |length: usize| {
        let text = "x".repeat(length);
        let lines = lines(json(), Some(2000), || info!(text, "Long."));
        let [line] = &lines[..] else { panic!() };
        (line.len(), line.contains("bytes cut"))
    };
    let (empty, _) = log(0);
    assert_eq!(log(2000 - empty), (2000, false));
    let (length, is_cut) = log(2000 - empty + 1);
    assert!((1996..=2000).contains(&length) && is_cut, "{length}");
}

#[test]
fn only_the_longest_values_are_cut() {
    let (short, long, longer) = ("s".repeat(400), "l".repeat(3000), "m".repeat(9000));
    let lines = lines(json(), Some(2000), || info!(short, long, longer, "Long."));
    let record = Record::read(&lines[0]);
    assert_eq!(record["short"], short.as_str());
    let [long, longer] = [("long", &long), ("longer", &longer)]
        .map(|(key, whole)| start_of(&record[key], whole).len());
    assert!(long.abs_diff(longer) <= 4, "{long} {longer}");
}

#[test]
fn a_limit_for_one_handler_leaves_the_others_alone() {
    let (short, whole) = (Memory::default(), Memory::default());
    let handler = |name, memory: &Memory, limit| {
        Handler::writer(name, memory.clone()).formatter(json()).record_bytes(limit)
    };
    let (subscriber, _logging) = Configuration::new()
        .environment(|_| None)
        .handler(handler("short", &short, 1024))
        .handler(handler("whole", &whole, usize::MAX))
        .logger(Logger::root().level(LevelFilter::INFO).handler("short").handler("whole"))
        .build()
        .unwrap();
    let text = "x".repeat(50_000);
    tracing::subscriber::with_default(subscriber, || info!(text));
    assert_eq!(short.writes()[0].len(), 1024);
    assert_eq!(only(whole.records())["text"], text.as_str());
}

#[test]
fn fields_of_spans_and_the_elastic_common_schema_are_limited_too() {
    let text = "x".repeat(50_000);
    let lines = lines(EcsFormatter::new(), Some(4096), || {
        tracing::info_span!("request", text).in_scope(|| info!("Inside."));
    });
    assert_eq!(lines[0].len(), 4096);
    start_of(&Record::read(&lines[0])["text"], &text);
}

#[test]
fn lines_of_text_are_cut_at_their_end() {
    let formatter = TextFormatter::new("%(levelname)s %(message)s").unwrap();
    let lines = lines(formatter, Some(1024), || info!("{}", "é".repeat(50_000)));
    let line = lines[0].strip_suffix(" bytes cut]\n").unwrap();
    assert!(line.starts_with("INFO éé"));
    assert!((1020..=1024).contains(&lines[0].len()), "{}", lines[0].len());
}

#[test]
fn the_key_of_the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, log) = (folder.path().join("logging.yaml"), folder.path().join("log.jsonl"));
    let handler = format!("{{class: FileHandler, filename: {log:?}, record_bytes: 1500}}");
    let root = "{level: INFO, handlers: [h]}";
    fs::write(&path, format!("version: 1\nhandlers: {{h: {handler}}}\nroot: {root}\n")).unwrap();
    let configuration = Configuration::from_file(&path, &Filters::new()).unwrap();
    let (subscriber, logging) = configuration.environment(|_| None).build().unwrap();
    tracing::subscriber::with_default(subscriber, || info!("{}", "x".repeat(5000)));
    drop(logging);
    assert_eq!(fs::metadata(&log).unwrap().len(), 1500);
}

proptest! {
    #[test]
    fn a_record_of_any_length_is_valid_and_within_its_limit(
        values in prop::collection::vec(("[a-z\"\\\\\u{1}\n\u{85}éℝ\u{2028}😀]{0,50}", 0..60_usize), 3),
        limit in 1024..3000_usize,
    ) {
        let [a, b, c] = [0, 1, 2].map(|index| {
            let (text, times) = &values[index];
            text.repeat(*times)
        });
        let log = || info!(a, b, c, n = 1.5, "Any.");
        let whole = Record::read(&lines(json(), Some(usize::MAX), log)[0]);
        let cut = &lines(json(), Some(limit), log)[0];
        prop_assert!(cut.len() <= limit);
        let record = Record::read(cut);
        prop_assert_eq!(record.keys(), whole.keys());
        for (key, value) in &record.0 {
            let original = &whole[key.as_str()];
            if value != original {
                let original = original.as_str().unwrap();
                let (start, _) = value.as_str().unwrap().rsplit_once("… [").unwrap();
                prop_assert!(original.starts_with(start));
            }
        }
        // No more is left out than characters, escapes and marks require.
        let is_cut = record != whole;
        prop_assert!(!is_cut || cut.len() + 32 > limit, "{} of {}", cut.len(), limit);
    }
}
