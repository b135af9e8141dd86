//! Services that run as programs. This test is also the programs that it starts.

#![allow(clippy::unwrap_used, reason = "all of this is a test")]

mod refused;
mod signals;
mod start;

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    time::Duration,
};

use ml_model_core::{Infer, MLModel};
use ml_model_service::{ContextFilter, Document, Service};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

/// Adds the release to records.
struct ReleaseFilter(String);

impl ContextFilter for ReleaseFilter {
    fn fields(&self) -> Vec<(String, String)> {
        vec![("release".to_owned(), self.0.clone())]
    }
}

fn service() -> Service {
    Service::new("Filtered Service").log_filter("ReleaseFilter", |keys, problems| {
        let prefix = keys.required("prefix", problems)?.string(problems)?;
        Some(ReleaseFilter(format!("{prefix}1.0")))
    })
}

const FILE: &str = r#"
logging:
  version: 1
  formatters: {json: {class: JsonFormatter, format: "%(release)s %(hostname)s %(message)s"}}
  filters: {release: {class: our.filters.ReleaseFilter, prefix: v}, host: {class: HostnameFilter}}
  handlers: {stdout: {class: StreamHandler, stream: ext://sys.stdout, formatter: json, filters: [release, host]}}
  root: {level: INFO, handlers: [stdout]}
"#;

fn mistakes(service: Service, file: &str) -> String {
    let document = Document::parse("f", file).unwrap();
    service.configured(&document).map(|_| ()).unwrap_err().to_string()
}

fn the_fields_of_a_filter_are_in_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rest_config.yaml");
    fs::write(&path, FILE).unwrap();
    let (mut program, mut records) = start("filter", &["--config", path.to_str().unwrap()]);
    let mut line = String::new();
    let read = records.read_line(&mut line);
    program.kill().unwrap();
    program.wait().unwrap();
    read.unwrap();
    let record: Value = line.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
    let keys: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys[..3], ["release", "hostname", "message"], "{line}");
    assert_eq!(record["release"], "v1.0");
}

fn mistakes_of_a_filter_are_reported_with_the_others() {
    let file =
        FILE.replace("prefix: v", "prefx: v").replace("stdout, formatter", "stdin, formatter");
    let line = |key: &str| format!("f:{key}");
    assert_eq!(
        mistakes(service(), &file),
        [
            line("5: logging.filters.release: the key `prefix` is missing"),
            line("5: logging.filters.release: unknown key `prefx`; did you mean `prefix`?"),
            line("6: logging.handlers.stdout.stream: unknown stream `ext://sys.stdin`; did you mean `ext://sys.stdout`? Valid are `ext://sys.stdout`, `ext://sys.stderr`"),
        ]
        .join("\n")
    );
}

fn a_filter_is_known_to_its_program_only() {
    assert_eq!(
        mistakes(Service::new("Other Service"), FILE),
        "f:5: logging.filters.release.class: unknown filter class `ReleaseFilter`; valid are `HostnameFilter`, `EnvironmentInfoFilter`, `Filter`"
    );
}

/// Drives a runtime of its own, as blocking HTTP and database clients do.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct RuntimeModel {
    runtime: tokio::runtime::Runtime,
}

impl RuntimeModel {
    fn load() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
        Ok(Self { runtime })
    }
}

impl Infer for RuntimeModel {
    type Input = f64;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &f64) -> Result<f64, Self::Error> {
        let wait = async { tokio::time::sleep(Duration::from_micros(10)).await };
        self.runtime.block_on(wait);
        Ok(2.0 * input)
    }
}

