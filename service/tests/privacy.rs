//! Searches everything that a service writes and answers for the values of sensitive fields. This test is
//! also the program that it starts.

#![allow(clippy::unwrap_used, reason = "all of this is a test")]

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode, Output, Stdio};
use std::{env, fs, thread};

use ml_model_core::{Decorator, Infer, MLModel, Sensitive};
use ml_model_service::{MetricsSettings, Service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The values of sensitive fields, and parts of them that a message may show.
const SECRETS: [&str; 4] = ["078-05-1120", "52917.25", "card-4929", "Grünspan"];
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(example = json!({"ssn": "078-05-1120"}))]
struct Customer {
    #[schemars(example = &"078-05-1120", length(min = 11, max = 11), regex(pattern = "^[0-9-]+$"))]
    ssn: Sensitive<String>,
    #[serde(default = "unknown")]
    name: Option<Sensitive<String>>,
}

fn unknown() -> Option<Sensitive<String>> {
    Some(Sensitive::new("Grünspan".to_owned()))
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    customer: Customer,
    #[schemars(range(min = 0.0, max = 1e6))]
    income: Sensitive<f64>,
    cards: Sensitive<std::collections::BTreeMap<String, u8>>,
    age: u8,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Output_ {
    risk: Sensitive<f64>,
    class: String,
}

/// Fails at 40 and panics at 50, with its input in the message.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(metrics)]
#[decorate(logging(
    input_fields = ["age", "hashed(customer.ssn) as ssn", redacted(customer.name),
                    "bucketed(income, 10_000)", redacted(cards)],
    output_fields = ["class", "bucketed(risk, 0.5)"],
))]
struct RiskModel;

impl Infer for RiskModel {
    type Input = Input;
    type Output = Output_;
    type Error = std::io::Error;

    fn infer(&self, input: &Input) -> Result<Output_, Self::Error> {
        tracing::debug!(?input, "The model has received an input.");
        match input.age {
            40 => Err(std::io::Error::other(format!("no model for {input:?}"))),
            50 => panic!("no model for {input:?}"),
            _ => Ok(Output_ { risk: Sensitive::new(0.25), class: "low".to_owned() }),
        }
    }
}

/// A decorator of JSON models: those outside it work on JSON, too.
struct Json;

impl<M: MLModel> Decorator<M> for Json {}

fn service() -> Service {
    Service::new("Risk Service")
        .model(|| Ok::<_, Infallible>(RiskModel))
        .decorator("json", |_: Option<()>| Ok::<_, Infallible>(Json))
        .metrics(MetricsSettings { enabled: true, ..MetricsSettings::default() })
}

const FILE: &str = "
models:
  - qualified_name: risk_model
    decorators:
      - prediction_id
      - logging:
          input_fields: [age, hashed(customer.ssn) as ssn, redacted(customer.name), 'bucketed(income, 10000)',
                         redacted(cards)]
          output_fields: [class, 'bucketed(risk, 0.5)']
      - json
";

const PROGRAM: &str = "TEST_PROGRAM";

fn command(arguments: &[&str], key: Option<&str>) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments).env(PROGRAM, "risk").env("RUST_LOG", "trace").env_remove("REST_CONFIG");
    match key {
        Some(key) => command.env("ML_LOG_HASH_KEY", key),
        None => command.env_remove("ML_LOG_HASH_KEY"),
    };
    command
}

fn run(arguments: &[&str], key: Option<&str>) -> Output {
    command(arguments, key).output().unwrap()
}

fn valid() -> Value {
    json!({
        "customer": {"ssn": "078-05-1120", "name": "Grünspan"}, "income": 52917.25,
        "cards": {"card-4929": 1}, "age": 30,
    })
}

