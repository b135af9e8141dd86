//! The shutdown, a log that stalls, and files that change while the service runs.

use std::{
    collections::HashMap,
    fs,
    io::{self, BufRead, BufReader, ErrorKind, PipeReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use serde_json::Value;

/// Time limit of a test step.
const DEADLINE: Duration = Duration::from_secs(30);

/// Doubles a number on the thread that reads it.
#[derive(MLModel)]
#[ml_model(execution = inline)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct QuickModel;

impl Infer for QuickModel {
    type Input = f64;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &f64) -> Result<f64, Self::Error> {
        Ok(2.0 * input)
    }
}

/// Sleeps for a number of seconds.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct SleepingModel;

impl Infer for SleepingModel {
    type Input = u64;
    type Output = u64;
    type Error = std::convert::Infallible;

    fn infer(&self, seconds: &u64) -> Result<u64, Self::Error> {
        thread::sleep(Duration::from_secs(*seconds));
        Ok(*seconds)
    }
}

pub(crate) fn service() -> Service {
    Service::new("Signals")
        .model(|| Ok::<_, io::Error>(QuickModel))
        .model(|| Ok::<_, io::Error>(SleepingModel))
}

/// A program with a configuration in a folder of its own. Its log is a file there, or a pipe.
struct Running {
    program: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
}

/// Logs to standard output, into a pipe that the test reads on demand.
const STDOUT: &str = "
logging:
  version: 1
  flush_limit_s: 1
  handlers: {out: {class: StreamHandler, stream: ext://sys.stdout, queue_bytes: 20000}}
  root: {level: INFO, handlers: [out]}
";

const FILE: &str = "
logging:
  version: 1
  handlers: {out: {class: FileHandler, filename: FOLDER/log}}
  root: {level: INFO, handlers: [out]}
";

impl Running {
    /// Starts a program that logs to a file. `FOLDER` in the configuration is its folder.
    fn start(yaml: &str, prepare: impl FnOnce(&Path, &mut Command)) -> Self {
        Self::spawn(yaml, prepare, |folder| {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            log.lines().find_map(address)
        })
    }

    fn spawn(
        yaml: &str,
        prepare: impl FnOnce(&Path, &mut Command),
        mut find_address: impl FnMut(&Path) -> Option<SocketAddr>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let yaml = yaml.replace("FOLDER", folder.path().to_str().unwrap());
        let file = folder.path().join("rest_config.yaml");
        fs::write(&file, yaml).unwrap();
        let mut command = super::command("signals", &["--config", file.to_str().unwrap()]);
        prepare(folder.path(), &mut command);
        let program = command.spawn().unwrap();
        drop(command);
        let address = eventually("the service listens", || find_address(folder.path()));
        let running = Self { program, folder, address };
        eventually("the service is ready", || running.is_ready().then_some(()));
        running
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Sends a request without headers and reads the answer.
    fn get(&self, path: &str, headers: &str) -> Option<u16> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split(' ').nth(1)?.parse().ok()
    }

    fn is_ready(&self) -> bool {
        self.get("/api/health/ready", "") == Some(200)
    }

    fn signal(&self, name: &str) {
        signal(&self.program, name);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the program has ended. Kills it if it does not.
    fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                return status;
            }
            if started.elapsed() > DEADLINE {
                self.program.kill().unwrap();
                panic!("the program does not end");
            }
            thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.program.kill();
        let _reaped = self.program.wait();
    }
}

fn signal(program: &Child, name: &str) {
    let kill = Command::new("kill").args([&format!("-{name}"), &program.id().to_string()]).status();
    assert!(kill.unwrap().success(), "{name}");
}

fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "still not: {what}");
        thread::yield_now();
    }
}

fn request(model: &str, id: &str, input: &str) -> String {
    let length = input.len();
    format!(
        "POST /api/models/{model}/prediction HTTP/1.1\r\nhost: test\r\nx-prediction-id: {id}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{input}"
    )
}

/// Reads one answer by its length, and returns its status.
fn read_status(stream: &mut TcpStream) -> io::Result<u16> {
    let mut answer = Vec::new();
    loop {
        let mut part = [0; 4096];
        let length = stream.read(&mut part)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&part[..length]);
        let text = str::from_utf8(&answer).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return Ok(head.split(' ').nth(1).unwrap().parse().unwrap());
        }
    }
}

