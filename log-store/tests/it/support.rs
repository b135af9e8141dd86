//! Starts the program, asks it over HTTP, and makes logs.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ml-logs");

/// A folder with a store and logs.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Appends lines to a log.
    pub(crate) fn append(&self, name: &str, lines: &[String]) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text(lines).as_bytes()).unwrap();
    }
}

pub(crate) fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A running `ml-logs serve`. Killed when dropped.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts the program with a store and a free port, and waits until it listens.
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        Self::start_command(serve(folder, arguments))
    }

    pub(crate) fn start_command(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let mut seen = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(errors.read_line(&mut line).unwrap() > 0, "the program has exited: {seen}");
            seen.push_str(&line);
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split(' ').next().unwrap().to_owned();
            }
        };
        // The program must not wait for a full pipe.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Self { process, address }
    }

    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.process.stdin.take().unwrap()
    }

    /// Asks for a path. Returns status, head and body.
    pub(crate) fn request(&self, path: &str, headers: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_lowercase();
        let is_chunked = head.contains("transfer-encoding: chunked");
        (status, head, if is_chunked { unchunked(body) } else { body.to_owned() })
    }

    /// Returns the largest resident memory that the program has had, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        1024 * peak.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap()
    }

    /// Asks for JSON with a status.
    pub(crate) fn json(&self, path: &str, expected: u16) -> Value {
        let (status, _, body) = self.request(path, "");
        assert_eq!(status, expected, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks for JSON.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.json(path, 200)
    }

    /// Waits until a number of records has been taken.
    pub(crate) fn wait_for_records(&self, records: u64) -> Value {
        self.wait(|health| health["records"].as_u64() >= Some(records))
    }

    /// Waits until the health fulfils a condition.
    pub(crate) fn wait(&self, is_reached: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let health = self.get("/api/health");
            if is_reached(&health) {
                return health;
            }
            assert!(Instant::now() < deadline, "not reached: {health}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Searches predictions.
    pub(crate) fn search(&self, filter: &str) -> Vec<Value> {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = self.get(&format!("/api/predictions?limit=10000&filter={filter}"));
        answer["predictions"].as_array().unwrap().clone()
    }

    /// Ends the program with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Puts the chunks of a body together. The last one is empty.
fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").expect("the body is cut off");
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

/// Prepares `ml-logs serve`.
pub(crate) fn serve(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").args(arguments).args(["--address", "127.0.0.1:0"]);
    command.arg("--store").arg(folder.store()).stdin(Stdio::piped());
    command.env("TZ", "UTC");
    command
}

/// Runs the program to its end.
pub(crate) fn run(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(folder.path("")).env("TZ", "UTC").output().unwrap()
}

/// The two records of a prediction at a second of a day, as this project's services log them.
pub(crate) fn prediction(id: &str, time: &str, age: u32, charges: f64) -> [String; 2] {
    let head = |message: &str| {
        format!(
            "{{\"asctime\":\"{time}\",\"hostname\":\"vm\",\"process\":7,\"thread\":3,\
             \"name\":\"insurance_charges_model_logger\",\"pathname\":\"model.rs\",\"lineno\":20,\
             \"levelname\":\"INFO\",\"message\":\"{message}\",\"action\":\"predict\",\
             \"model_qualified_name\":\"insurance_charges_model\",\"model_version\":\"0.1.0\",\
             \"prediction_id\":\"{id}\""
        )
    };
    [
        format!("{},\"age\":{age},\"bmi\":50.0}}", head("Prediction requested.")),
        format!(
            "{},\"status\":\"success\",\"duration_ms\":0.25,\"charges\":{charges:?}}}",
            head("Prediction created.")
        ),
    ]
}

/// The second record of a failed prediction.
pub(crate) fn failure(id: &str, time: &str, error: &str) -> String {
    let [_, answer] = prediction(id, time, 0, 0.0);
    let (head, _) = answer.split_once(",\"status\"").unwrap();
    let head =
        head.replace("INFO", "ERROR").replace("Prediction created.", "Prediction exception.");
    format!("{head},\"status\":\"error\",\"duration_ms\":0.5,\"error_info\":\"{error}\"}}")
}

/// The time of a second of today, so that no retention concerns it.
pub(crate) fn today(second: u32) -> String {
    let date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("{date} {:02}:{:02}:{:02},000", second / 3600 % 24, second / 60 % 60, second % 60)
}

/// A UUID with a number.
pub(crate) fn id(number: u64) -> String {
    format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(2_654_435_761) as u32)
}

/// Writes a compressed file.
pub(crate) fn compress(path: &Path, content: &str) {
    let file = File::create(path).unwrap();
    if path.extension().unwrap() == "gz" {
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(content.as_bytes()).unwrap();
        encoder.finish().unwrap();
    } else {
        let mut encoder = zstd::Encoder::new(file, 1).unwrap();
        encoder.write_all(content.as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
}