/// Returns bodies, valid and invalid ones, with sensitive values in them.
fn bodies() -> Vec<String> {
    let mut bodies = vec![valid()];
    let mut with = |pointer: &str, value: Value| {
        let mut body = valid();
        let (object, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(object).unwrap()[name] = value;
        bodies.push(body);
    };
    with("/age", json!(40));
    with("/age", json!(50));
    with("/age", json!("forty"));
    with("/customer/ssn", json!("078-05-1120x"));
    with("/customer/ssn", json!("078-05-1120 or"));
    with("/customer/ssn", json!(["078-05-1120"]));
    with("/customer/name", json!({"Grünspan": "Grünspan"}));
    with("/customer/name", json!(52917.25));
    with("/customer", json!("078-05-1120"));
    with("/customer", json!(["078-05-1120"]));
    with("/income", json!("52917.25"));
    with("/income", json!(-52917.25));
    with("/income", json!(52917.25e9));
    with("/cards", json!({"card-4929": "card-4929"}));
    with("/cards", json!({"card-4929": {"card-4929": []}}));
    with("/cards", json!("card-4929"));
    with("/ssn", json!("078-05-1120"));
    bodies.push(json!("078-05-1120"));
    bodies.push(json!([valid()]));
    let text = valid().to_string();
    let mut bodies: Vec<_> = bodies.iter().map(Value::to_string).collect();
    bodies.push(text[..text.len() - 1].to_owned());
    bodies.push(text.replace("\"078", "078"));
    bodies.push(text.replacen('{', "{\"age\": 1, ", 1));
    bodies
}

/// Sends a request and returns the whole answer.
fn send(address: &str, method: &str, path: &str, body: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn assert_no_secret(text: &str, source: &str) {
    for secret in SECRETS {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{source} contains {secret}: {}", line.unwrap_or_default());
    }
}

fn nothing_that_is_written_contains_a_sensitive_value(arguments: &[&str]) {
    let mut command = command(arguments, Some(KEY));
    command.args(["--address", "127.0.0.1:0"]);
    let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = program.stderr.take().unwrap();
    let errors = thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text).unwrap()
    });
    let mut output = BufReader::new(program.stdout.take().unwrap());
    let mut log = String::new();
    let mut next = |message: &str| loop {
        let start = log.len();
        assert_ne!(output.read_line(&mut log).unwrap(), 0, "there is no record {message}: {log}");
        let record: Value = log[start..].parse().unwrap();
        if record["message"].as_str().is_some_and(|text| text.starts_with(message)) {
            break record;
        }
    };
    let address = next("Listening on")["address"].as_str().unwrap().to_owned();
    next("All models are loaded.");

    let mut answers = String::new();
    let mut statuses = Vec::new();
    for body in bodies() {
        let answer = send(&address, "POST", "/api/models/risk_model/prediction", &body);
        statuses.push(answer.split(' ').nth(1).unwrap().to_owned());
        answers += &answer;
        let batch = format!("[{body}, {body}]");
        answers += &send(&address, "POST", "/api/models/risk_model/predictions", &batch);
        answers += &send(&address, "POST", "/api/models/risk_model/nowhere", &body);
        answers += &send(&address, "PUT", "/api/models/risk_model/prediction", &body);
    }
    for status in ["200", "400", "500"] {
        assert!(statuses.iter().any(|known| known == status), "{statuses:?}");
    }
    for path in
        ["/metrics", "/openapi.json", "/docs", "/api/models", "/api/models/risk_model/metadata"]
    {
        let answer = send(&address, "GET", path, "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        answers += &answer;
    }
    let pid = program.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    output.read_to_string(&mut log).unwrap();
    assert!(program.wait().unwrap().success());

    assert_no_secret(&answers, "an answer");
    assert_no_secret(&log, "the log");
    assert_no_secret(&errors.join().unwrap(), "standard error");

    // The policies are in the records.
    let records: Vec<Value> = log.lines().map(|line| line.parse().unwrap()).collect();
    let requested = records
        .iter()
        .find(|record| record["message"] == "Prediction requested." && record["age"] == 30)
        .unwrap_or_else(|| panic!("{log}"));
    assert_eq!(requested["ssn"], "0b6e373a6c22947edab4ac8044b00382");
    assert_eq!(requested["customer.name"], "[REDACTED]");
    assert_eq!(requested["income"], 50_000.0);
    assert_eq!(requested["cards"], "[REDACTED]");
    assert!(log.contains("no model for Input { customer: Customer { ssn: [REDACTED]"), "{log}");
    assert!(log.contains("panic: no model for"), "{log}");
    assert!(log.contains("customer.ssn: the value is longer than 11 characters"), "{log}");
}

fn commands_print_no_sensitive_value_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let document = format!("{folder}/openapi.json");
    for arguments in [
        &["check-config"][..],
        &["generate-openapi", "--output-file", &document],
        &["export", "elasticsearch", "--output-dir", folder],
    ] {
        let output = run(arguments, Some(KEY));
        assert!(output.status.success(), "{output:?}");
        let written = format!("{output:?}");
        assert_no_secret(&written, arguments[0]);
        assert!(!written.contains(KEY), "{written}");
    }
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert_no_secret(&text, "a generated file");
    }
}

