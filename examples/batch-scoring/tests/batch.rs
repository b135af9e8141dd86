//! Batches through the library and through the program.
#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use batch_scoring::batch::{Batch, BatchError, CHUNK_BYTES, chunks_ahead};
use batch_scoring::summary::Summary;
use insurance_charges::{InsuranceChargesModel, InsuranceChargesModelInput, Region, Sex};
use ml_model_core::{Infer, MLModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Runs the program in a folder, where its log is `batch-scoring.log`.
fn program(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_batch-scoring"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // The program may end without reading all of it.
        scope.spawn(move || drop(stdin.write_all(input)));
        process.wait_with_output().unwrap()
    })
}

fn table(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Returns the number of records of each prediction, and of each message.
fn counts(log: &Path) -> (HashMap<String, usize>, HashMap<String, usize>) {
    let (mut of_id, mut of_message) = (HashMap::new(), HashMap::new());
    for line in fs::read_to_string(log).unwrap().lines() {
        let record: Value = line.parse().unwrap();
        *of_id.entry(record["prediction_id"].as_str().unwrap().to_owned()).or_default() += 1;
        *of_message.entry(record["message"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    (of_id, of_message)
}

#[test]
fn bad_and_torn_lines_are_listed_and_the_others_are_scored() {
    let folder = tempfile::tempdir().unwrap();
    let input = [
        &b"age,sex,bmi,children,smoker,region\n"[..],
        b"40,male,30.5,1,false,southeast\n",
        b"old,male,30.5,1,false,southeast\n",
        b"40,male,30.5\n",
        b"66,male,50.5,1,false,southeast\n",
        b"40,\"male,30.5,1,false,southeast\n",
        b"40,male,30.5,1,yes,southeast\r\n",
        b"\n",
        b"40,m\xe4nnlich,30.5,1,false,southeast\n",
        b"\"40\",\"male\",30.5,1.0,false,\"southeast\"\n",
        b"40,male,30.5,1,false,southe",
    ]
    .concat();
    fs::write(folder.path().join("in.csv"), input).unwrap();
    let output = program(folder.path(), &["in.csv", "--output", "out.csv"], b"");
    assert_eq!(output.status.code(), Some(1));

    let customer = InsuranceChargesModelInput {
        age: 40,
        sex: Sex::Male,
        bmi: 30.5,
        children: 1,
        smoker: false,
        region: Region::Southeast,
    };
    let charges = InsuranceChargesModel::load().unwrap().charges(&customer).to_string();
    let regions = "`southwest`, `southeast`, `northwest`, `northeast`";
    let expected = [
        ("2", Ok(())),
        ("3", Err("invalid input: age: invalid type: string \"old\", expected u8".to_owned())),
        ("4", Err("invalid input: 3 cells for 6 columns".to_owned())),
        ("5", Err("invalid input: age: more than 65; bmi: more than 50".to_owned())),
        ("6", Err("invalid input: a quote is not closed".to_owned())),
        (
            "7",
            Err("invalid input: smoker: invalid type: string \"yes\", expected a boolean"
                .to_owned()),
        ),
        ("9", Err("invalid input: the line is not UTF-8".to_owned())),
        ("10", Ok(())),
        (
            "11",
            Err(format!(
                "invalid input: region: unknown variant `southe`, expected one of {regions}"
            )),
        ),
    ];
    let rows = table(&fs::read(folder.path().join("out.csv")).unwrap());
    assert_eq!(rows[0], ["line", "prediction_id", "charges", "error"]);
    let found: Vec<_> = rows[1..]
        .iter()
        .map(|row| {
            let result = if row[3].is_empty() { Ok(()) } else { Err(row[3].clone()) };
            assert_eq!(row[2], if result.is_ok() { &*charges } else { "" });
            (&*row[0], result)
        })
        .collect();
    assert_eq!(found, expected);

    let errors = String::from_utf8(output.stderr).unwrap();
    let listed: Vec<_> = errors.lines().collect();
    let failures =
        expected.iter().filter_map(|(line, result)| Some((line, result.as_ref().err()?)));
    let failures: Vec<_> =
        failures.map(|(line, reason)| format!("line {line}: {reason}")).collect();
    assert_eq!(listed[..failures.len()], failures);
    assert!(listed[failures.len()].starts_with("9 rows, 7 failed, "), "{errors}");
    assert_eq!(listed.len(), failures.len() + 1, "{errors}");

    let (of_id, of_message) = counts(&folder.path().join("batch-scoring.log"));
    assert!(rows[1..].iter().all(|row| of_id[&row[1]] == 2), "{of_id:?}");
    assert_eq!(of_message["Prediction requested."], 9);
    assert_eq!(of_message["Prediction created."], 2);
    assert_eq!(of_message["Prediction exception."], 7);
}

#[test]
fn the_readme_shows_the_results() {
    let readme = include_str!("../README.md");
    let between = |start: &str, end: &str| {
        readme.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    let input = between("printf '", "' |").replace("\\n", "\n");
    let output = program(folder.path(), &[], input.as_bytes());
    let (mut found, mut shown) =
        (table(&output.stdout), table(between("```csv\n", "```").as_bytes()));
    for row in found.iter_mut().chain(&mut shown) {
        row.remove(1);
    }
    assert_eq!(found, shown);
    let errors = String::from_utf8(output.stderr).unwrap();
    let summary = between("```text\n", "```");
    let until_duration = |text: &str| text.split("failed").next().unwrap().to_owned();
    assert_eq!(until_duration(&errors), until_duration(&summary));
}

#[test]
fn results_have_the_order_of_the_rows() {
    const ROWS: usize = 8_000;
    let folder = tempfile::tempdir().unwrap();
    let mut input = "age,sex,bmi,children,smoker,region\n".to_owned();
    for row in 0..ROWS {
        writeln!(input, "{},female,30.5,1,true,northwest", 18 + row % 48).unwrap();
    }
    let output = program(folder.path(), &["--jobs", "3"], input.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = table(&output.stdout);
    let lines: Vec<usize> = rows[1..].iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(lines.iter().copied().eq(2..ROWS + 2));
    assert_eq!(rows[1][2], rows[49][2]);
    assert_ne!(rows[1][2], rows[48][2]);
    let (of_id, of_message) = counts(&folder.path().join("batch-scoring.log"));
    assert_eq!(of_id.len(), ROWS);
    assert_eq!(of_message["Prediction created."], ROWS);
}

#[test]
fn a_wrong_header_stops_before_the_results_are_emptied() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("out.csv"), "earlier").unwrap();
    for (header, message) in [
        (&b""[..], "the input has no header: its first line names the columns"),
        (b"age,sex\n", "the header has no column bmi, children, region, smoker: add it"),
        (b"age,age\n", "two columns have the same name: remove one"),
    ] {
        let output = program(folder.path(), &["--output", "out.csv"], header);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("error: {message}\n"));
    }
    assert_eq!(fs::read(folder.path().join("out.csv")).unwrap(), b"earlier");
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Steps {
    count: u32,
    factor: Option<f64>,
    #[serde(default)]
    is_back: bool,
}

/// Multiplies steps. It panics without any.
#[derive(MLModel)]
#[decorate(prediction_id)]
struct Walk;

impl Infer for Walk {
    type Input = Steps;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, steps: &Steps) -> Result<f64, Infallible> {
        assert!(steps.count > 0, "there are no steps");
        let sign = if steps.is_back { -1.0 } else { 1.0 };
        Ok(sign * f64::from(steps.count) * steps.factor.unwrap_or(1.0))
    }
}

const JOBS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn walk(input: impl Read + Send, output: impl Write) -> Result<Summary, BatchError> {
    Batch::new(Walk, BufReader::new(input))?.run(output, JOBS, |_, _| ())
}

#[test]
fn a_row_whose_model_panics_fails_alone() {
    let input = "\u{feff}is_back,prediction_id,note,factor,count\n\
                 true,order-7,\"a \"\"b\"\", c\",0.5,\"3\"\n\
                 ,,,,0\n\
                 ,no id,,,1\n\
                 ,,,,5\n";
    let mut output = Vec::new();
    let summary = walk(input.as_bytes(), &mut output).unwrap();
    assert_eq!((summary.rows, summary.failed), (4, 2));
    let rows = table(&output);
    assert_eq!(rows[0], ["line", "prediction_id", "prediction", "error"]);
    assert_eq!(rows[1], ["2", "order-7", "-1.5", ""]);
    assert_eq!(rows[2][3], "panic: there are no steps");
    assert!(rows[3][3].starts_with("invalid input: prediction_id: "), "{:?}", rows[3]);
    assert_eq!(rows[4][2], "5.0");
}

#[test]
fn only_the_first_failures_are_listed() {
    let input = format!("count\n{}", "x\n".repeat(25));
    let summary = walk(input.as_bytes(), io::sink()).unwrap();
    assert_eq!((summary.rows, summary.failed, summary.failures.len()), (25, 25, 20));
    let text = summary.to_string();
    assert!(text.contains("\nand 5 more, in the column `error` of the results\n"), "{text}");
}

/// Counts the bytes that are taken from an input.
struct Counted<'a> {
    input: &'a [u8],
    taken: &'a AtomicUsize,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.taken.fetch_add(bytes, Ordering::SeqCst);
        Ok(bytes)
    }
}

/// Returns rows that fill this number of chunks, and their number.
fn rows(chunks: usize) -> (String, usize) {
    let row = format!("1,{}\n", "x".repeat(1021));
    let count = chunks * CHUNK_BYTES / row.len();
    (row.repeat(count), count)
}

#[test]
fn the_reader_waits_for_the_writer() {
    let (rows, count) = rows(100);
    let input = format!("count,note\n{rows}");
    let taken = AtomicUsize::new(0);
    let input = Counted { input: input.as_bytes(), taken: &taken };
    let batch = Batch::new(Walk, BufReader::new(input)).unwrap();
    let mut scored = 0;
    let summary = batch
        .run(io::sink(), JOBS, |bytes, _| {
            let ahead = taken.load(Ordering::SeqCst) - scored;
            scored += bytes;
            // One more for the ends of the chunks and for the buffer of the reader.
            assert!(ahead <= (chunks_ahead(JOBS) + 1) * CHUNK_BYTES, "{ahead} bytes ahead");
        })
        .unwrap();
    assert_eq!(summary.rows, count as u64);
    assert_eq!(scored, rows.len());
}

#[test]
fn failures_of_the_input_and_of_the_output_end_the_run() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("no disk"))
        }
    }
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no room"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut output = Vec::new();
    let error = walk((&b"count\n1\n2\n"[..]).chain(Broken), &mut output).unwrap_err();
    assert_eq!(error.to_string(), "the input cannot be read: no disk");
    assert_eq!(table(&output).len(), 3, "the rows before the failure are written");

    /// Takes the header only.
    struct HeaderOnly(bool);
    impl Write for HeaderOnly {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::take(&mut self.0) { Ok(bytes.len()) } else { Broken.write(bytes) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let input = format!("count,note\n{}", rows(100).0);
    let error = walk(input.as_bytes(), HeaderOnly(true)).unwrap_err();
    assert_eq!(error.to_string(), "the results cannot be written: no room");
}
