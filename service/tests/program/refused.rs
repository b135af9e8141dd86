//! The cost of refused bodies: time, memory, answers and records.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Sums numbers.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct SumModel;

impl Infer for SumModel {
    type Input = Vec<f64>;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Vec<f64>) -> Result<f64, Self::Error> {
        Ok(input.iter().sum())
    }
}

/// A type whose values fit several variants until their last leaf.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Tree {
    Leaf(f64),
    Pair(Box<(Tree, Tree)>),
    Many(Vec<Tree>),
    Named(BTreeMap<String, Tree>),
    Node { left: Box<Tree>, right: Box<Tree> },
}

/// Measures trees.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct TreeModel;

impl Infer for TreeModel {
    type Input = Tree;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, _input: &Tree) -> Result<f64, Self::Error> {
        Ok(1.0)
    }
}

pub(crate) fn service() -> Service {
    Service::new("Refusing Service")
        .model(|| Ok::<_, std::convert::Infallible>(SumModel))
        .model(|| Ok::<_, std::convert::Infallible>(TreeModel))
}

const MEBIBYTE: usize = 1024 * 1024;

/// Repeats a part until the body has almost the largest size.
fn filled(begin: &str, part: &str, end: &str) -> String {
    let count = (MEBIBYTE - begin.len() - end.len()) / (part.len() + 1);
    let parts = vec![part; count].join(",");
    format!("{begin}{parts}{end}")
}

fn bodies() -> Vec<(&'static str, &'static str, String)> {
    let deep = |open: &str, leaf: &str, close: &str| {
        format!("{}{leaf}{}", open.repeat(120), close.repeat(120))
    };
    let names: Vec<_> = (0..70_000).map(|number| format!("\"n{number}\":\"\"")).collect();
    let [sum, tree] = ["sum_model", "tree_model"];
    vec![
        ("empty strings", sum, filled("[", "\"\"", "]")),
        ("empty lists", sum, filled("[", "[]", "]")),
        ("empty objects", sum, filled("[", "{}", "]")),
        ("small objects", sum, filled("[", "{\"\":0}", "]")),
        ("numbers and a mistake", sum, filled("[", "0", ",null]")),
        ("escapes", sum, filled("[", r#""\n""#, "]")),
        ("one string", sum, format!("\"{}\"", "x".repeat(MEBIBYTE - 2))),
        ("one escaped string", sum, format!("[\"{}\"]", r"\u0041".repeat(170_000))),
        ("one number", sum, format!("[\"\",{}]", "1".repeat(300) + "." + &"1".repeat(1_000_000))),
        ("one name", sum, filled("{", "\"a\":[]", "}")),
        ("many names", sum, format!("{{{}}}", names.join(","))),
        ("strings in a tree", tree, filled("[", "\"\"", "]")),
        ("lists in a tree", tree, filled("[", "[[[]]]", ",\"\"]")),
        ("objects in a tree", tree, filled("[", "{\"left\":0}", ",\"\"]")),
        ("a deep tree", tree, deep("[", "\"\"", ",1]")),
        ("deep trees", tree, filled("[", &deep("[", "\"\"", ",1]"), "]")),
        ("deep nodes", tree, filled("[", &deep("{\"left\":", "\"\"", ",\"right\":1}"), "]")),
        ("many names in a tree", tree, format!("{{{}}}", names.join(","))),
    ]
}

fn post(address: SocketAddr, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "POST /api/models/{path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Returns the most memory that the program has had since the last call, in MiB.
fn peak(program: &Child) -> usize {
    let folder = format!("/proc/{}", program.id());
    let status = fs::read_to_string(format!("{folder}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    fs::write(format!("{folder}/clear_refs"), "5").unwrap();
    kibibytes / 1024
}

pub(crate) fn refused_bodies_take_little_time_and_memory() {
    let (mut program, records) = crate::start("refused", &[]);
    let mut records = records.lines().map(|line| line.unwrap().parse::<Value>().unwrap());
    let address = records.find_map(|record| record["address"].as_str()?.parse().ok()).unwrap();
    let ready = |record: &Value| record["message"] == "All models are loaded.";
    records.find(ready).unwrap();
    let reading = thread::spawn(move || records.for_each(drop));
    for (name, model, body) in bodies() {
        peak(&program);
        let begun = Instant::now();
        let (status, answer) = post(address, &format!("{model}/prediction"), &body);
        assert_eq!(status, 400, "{name}: {answer}");
        assert!(answer.len() < 5000, "{name}: {} bytes", answer.len());
        // Without a limit of the steps a deep tree needs years.
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {:?}", begun.elapsed());
        let peak = peak(&program);
        assert!(peak <= 64, "{name}: {peak} MiB");
    }
    let small_objects = filled("[", "{\"\":0}", "]");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| post(address, "sum_model/prediction", &small_objects));
        }
    });
    let peak = peak(&program);
    assert!(peak <= 256, "eight at once: {peak} MiB");
    program.kill().unwrap();
    program.wait().unwrap();
    reading.join().unwrap();
}