fn a_service_without_a_key_does_not_start(file: &str) {
    let of_attributes =
        "error: `risk_model` logs `hashed(customer.ssn) as ssn`, but ML_LOG_HASH_KEY ";
    let of_file = format!(
        "error: {file}:6: `risk_model` logs `hashed(customer.ssn) as ssn`, but ML_LOG_HASH_KEY "
    );
    for (key, problem) in [
        (None, "is not set"),
        (Some(""), "is not set"),
        (Some(&KEY[2..]), "has 31 bytes only"),
        (Some("no key, but a sentence"), "is neither hexadecimal digits nor base64"),
    ] {
        for (arguments, expected) in [(&[][..], of_attributes), (&["--config", file], &of_file)] {
            for command in [None, Some("check-config")] {
                let arguments: Vec<_> = arguments.iter().copied().chain(command).collect();
                let output = run(&arguments, key);
                assert!(!output.status.success());
                let errors = String::from_utf8(output.stderr).unwrap();
                assert!(
                    errors.starts_with(&format!("{expected}{problem}; set it to 32")),
                    "{errors}"
                );
                assert!(key.is_none_or(|key| key.is_empty() || !errors.contains(key)), "{errors}");
            }
        }
    }
    // Commands that do not log need no key.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let output = run(&["export", "elasticsearch", "--output-dir", folder], None);
    assert!(output.status.success(), "{output:?}");
}

fn mistakes_in_policies_are_reported_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rest_config.yaml");
    let fields =
        "[customer.ssn, hash(age), bucketed(age), 'bucketed(age, 0)', 'bucketed(age, 0.5)',
                         'hashed(age, 3)', hashed(agee), risk as risk,
                         age as hashed]";
    let written = FILE.replace("[class, 'bucketed(risk, 0.5)']", "[risk]");
    let start = written.find("[age,").unwrap();
    let end = written.find("\n          output_fields").unwrap();
    fs::write(&file, format!("{}{fields}{}", &written[..start], &written[end..])).unwrap();
    let file = file.to_str().unwrap();
    for command in [None, Some("check-config")] {
        let arguments: Vec<_> = ["--config", file].into_iter().chain(command).collect();
        let output = run(&arguments, Some(KEY));
        assert!(!output.status.success());
        let errors = String::from_utf8(output.stderr).unwrap();
        let errors = errors.replace(file, "f").replace("models[0].decorators[1].logging.", "");
        assert_eq!(
            errors,
            "error: f:7: input_fields[0]: `customer.ssn` is sensitive: write `redacted(customer.ssn)` for \
             \"[REDACTED]\" or `hashed(customer.ssn)` for a keyed digest\n\
             error: f:7: input_fields[1]: unknown policy `hash`; valid are `redacted`, `hashed`, `bucketed`\n\
             error: f:7: input_fields[2]: `bucketed` needs the width of its buckets, as in `bucketed(age, \
             10)`\n\
             error: f:7: input_fields[3]: `0` is not a width of buckets: expected a number above 0, such as \
             10 or 0.5\n\
             error: f:7: input_fields[4]: `age` is an integer: its buckets need a whole width, such as 10\n\
             error: f:8: input_fields[5]: `hashed` takes one field and nothing else\n\
             error: f:8: input_fields[6]: unknown field `agee`; did you mean `age`? Valid are `customer`, \
             `income`, `cards`, `age`\n\
             error: f:8: input_fields[7]: unknown field `risk`; valid are `customer`, `income`, `cards`, `age`\n\
             error: f:9: input_fields[8]: `hashed` is a policy: write `hashed(age)`\n\
             error: f:10: output_fields[0]: `risk` is sensitive: write `bucketed(risk, 10)` for the lower \
             bound of the number's bucket, `redacted(risk)` for \"[REDACTED]\" or `hashed(risk)` for a keyed \
             digest\n"
        );
    }
}

fn main() -> ExitCode {
    if env::var_os(PROGRAM).is_some() {
        return service().main();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rest_config.yaml");
    fs::write(&file, FILE).unwrap();
    let file = file.to_str().unwrap();
    nothing_that_is_written_contains_a_sensitive_value(&[]);
    nothing_that_is_written_contains_a_sensitive_value(&["--config", file]);
    commands_print_no_sensitive_value_and_no_key();
    a_service_without_a_key_does_not_start(file);
    mistakes_in_policies_are_reported_with_their_places();
    println!("privacy: 5 tests passed");
    ExitCode::SUCCESS
}
