//! The listings of the guide are parts of this crate, and behave as described.

#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use guide::decorators::Quota;
use guide::model::{Delivery, DeliveryModel, Parcel, delivery_days};
use guide::remote::RemoteModel;
use ml_model_core::{Decorated, MLModel, PredictionError, Request};
use serde_json::Value;

#[test]
fn the_listings_are_parts_of_the_sources() {
    let guide = include_str!("../../../docs/guide.md");
    let sources: Vec<_> =
        ["src/model.rs", "src/main.rs", "src/decorators.rs", "src/remote.rs", "tests/guide.rs"]
            .map(|file| {
                fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
            })
            .to_vec();
    let listings: Vec<_> = guide
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("a listing ends").0)
        .collect();
    assert!(listings.len() >= 8, "the guide has {} listings", listings.len());
    for listing in listings {
        // Blocks that `...` separates stand in one file, in this order.
        let is_in = |source: &String| {
            let mut rest = &source[..];
            listing.split("// ...\n").all(|part| match rest.find(part.trim()) {
                Some(start) => {
                    rest = &rest[start..];
                    true
                }
                None => false,
            })
        };
        assert!(sources.iter().any(is_in), "no source has this listing:\n{listing}");
    }
}

fn parcel() -> Parcel {
    Parcel {
        distance_km: 820.0,
        weight_kg: 3.0,
        is_express: false,
        customer_id: "c-7".to_owned(),
        street: "2 Long Lane".to_owned().into(),
    }
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the records that `run` leaves.
fn records_of(run: impl FnOnce()) -> Vec<Value> {
    let memory = Memory::default();
    let writer = memory.clone();
    let (subscriber, logging) =
        ml_logging::builder().writer(move || writer.clone()).build().unwrap();
    tracing::subscriber::with_default(subscriber, run);
    logging.flush().unwrap();
    let log = memory.0.lock().unwrap();
    log.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn a_prediction_leaves_two_records_without_the_street() {
    let prediction = DeliveryModel.predict(parcel()).unwrap();
    assert_eq!(prediction.days, delivery_days(820.0, 3.0, false));

    // The sample keeps this id.
    let request = || Request::new(parcel()).with_prediction_id("order-25");
    let mut records = records_of(|| drop(DeliveryModel.predict(request()).unwrap()));
    records.retain(|record| record["action"] == "predict");
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["distance_km"], 800.0);
    assert_ne!(records[0]["customer_id"], "c-7");
    assert_eq!(records[1]["days"], delivery_days(820.0, 3.0, false));
    assert!(records.iter().all(|record| record["sample_rate"] == 0.1));
    assert!(!format!("{records:?}").contains("Long Lane"));
}

#[test]
fn an_answer_has_an_id_and_an_output() {
    let request = || Request::new(parcel()).with_prediction_id("order-25");
    let answer = DeliveryModel.predict(request()).unwrap();
    let id: Option<String> = answer.prediction_id().map(ToString::to_string);
    let delivery: Delivery = answer.into_output();
    assert_eq!(id.as_deref(), Some("order-25"));
    assert_eq!(delivery.days, delivery_days(820.0, 3.0, false));
}

#[test]
fn the_error_of_predict_contains_that_of_the_model() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let remote = RemoteModel { address };
    match remote.predict("when?".to_owned()) {
        Err(PredictionError::Model(error)) => assert!(error.is::<io::Error>()),
        result => panic!("{result:?}"),
    }
}

#[test]
fn a_quota_rejects_requests_beyond_it() {
    let limited = Decorated::new(Quota::new(1), DeliveryModel);
    limited.predict(parcel()).unwrap();
    let error = limited.predict(parcel()).unwrap_err();
    assert!(matches!(error, PredictionError::Rejected(_)), "{error}");
}

#[test]
fn a_remote_model_is_called_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        // The first caller gets bytes that are not text.
        for answer in [b"\xff".to_vec(), b"tomorrow".to_vec()] {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
            stream.write_all(&answer).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
    });
    let prediction = RemoteModel { address }.predict("when?".to_owned()).unwrap();
    assert_eq!(*prediction, "tomorrow");
    server.join().unwrap();
}
