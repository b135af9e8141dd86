//! Shared parts of the tests: logging into memory, and strict parsing of records.

#[cfg(feature = "opentelemetry")]
pub(crate) mod collector;

use std::{
    env, fmt,
    io::{self, Write},
    ops::Index,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use ml_configuration::{Document, Problems};
use ml_logging::{Builder, Configuration, Filters, Handler, JsonFormatter, Logger};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Writer that keeps each write.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<Vec<u8>>>>);

impl Memory {
    pub(crate) fn writes(&self) -> Vec<String> {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        self.0.lock().unwrap().iter().map(text).collect()
    }

    /// Returns the records. Each must be a single write and a single line.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.writes().iter().map(|write| Record::read(write)).collect()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Returns a builder that is independent of the environment.
pub(crate) fn builder() -> Builder {
    ml_logging::builder().environment(|_| None).level("trace")
}

/// Returns a configuration with one handler `h`, the level INFO, and a short format.
pub(crate) fn with(handler: Handler) -> Configuration {
    Configuration::new()
        .environment(|_| None)
        .handler(handler.formatter(JsonFormatter::new("%(message)s").unwrap()))
        .logger(Logger::root().level(LevelFilter::INFO).handler("h"))
}

/// Returns the records that `run` logs with this format.
pub(crate) fn logged(format: &str, run: impl FnOnce()) -> Vec<Record> {
    logged_by(builder().format(format), run)
}

/// Returns the records that `run` logs with this set-up.
pub(crate) fn logged_by(builder: Builder, run: impl FnOnce()) -> Vec<Record> {
    let memory = Memory::default();
    let (subscriber, _logging) = builder.writer(memory.clone()).build().unwrap();
    tracing::subscriber::with_default(subscriber, run);
    memory.records()
}

/// Returns the only record.
pub(crate) fn only(records: Vec<Record>) -> Record {
    let [record] = <[Record; 1]>::try_from(records).unwrap();
    record
}

/// Record with its keys in order. Keys are unique.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record(pub(crate) Vec<(String, Value)>);

impl Record {
    pub(crate) fn read(line: &str) -> Self {
        let text = line.strip_suffix('\n').unwrap_or_else(|| panic!("no newline: {line:?}"));
        assert!(!text.contains(char::is_control), "{text:?}");
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }
}

impl Index<&str> for Record {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object without repeated keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut record = Record(Vec::new());
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if record.get(&key).is_some() {
                        return Err(A::Error::custom(format!("`{key}` stands twice")));
                    }
                    record.0.push((key, value));
                }
                Ok(record)
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

/// Returns the mistakes in the `logging` part of a file, without the name of the file.
pub(crate) fn mistakes_with(text: &str, filters: &Filters) -> String {
    let document = Document::parse("f", text).unwrap();
    let mut problems = Problems::new();
    let configuration = Configuration::read(document.root(), filters, &mut problems);
    assert_eq!(configuration.is_none(), !problems.is_empty(), "{problems}");
    let lines: Vec<_> =
        problems.iter().map(|problem| problem.to_string()[2..].to_owned()).collect();
    lines.join("\n")
}

const CHILD: &str = "ML_LOGGING_TEST_CHILD";

/// Returns whether this process is the child that [`command`] starts.
pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Returns a command that runs one test of this program in a child process.
pub(crate) fn command(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env_remove("RUST_LOG")
        .env_remove("RUST_BACKTRACE")
        .env_remove("NO_COLOR")
        .env(CHILD, "1");
    command
}

/// Runs a function in a child process, and returns the output of the child; `None` in the child itself.
pub(crate) fn child(
    test: &str,
    environment: &[(&str, &str)],
    child: impl FnOnce(),
) -> Option<Output> {
    if is_child() {
        child();
        return None;
    }
    let output = command(test).envs(environment.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(output)
}

/// Returns the records in a stream. The test harness writes text before the first one.
pub(crate) fn records(stream: &[u8]) -> Vec<Record> {
    let text = std::str::from_utf8(stream).unwrap();
    let json =
        |line: &str| line.find("{\"").map(|start| Record::read(&format!("{}\n", &line[start..])));
    text.lines().filter_map(json).collect()
}
