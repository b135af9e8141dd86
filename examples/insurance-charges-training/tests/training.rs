//! Training on small generated data.
#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use insurance_charges::scale::Unit;
use insurance_charges::trees::TreeEnsemble;
use insurance_charges_training::boost::FeatureSet;
use insurance_charges_training::data::{self, Row};
use insurance_charges_training::search::Grid;
use insurance_charges_training::{TrainError, plot, report, train, write};
use tempfile::TempDir;

const HEADER: &str = "age,sex,bmi,children,smoker,region,charges";

fn grid() -> Grid {
    Grid {
        features: vec![FeatureSet::Core, FeatureSet::Interaction],
        units: Unit::ALL.to_vec(),
        depths: vec![2],
        leaf_rows: vec![3],
        trees: vec![10, 30],
        folds: 4,
        splits: 2,
    }
}

/// Generates customers whose charges follow a rule, with a little noise.
fn customers(count: usize, mut seed: u64) -> String {
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut text = format!("{HEADER}\n");
    for _ in 0..count {
        let (age, bmi, children) = (18 + random(48), 16.0 + random(340) as f64 / 10.0, random(6));
        let sex = ["male", "female"][random(2) as usize];
        let smoker = ["yes", "no", "no", "no"][random(4) as usize];
        let region = ["southwest", "southeast", "northwest", "northeast"][random(4) as usize];
        let smoking = if smoker == "yes" { 15_000.0 + 600.0 * bmi } else { 0.0 };
        let charges = 260 * age + 500 * children + random(1000);
        let charges = charges as f64 + smoking;
        writeln!(text, "{age},{sex},{bmi},{children},{smoker},{region},{charges}").unwrap();
    }
    text
}

fn file(folder: &TempDir, content: &str) -> PathBuf {
    let file = folder.path().join("customers.csv");
    fs::write(&file, content).unwrap();
    file
}

fn rows(content: &str) -> Vec<Row> {
    let folder = TempDir::new().unwrap();
    data::read(&file(&folder, content)).unwrap()
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let (training, test) = (rows(&customers(160, 1)), rows(&customers(40, 2)));
    let outputs = [1, 1, 3, 8].map(|jobs| {
        let trained = train(&training, &test, &grid(), jobs, &|_, _| ()).unwrap();
        let plot = plot::draw(&test, &trained.predicted, &trained.scores);
        (trained.trees.to_string(), report::report(&trained), plot)
    });
    for output in &outputs[1..] {
        assert!(*output == outputs[0]);
    }
}

#[test]
fn a_rule_in_the_rows_is_learnt() {
    let (training, test) = (rows(&customers(300, 3)), rows(&customers(80, 4)));
    let trained = train(&training, &test, &grid(), 2, &|_, _| ()).unwrap();
    assert!(trained.scores.r2 > 0.9, "{:?}", trained.scores);
    let read = TreeEnsemble::parse(&trained.trees.to_string()).unwrap();
    assert_eq!(read.to_string(), trained.trees.to_string());
}

#[test]
fn the_winner_has_the_lowest_absolute_error_of_the_close_candidates() {
    let training = rows(&customers(160, 5));
    let trained = train(&training, &training, &grid(), 2, &|_, _| ()).unwrap();
    let choice = &trained.choice;
    assert_eq!(choice.candidates.len(), 8);
    let winner = choice.winner();
    assert!(choice.is_close(winner));
    for candidate in &choice.candidates {
        assert!(candidate.mean <= choice.best().mean);
        if choice.is_close(candidate) {
            assert!(candidate.mae >= winner.mae);
        }
    }
}

#[test]
fn the_test_rows_do_not_influence_the_model() {
    let training = rows(&customers(120, 6));
    let models = [7, 8].map(|seed| {
        let test = rows(&customers(30, seed));
        train(&training, &test, &grid(), 2, &|_, _| ()).unwrap().trees.to_string()
    });
    assert_eq!(models[0], models[1]);
}

#[test]
fn progress_is_reported_for_every_fit() {
    let training = rows(&customers(60, 9));
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |done, all| seen.lock().unwrap().push((done, all));
    train(&training, &training, &grid(), 2, &progress).unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    let expected: Vec<_> = (1..=32).map(|done| (done, 32)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn too_few_rows_are_an_error() {
    let training = rows(&customers(7, 10));
    let error = train(&training, &training, &grid(), 1, &|_, _| ()).unwrap_err();
    assert!(matches!(error, TrainError::TooFewRows { rows: 7, folds: 4 }));
}

#[test]
fn columns_may_be_in_any_order() {
    let text =
        "charges,region,smoker,children,bmi,sex,age\n1200.5,northeast,no,2,30.25,female,41\n";
    let read = rows(text);
    assert_eq!(read, rows(&format!("{HEADER}\n41,female,30.25,2,no,northeast,1200.5\n")));
    assert_eq!((read[0].input.age, read[0].charges), (41, 1200.5));
}

#[test]
fn a_bad_row_is_named_by_file_line_and_column() {
    let good = "19,female,27.9,0,yes,southwest,16884.92";
    let cases = [
        (
            "x,female,27.9,0,yes,southwest,1",
            r#"line 3, column "age": expected a whole number from 0 to 120, found "x""#,
        ),
        ("200,female,27.9,0,yes,southwest,1", r#"line 3, column "age""#),
        (
            "19,f,27.9,0,yes,southwest,1",
            r#"line 3, column "sex": expected male or female, found "f""#,
        ),
        ("19,female,NaN,0,yes,southwest,1", r#"line 3, column "bmi""#),
        ("19,female,27.9,-1,yes,southwest,1", r#"line 3, column "children""#),
        (
            "19,female,27.9,0,maybe,southwest,1",
            r#"line 3, column "smoker": expected yes or no, found "maybe""#,
        ),
        (
            "19,female,27.9,0,yes,south,1",
            r#"line 3, column "region": expected a region, found "south""#,
        ),
        (
            "19,female,27.9,0,yes,southwest,-5",
            r#"line 3, column "charges": expected an amount above zero, found "-5""#,
        ),
        ("19,female,27.9,0,yes,southwest,", r#"line 3, column "charges""#),
        ("19,female,27.9", "line: 3"),
    ];
    for (bad, message) in cases {
        let folder = TempDir::new().unwrap();
        let file = file(&folder, &format!("{HEADER}\n{good}\n{bad}\n{good}\n"));
        let error = data::read(&file).unwrap_err().to_string();
        assert!(error.starts_with(&file.display().to_string()), "{error}");
        assert!(error.contains(message), "{error}\nexpected\n{message}");
    }
}

#[test]
fn file_errors_contain_the_file_name() {
    let folder = TempDir::new().unwrap();
    let error = data::read(&file(&folder, "age,sex,bmi,children,smoker,charges\n")).unwrap_err();
    assert!(error.to_string().ends_with(r#"customers.csv, line 1: there is no column "region""#));
    let error = data::read(&file(&folder, HEADER)).unwrap_err();
    assert!(error.to_string().ends_with("customers.csv: there are no rows"));
    let error = data::read(&folder.path().join("nowhere.csv")).unwrap_err();
    assert!(error.to_string().contains("nowhere.csv: "), "{error}");
    let error = write(&folder.path().join("no/such/folder"), "").unwrap_err();
    assert!(error.to_string().contains("folder cannot be written: "), "{error}");
}