/// Sends a body over a connection that stays open and returns the status.
fn post(connection: &mut TcpStream, endpoint: &str, body: &str) -> u16 {
    let length = body.len();
    write!(
        connection,
        "POST /api/models/runtime_model/{endpoint} HTTP/1.1\r\nhost: test\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut response = [0; 4096];
    let length = connection.read(&mut response).unwrap();
    let response = std::str::from_utf8(&response[..length]).unwrap();
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

fn a_model_with_a_runtime_predicts_on_the_blocking_pool_and_is_dropped_off_the_runtime() {
    let (mut program, records) = start("runtime", &[]);
    let mut records = records.lines().map(|line| line.unwrap().parse::<Value>().unwrap());
    let mut next = |message: &str| {
        let is_it = |record: &Value| record["message"].as_str().unwrap().starts_with(message);
        records.find(is_it).unwrap_or_else(|| panic!("there is no record {message}"))
    };
    let address = next("Listening on")["address"].as_str().unwrap().to_owned();
    next("All models are loaded.");
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    for attempt in 0..50 {
        assert_eq!(post(&mut connection, "prediction", "1.5"), 200, "attempt {attempt}");
        assert_eq!(post(&mut connection, "predictions", "[1, 2]"), 200, "attempt {attempt}");
    }
    // With the connection still open.
    let pid = program.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    next("Stopped.");
    assert!(program.wait().unwrap().success());
}

/// Returns the controlling end of a new pseudo-terminal and the terminal.
fn pseudo_terminal() -> (File, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(name).unwrap();
    (File::from(controller), terminal)
}

fn a_terminal_shows_a_first_prediction_after_the_start() {
    let (controller, terminal) = pseudo_terminal();
    let mut command = command("runtime", &[]);
    let mut program =
        command.stderr(terminal.try_clone().unwrap()).stdout(terminal).spawn().unwrap();
    // The terminal ends with the program.
    drop(command);
    let mut lines = BufReader::new(controller).lines().map_while(Result::ok);
    let before: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let [.., last_record] = &before[..] else { panic!("there are no records") };
    assert!(last_record.contains("All models are loaded."), "{last_record}");
    let shown: Vec<_> = lines.by_ref().take(5).collect();
    let address = shown[0].strip_prefix("Documentation: http://").unwrap();
    let address = address.strip_suffix("/docs").unwrap();
    let curl = format!("  curl http://{address}/api/models/runtime_model/prediction \\");
    let expected = ["A prediction:", &curl, "    -H 'content-type: application/json' \\"];
    assert_eq!(&shown[1..4], &expected, "{shown:?}");
    let body = shown[4].strip_prefix("    -d '").unwrap().strip_suffix('\'').unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    assert_eq!(post(&mut connection, "prediction", body), 200, "{body}");
    program.kill().unwrap();
    program.wait().unwrap();
}

fn the_version_is_printed() {
    let output = command("runtime", &["--version"]).output().unwrap();
    let expected =
        format!("Runtime Service 0.1.0\n  runtime_model {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(output.status.success());
}

const PROGRAM: &str = "TEST_PROGRAM";

/// Returns the command that runs one of the programs on a free port.
fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments).args(["--address", "127.0.0.1:0"]);
    command.env(PROGRAM, name).env_remove("RUST_LOG");
    command
}

/// Starts one of the programs on a free port. Returns it with its records.
fn start(name: &str, arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut program = command(name, arguments).stdout(Stdio::piped()).spawn().unwrap();
    let records = BufReader::new(program.stdout.take().unwrap());
    (program, records)
}

fn main() -> ExitCode {
    match env::var(PROGRAM).as_deref() {
        Ok("filter") => return service().model(RuntimeModel::load).main(),
        Ok("signals") => return signals::service().main(),
        Ok("refused") => return refused::service().main(),
        Ok(name) => {
            return start::main(name).unwrap_or_else(|| {
                Service::new("Runtime Service").model(RuntimeModel::load).main()
            });
        }
        Err(_) => {}
    }
    the_fields_of_a_filter_are_in_the_records();
    mistakes_of_a_filter_are_reported_with_the_others();
    a_filter_is_known_to_its_program_only();
    a_model_with_a_runtime_predicts_on_the_blocking_pool_and_is_dropped_off_the_runtime();
    a_terminal_shows_a_first_prediction_after_the_start();
    the_version_is_printed();
    start::mistaken_mains_are_refused_with_a_remedy();
    start::guessed_commands_work_or_name_the_option();
    start::misspelt_variables_are_reported();
    signals::run();
    #[cfg(target_os = "linux")]
    refused::refused_bodies_take_little_time_and_memory();
    println!("program: all tests passed");
    ExitCode::SUCCESS
}