/// Predicts over several connections until the log stalls. Returns the connections, each of which
/// waits for an answer, and the number of predictions.
fn fill_the_log(service: &Running) -> (Vec<TcpStream>, usize) {
    const CLIENTS: usize = 8;
    let clients = (0..CLIENTS).map(|client| {
        let mut stream = service.connect();
        // An answer takes less than a millisecond, unless the log is stalled.
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        thread::spawn(move || {
            for sent in 0.. {
                let request = request("quick_model", &format!("{client}-{sent}"), "1.5");
                stream.write_all(request.as_bytes()).unwrap();
                match read_status(&mut stream) {
                    Ok(status) => assert_eq!(status, 200),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        return (stream, sent + 1);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            unreachable!("the log takes no end of records")
        })
    });
    let clients: Vec<JoinHandle<_>> = clients.collect();
    let (streams, sent): (Vec<_>, Vec<usize>) =
        clients.into_iter().map(|client| client.join().unwrap()).unzip();
    (streams, sent.into_iter().sum())
}

/// Returns the address in the record about it.
fn address(line: &str) -> Option<SocketAddr> {
    let record: Value = serde_json::from_str(line).ok()?;
    record["address"].as_str()?.parse().ok()
}

/// Starts a program whose standard output is read up to its address. Returns the rest.
fn stalled(yaml: &str, with_errors: bool) -> (Running, BufReader<PipeReader>) {
    let (output, write) = io::pipe().unwrap();
    let mut output = BufReader::new(output);
    let prepare = |_: &Path, command: &mut Command| {
        let errors = with_errors.then(|| write.try_clone().unwrap().into());
        command.stdout(write).stderr(errors.unwrap_or_else(Stdio::piped));
    };
    let service = Running::spawn(yaml, prepare, |_| {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        address(&line)
    });
    (service, output)
}

/// Numbers of first and last records by prediction.
fn ends(lines: impl Iterator<Item = String>) -> HashMap<String, [usize; 2]> {
    let mut predictions = HashMap::<_, [usize; 2]>::new();
    for line in lines {
        let record: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let Some(id) = record["prediction_id"].as_str() else { continue };
        let is_last = record["message"] != "Prediction requested.";
        predictions.entry(id.to_owned()).or_default()[usize::from(is_last)] += 1;
    }
    predictions
}

fn health_does_not_wait_for_the_log() {
    let (mut service, output) = stalled(STDOUT, false);
    let (mut streams, sent) = fill_the_log(&service);
    // More requests than there are threads.
    let waiting = (0..700).map(|number| {
        let mut stream = service.connect();
        let request = request("quick_model", &format!("late-{number}"), "1.5");
        stream.write_all(request.as_bytes()).unwrap();
        stream
    });
    let waiting: Vec<_> = waiting.collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        for path in ["/api/health", "/api/health/ready", "/api/health/startup"] {
            let started = Instant::now();
            assert_eq!(service.get(path, ""), Some(200), "{path}");
            slowest = slowest.max(started.elapsed());
        }
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    // Nothing is lost.
    let lines = thread::spawn(move || ends(output.lines().map(Result::unwrap)));
    streams.extend(waiting);
    for stream in &mut streams {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        assert_eq!(read_status(stream).unwrap(), 200);
    }
    service.signal("TERM");
    assert!(service.wait().success());
    let predictions = lines.join().unwrap();
    assert_eq!(predictions.len(), sent + 700);
    assert!(predictions.values().all(|records| *records == [1, 1]));
}

fn a_stalled_log_does_not_delay_the_shutdown() {
    let server = "server: {close_grace_s: 0.1, drain_limit_s: 1}";
    for with_errors in [false, true] {
        let (mut service, output) = stalled(&format!("{server}\n{STDOUT}"), with_errors);
        let _streams = fill_the_log(&service);
        let started = Instant::now();
        service.signal("TERM");
        let status = service.wait();
        assert_eq!(status.code(), Some(1), "{status}");
        // The limits are 2 s; the rest is for a busy machine.
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        if let Some(mut errors) = service.program.stderr.take() {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            let line = text.lines().last().unwrap();
            assert!(line.starts_with("error: ") && line.contains("not written"), "{text}");
        }
        drop(output);
    }
}

fn a_second_signal_ends_the_service_at_once() {
    let server = "server: {readiness_delay_s: 3600}";
    for (first, second) in [("TERM", "TERM"), ("INT", "TERM"), ("TERM", "INT")] {
        let mut service = Running::start(&format!("{server}\n{FILE}"), |_, command| {
            command.stderr(Stdio::piped());
        });
        service.signal(first);
        eventually("readiness is refused", || (!service.is_ready()).then_some(()));
        service.signal(second);
        let status = service.wait();
        assert_eq!(status.code(), Some(1), "{status}");
        let mut errors = String::new();
        service.program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let message =
            "error: a second signal ends the service at once; 0 log records are not written\n";
        assert_eq!(errors, message);
    }
}

fn unfinished_predictions_have_their_last_record() {
    const COUNT: usize = 20;
    let server = "server: {close_grace_s: 0.1, drain_limit_s: 0.5}";
    let mut service = Running::start(&format!("{server}\n{FILE}"), |_, _| {});
    let streams: Vec<_> = (0..COUNT)
        .map(|number| {
            let mut stream = service.connect();
            let request = request("sleeping_model", &format!("asleep-{number}"), "3600");
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    let requested = || service.log().matches("Prediction requested.").count();
    eventually("all predictions have begun", || (requested() == COUNT).then_some(()));
    service.signal("TERM");
    let status = service.wait();
    assert!(status.success(), "{status}");
    for mut stream in streams {
        assert!(read_status(&mut stream).is_err());
    }
    let log = service.log();
    let predictions = ends(log.lines().map(str::to_owned));
    assert_eq!(predictions.len(), COUNT);
    assert!(predictions.values().all(|records| *records == [1, 1]), "{predictions:?}");
    let reason = r#""error_info":"the service has stopped before the prediction has finished""#;
    assert_eq!(log.matches(reason).count(), COUNT, "{log}");
}

fn sighup_opens_log_files_and_reads_key_files_again() {
    let (old, new) = ("the-old-key-of-a-client", "the-new-key-of-a-client");
    let yaml = format!("server: {{api_keys: {{file: FOLDER/keys}}}}\n{FILE}");
    let service = Running::start(&yaml, |folder, _| fs::write(folder.join("keys"), old).unwrap());
    let [log, moved, keys] = ["log", "log.1", "keys"].map(|name| service.folder.path().join(name));
    let status = |key: &str| service.get("/api/models", &format!("x-api-key: {key}\r\n"));
    assert_eq!([old, new].map(status), [Some(200), Some(401)]);

    fs::rename(&log, &moved).unwrap();
    fs::write(&keys, new).unwrap();
    service.signal("HUP");
    eventually("the new key is valid", || (status(new) == Some(200)).then_some(()));
    assert_eq!(status(old), Some(401));
    eventually("there is a new log file", || log.exists().then_some(()));

    // A file with a mistake changes nothing.
    fs::write(&keys, "short").unwrap();
    service.signal("HUP");
    let kept = "The keys stay as they were.";
    eventually("the mistake is logged", || service.log().contains(kept).then_some(()));
    assert!(service.log().contains("key number 1 is too short"), "{}", service.log());
    assert_eq!([old, new].map(status), [Some(401), Some(200)]);
}

fn a_log_file_that_reaches_the_limit_of_its_size_does_not_end_the_service() {
    let (errors, write) = io::pipe().unwrap();
    let service = Running::start(FILE, |_, command| {
        // 64 kB, in blocks of 512 bytes.
        let program = format!("ulimit -f 128; exec {:?} \"$@\"", command.get_program());
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut limited = Command::new("sh");
        limited.args(["-c", &program, "sh"]).args(arguments).env(super::PROGRAM, "signals");
        *command = limited;
        command.stderr(write);
    });
    let (report, reports) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        BufReader::new(errors).read_line(&mut line).unwrap();
        report.send(line).unwrap();
    });
    let mut stream = service.connect();
    let report = eventually("a record is lost", || {
        stream.write_all(request("quick_model", "full", "1.5").as_bytes()).unwrap();
        assert_eq!(read_status(&mut stream).unwrap(), 200);
        reports.try_recv().ok()
    });
    assert!(report.contains("could not be written"), "{report}");
    assert!(service.is_ready());
}

fn many_connections_at_once_wait_in_the_backlog() {
    let maximum = fs::read_to_string("/proc/sys/net/core/somaxconn");
    let maximum = maximum.map_or(128, |number| number.trim().parse().unwrap());
    let count = 900.min(maximum);
    let service = Running::start(FILE, |_, _| {});
    service.signal("STOP");
    // The service accepts none. A connection beyond the backlog would be tried again after a second.
    let streams: Vec<_> = (0..count)
        .map(|number| {
            let connected =
                TcpStream::connect_timeout(&service.address, Duration::from_millis(900));
            connected.unwrap_or_else(|error| panic!("connection {number}: {error}"))
        })
        .collect();
    service.signal("CONT");
    for mut stream in streams {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(request("quick_model", "queued", "1.5").as_bytes()).unwrap();
        assert_eq!(read_status(&mut stream).unwrap(), 200);
    }
}

/// Runs the tests.
pub(crate) fn run() {
    health_does_not_wait_for_the_log();
    a_stalled_log_does_not_delay_the_shutdown();
    a_second_signal_ends_the_service_at_once();
    unfinished_predictions_have_their_last_record();
    sighup_opens_log_files_and_reads_key_files_again();
    a_log_file_that_reaches_the_limit_of_its_size_does_not_end_the_service();
    many_connections_at_once_wait_in_the_backlog();
}
